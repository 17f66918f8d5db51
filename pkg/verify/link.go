package verify

import (
	"slices"
	"strings"
)

// up: a port is enabled and up. A port towards a server is down as long as nothing is plugged in, which the
// design knows only where a cable is listed.
func (k *checker) up(c *Contract, d *shown) {
	p := d.Interfaces[c.Port]
	if p.Enabled && p.Up {
		return
	}
	severity := Error
	if c.Server {
		severity = Notice
		if c.Listed {
			severity = Warning
		}
	}
	f := k.draft(InterfaceDown, severity, c, "is down")
	switch {
	case !p.Enabled:
		f.absent(c.Device, "has not enabled %s", c.Port)
	case p.Reason == "":
		f.says(c.Device, "sees nothing at %s", c.Port)
	default:
		f.says(c.Device, "says %s", p.Reason)
	}
}

// neighbor: a port hears the far end of its cable, and a port for servers no device of the fabric. LLDP
// is only heard on ports that are up.
func (k *checker) neighbor(c *Contract, d *shown) {
	p := d.Interfaces[c.Port]
	switch {
	case !p.Up:
	case c.Server:
		k.server(c, p)
	case slices.ContainsFunc(p.Far, func(far Far) bool { return far.is(Far{c.Far[0], c.FarPort}) }):
	case c.Client && len(p.Far) == 0: // it hears who speaks, and need not listen
	case !d.LLDP:
		k.draft(CableWrong, Warning, c, silent).absent(c.Device, "does not listen (LLDP is off)")
	case len(p.Far) == 0:
		k.draft(CableWrong, Warning, c, silent).says(c.Device, "hears nobody at %s", c.Port)
	default:
		k.elsewhere(c, p)
	}
}

// Words for cables that are not seen as designed.
const (
	silent = "cannot be confirmed"
	astray = "is plugged in wrong"
)

// elsewhere: the port hears somebody else. Where that end's own cable ends where this one should, the two
// are swapped, and mending one mends both.
func (k *checker) elsewhere(c *Contract, p Interface) {
	f := k.draft(CableWrong, Error, c, astray)
	if f.verb == silent {
		f.verb = astray
	}
	for _, far := range p.Far {
		f.says(c.Device, "hears %s at %s", far, c.Port)
		other, object := k.index.designed(far)
		if object == "" || !k.hears(other, Far{c.Far[0], c.FarPort}) {
			continue
		}
		f.verb = "is swapped with " + object
		for _, name := range []string{other.System, k.index.deviceOf(far.System)} {
			if !slices.Contains(f.Devices, name) {
				f.Devices = append(f.Devices, name)
			}
		}
		if object < c.Object {
			f.farther = append(f.farther, id(CableWrong, object))
		}
	}
}

// server: a port for servers hears a device of the fabric, or a server that is listed for another port.
func (k *checker) server(c *Contract, p Interface) {
	listed := k.index.cables[Far{c.Device, c.Port}].Device
	for _, far := range p.Far {
		if k.index.deviceOf(far.System) != "" || c.Listed && k.index.servers[far.System] && far.System != listed {
			k.draft(CableWrong, Error, c, astray).says(c.Device, "hears %s at %s", far, c.Port)
		}
	}
}

// hears tells whether a port was seen to hear a far end.
func (k *checker) hears(at, far Far) bool {
	return slices.ContainsFunc(k.observed.Devices[at.System].Interfaces[at.Port].Far, far.is)
}

// is tells whether two ends are the same. A system may say its name with its domain.
func (f Far) is(o Far) bool {
	return f.Port == o.Port && (f.System == o.System || strings.HasPrefix(f.System, o.System+".") || strings.HasPrefix(o.System, f.System+"."))
}

// deviceOf returns the device of the design that has a system name, "" if none has.
func (x *Index) deviceOf(system string) string {
	for name := system; ; {
		if x.design.Device(name) != nil {
			return name
		}
		dot := strings.LastIndexByte(name, '.')
		if dot < 0 {
			return ""
		}
		name = name[:dot]
	}
}

// designed returns the far end that the design has for a port of the fabric, and the object of the link;
// "" where it has none.
func (x *Index) designed(at Far) (far Far, object string) {
	name := x.deviceOf(at.System)
	d := x.design.Device(name)
	if d == nil {
		return Far{}, ""
	}
	for i := range d.Links {
		if l := &d.Links[i]; l.Port == at.Port {
			return Far{l.PeerName, l.PeerPort}, linkObject(name, l)
		}
	}
	return Far{}, ""
}
