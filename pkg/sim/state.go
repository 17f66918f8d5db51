package sim

// serverConfig returns how the running configuration wants the gNMI server to be.
func (d *Device) serverConfig() Server {
	if sw := d.spec.Software; sw != nil && sw.Server != nil {
		return sw.Server(d.Running())
	}
	return Server{}
}
