package device

import (
	"context"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/hex"
	"errors"
	"fmt"
	"net"
	"strings"
	"sync"
	"time"

	"google.golang.org/grpc/credentials"
)

// trustError is a failed TLS handshake that a later attempt will not mend: what happened and what to do.
type trustError struct {
	text string
	err  error
}

func (e *trustError) Error() string { return e.text }
func (e *trustError) Unwrap() error { return e.err }

// errFingerprint is the cause of a trustError where the certificate is not the pinned one.
var errFingerprint = errors.New("fingerprint differs")

// checkTrust refuses a target that no certificate could satisfy.
func (t *Target) checkTrust() error {
	if t.Fingerprint == "" && t.CA == nil {
		return fmt.Errorf("neither authority nor fingerprint is known; give --inventory or run `loom trust %s`", t.Name)
	}
	if sum, err := hex.DecodeString(plainHex(t.Fingerprint)); err != nil || t.Fingerprint != "" && len(sum) != sha256.Size {
		return fmt.Errorf("fingerprint %q is not a SHA-256 in hex", t.Fingerprint)
	}
	return nil
}

// tlsConfig returns how the device's certificate is checked: by fingerprint alone, or by authority and name.
func (t *Target) tlsConfig() *tls.Config {
	c := &tls.Config{MinVersion: tls.VersionTLS12, RootCAs: t.CA, ServerName: t.ServerName, NextProtos: []string{"h2"}}
	if t.Fingerprint != "" {
		// The pin replaces the chain: VerifyConnection runs in every handshake, resumed ones too.
		c.InsecureSkipVerify = true
		c.VerifyConnection = t.verifyPin
	}
	if t.Certificate != nil {
		// Shown to whoever asks, whatever authorities he names: one that does not like it then says so.
		c.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) { return t.Certificate, nil }
	}
	return c
}

// verifyPin accepts the certificate whose fingerprint is pinned.
func (t *Target) verifyPin(s tls.ConnectionState) error {
	if fingerprint(s.PeerCertificates[0]) != plainHex(t.Fingerprint) {
		return errFingerprint
	}
	return nil
}

// fingerprint returns the SHA-256 of a certificate in lower-case hex.
func fingerprint(c *x509.Certificate) string {
	sum := sha256.Sum256(c.Raw)
	return hex.EncodeToString(sum[:])
}

// plainHex drops the colons and upper case that openssl prints.
func plainHex(s string) string { return strings.ToLower(strings.ReplaceAll(s, ":", "")) }

// credentials returns the transport credentials of a link.
func (l *link) credentials() credentials.TransportCredentials {
	return &handshaker{credentials.NewTLS(l.device.target.tlsConfig()), l}
}

// handshaker is TLS that says what to do when it fails, and tells the link.
type handshaker struct {
	credentials.TransportCredentials
	link *link
}

// ClientHandshake runs the handshake of one attempt.
func (h *handshaker) ClientHandshake(ctx context.Context, authority string, raw net.Conn) (net.Conn, credentials.AuthInfo, error) {
	conn, info, err := h.TransportCredentials.ClientHandshake(ctx, authority, raw)
	if err != nil {
		err = h.link.device.target.explain(err)
		h.link.note(err)
		return conn, info, err
	}
	return &judged{Conn: conn, link: h.link, over: make(chan struct{})}, info, nil
}

// judged is a connection on which the device may yet refuse our certificate: in TLS 1.3 our side of the handshake is over
// before the device has looked at it (RFC 8446 §4.4.2.4).
type judged struct {
	net.Conn
	link *link
	once sync.Once
	over chan struct{} // closed once a Read has failed: the device has had its last word
}

// Read notes why the device refuses the session.
func (j *judged) Read(p []byte) (int, error) {
	n, err := j.Conn.Read(p)
	if err == nil {
		return n, nil
	}
	if refusal := (*trustError)(nil); errors.As(j.link.device.target.explain(err), &refusal) {
		j.link.note(refusal)
	}
	j.once.Do(func() { close(j.over) })
	return n, err
}

// lastWord is how long to wait for what the device has said before it closed the connection.
const lastWord = time.Second

// Write lets the device have its last word: our first bytes may cross its refusal, and who is told that they could not be
// written hangs up before that is read.
func (j *judged) Write(p []byte) (int, error) {
	n, err := j.Conn.Write(p)
	if err != nil {
		select {
		case <-j.over:
		case <-time.After(lastWord):
		}
	}
	return n, err
}

// Clone returns a copy, as grpc asks of credentials.
func (h *handshaker) Clone() credentials.TransportCredentials {
	return &handshaker{h.TransportCredentials.Clone(), h.link}
}

// explain turns a handshake error into what an operator can do about it.
func (t *Target) explain(err error) error {
	var (
		authority x509.UnknownAuthorityError
		host      x509.HostnameError
		invalid   x509.CertificateInvalidError
		record    tls.RecordHeaderError
		remote    *net.OpError
	)
	say := func(format string, args ...any) error { return &trustError{fmt.Sprintf(format, args...), err} }
	switch {
	case errors.Is(err, errFingerprint):
		return say("certificate of %s is not the one that was trusted; if it was renewed run `loom trust %s`", t.Name, t.Name)
	case errors.As(err, &authority):
		return say("certificate of %s is not signed by the given authority; check --inventory or run `loom trust %s`", t.Name, t.Name)
	case errors.As(err, &host):
		return say("certificate of %s is not made out to %s; check its address in --inventory or run `loom trust %s`", t.Name, t.ServerName, t.Name)
	case errors.As(err, &invalid):
		return say("certificate of %s is not valid (%s); renew it on the device", t.Name, invalid.Error())
	case errors.As(err, &record):
		return say("%s does not speak TLS on %s; give its gNMI server a TLS profile, or check the port", t.Name, t.Address)
	case errors.As(err, &remote) && remote.Op == "remote error" && strings.Contains(remote.Err.Error(), "certificate"):
		// An alert about what we have shown (RFC 8446 §6.2). Package tls does not export its type.
		if t.Certificate == nil {
			return say("%s wants a client certificate (%s); give one with --cert and --key", t.Name, remote.Err)
		}
		return say("%s does not take our client certificate (%s); use one of an authority that its TLS profile trusts", t.Name, remote.Err)
	}
	return err
}

// login puts user name and password into the metadata of every RPC, and only over TLS.
type login struct{ username, password string }

// GetRequestMetadata returns the metadata of one RPC.
func (l login) GetRequestMetadata(context.Context, ...string) (map[string]string, error) {
	return map[string]string{"username": l.username, "password": l.password}, nil
}

// RequireTransportSecurity keeps the password off connections without TLS.
func (login) RequireTransportSecurity() bool { return true }

// FetchFingerprint connects to addr without trusting it and returns the SHA-256 of its certificate
// in hex and its subject, for an operator to compare and to pin. It logs in nowhere.
func FetchFingerprint(ctx context.Context, addr string) (sum, subject string, err error) {
	ctx, cancel := withDefault(ctx, defaultTimeout)
	defer cancel()
	// Nothing is trusted here: the certificate is looked at by a person, and the connection is closed.
	dialer := tls.Dialer{Config: &tls.Config{MinVersion: tls.VersionTLS12, InsecureSkipVerify: true, NextProtos: []string{"h2"}}}
	conn, err := dialer.DialContext(ctx, "tcp", addr)
	if err != nil {
		return "", "", fmt.Errorf("%s: certificate: %w", addr, err)
	}
	defer conn.Close()
	leaf := conn.(*tls.Conn).ConnectionState().PeerCertificates[0]
	return fingerprint(leaf), leaf.Subject.String(), nil
}
