package store

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/url"
	"time"
)

// greetTime is how long one endpoint of a cluster may take to be reached.
const greetTime = 3 * time.Second

// greet shakes hands with a cluster, and returns why no endpoint takes or gives a certificate that is good. Who cannot
// be reached at all is no error: etcd's client tries that for longer. It hides what TLS 1.3 tells of our certificate, as
// that comes when the handshake is over (RFC 8446 §4.4.2.4), and tries again until its time is over.
func (o *Options) greet(ctx context.Context) error {
	var errs []error
	for _, endpoint := range o.Endpoints {
		u, err := url.Parse(endpoint)
		if err != nil || u.Scheme != "https" {
			continue
		}
		err = greetOne(ctx, u.Host, o.TLS)
		if err == nil {
			return nil
		}
		if ofTLS(err) {
			errs = append(errs, fmt.Errorf("%s: %w", endpoint, err))
		}
	}
	return errors.Join(errs...)
}

func greetOne(ctx context.Context, address string, c *tls.Config) error {
	ctx, cancel := context.WithTimeout(ctx, greetTime)
	defer cancel()
	if c == nil {
		c = &tls.Config{MinVersion: tls.VersionTLS12}
	}
	c = c.Clone()
	c.NextProtos = []string{"h2"}
	conn, err := (&tls.Dialer{Config: c}).DialContext(ctx, "tcp", address)
	if err != nil {
		return err
	}
	defer conn.Close()
	deadline, _ := ctx.Deadline()
	if err := conn.SetReadDeadline(deadline); err != nil {
		return err
	}
	_, err = conn.Read(make([]byte, 1)) // a server speaks first (RFC 9113 §3.4)
	return err
}

// ofTLS tells whether the two ends did not come to terms.
func ofTLS(err error) bool {
	var (
		verify *tls.CertificateVerificationError
		record tls.RecordHeaderError
		op     *net.OpError
	)
	return errors.As(err, &verify) || errors.As(err, &record) || errors.As(err, &op) && op.Op == "remote error"
}
