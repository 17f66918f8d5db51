package sim

import (
	"crypto/tls"
	"crypto/x509"
)

// encryption returns how the server speaks TLS: always (gNMI spec §3.1 knows no plaintext), and with a
// client that shows a certificate where the running configuration wants one. That is read at every
// handshake, so a commit is about the connections after it.
//
// A thousand devices share a process, so the key exchange is a cheap one: both ends are here.
func (d *Device) encryption() *tls.Config {
	c := &tls.Config{
		MinVersion:             tls.VersionTLS12,
		Certificates:           []tls.Certificate{d.certificate},
		CurvePreferences:       []tls.CurveID{tls.X25519, tls.CurveP256},
		SessionTicketsDisabled: true,
	}
	c.GetConfigForClient = func(*tls.ClientHelloInfo) (*tls.Config, error) {
		anchor := d.serverConfig().ClientCA
		if anchor == nil {
			return nil, nil // c itself, which asks for no certificate
		}
		strict := c.Clone()
		strict.ClientAuth, strict.ClientCAs = tls.RequireAndVerifyClientCert, x509.NewCertPool()
		strict.ClientCAs.AppendCertsFromPEM(anchor) // an anchor that is none lets nobody in
		return strict, nil
	}
	return c
}
