package sim

import (
	"crypto/tls"
	"crypto/x509"

	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/credentials/insecure"
)

// credentials returns how the server secures its connections: by TLS, or not at all where it is configured so,
// against gNMI spec §3.1. The caller holds power.
func (d *Device) credentials() credentials.TransportCredentials {
	if d.door.Plain || d.speech == plain {
		return insecure.NewCredentials()
	}
	return credentials.NewTLS(d.speech.distort(d.encryption()))
}

// encryption returns how the server speaks TLS: with a client that shows a certificate where the running configuration
// wants one. That is read at every handshake, so a commit is about the connections after it, and so is the device's
// own certificate.
//
// A thousand devices share a process, so the key exchange is a cheap one: both ends are here.
func (d *Device) encryption() *tls.Config {
	c := &tls.Config{
		MinVersion:             tls.VersionTLS12,
		GetCertificate:         func(*tls.ClientHelloInfo) (*tls.Certificate, error) { return d.certificate.Load(), nil },
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
