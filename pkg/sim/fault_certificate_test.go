package sim_test

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"io"
	"net/http"
	"slices"
	"testing"

	"github.com/openconfig/gnmi/proto/gnmi"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"

	"github.com/loomfabric/loom/pkg/sim"
)

var tlsFaults = map[string]func(*stage){
	"certificate/expired":  func(s *stage) { s.distrusts("expired", "certificate has expired or is not yet valid") },
	"certificate/early":    func(s *stage) { s.distrusts("early", "certificate has expired or is not yet valid") },
	"certificate/stranger": func(s *stage) { s.distrusts("stranger", "certificate signed by unknown authority") },
	"certificate/name":     func(s *stage) { s.distrusts("name", "certificate is valid for somebody-else, not leaf1") },
	"certificate/revoked": func(s *stage) {
		id := s.inject("certificate", "leaf1", "form=revoked")
		shown := s.chain()[0]
		if len(shown.CRLDistributionPoints) != 1 || !s.revoked(shown) {
			s.Errorf("it names %v, and is not on it", shown.CRLDistributionPoints)
		}
		s.clear(id)
		if again := s.chain()[0]; len(again.CRLDistributionPoints) > 0 {
			s.Error("the good certificate names a list too")
		}
		if _, err := http.Get(shown.CRLDistributionPoints[0]); err == nil {
			s.Error("the list is still served")
		}
	},
	"rotation/certificate": func(s *stage) { s.rotates("certificate", 1) },
	"rotation/authority":   func(s *stage) { s.rotates("authority", 2) },
	"transport/plaintext": func(s *stage) {
		s.misspeaks("plaintext", "first record does not look like a TLS handshake", func() {
			s.use(dial(s.T, s.sim, "leaf1", insecure.NewCredentials()))
			s.mustAsk("without TLS")
		})
	},
	"transport/old": func(s *stage) {
		s.misspeaks("old", "protocol version not supported", func() {
			conn, err := tls.Dial("tcp", s.device.Address(), &tls.Config{
				RootCAs: authority(s.T, s.sim), ServerName: "leaf1", MinVersion: tls.VersionTLS10, MaxVersion: tls.VersionTLS10, NextProtos: []string{"h2"},
			})
			s.check(err)
			conn.Close()
		})
	},
	"transport/mutual": func(s *stage) {
		s.misspeaks("mutual", "", func() {
			cert, key, err := s.sim.ClientCertificate("admin")
			s.check(err)
			pair, err := tls.X509KeyPair(cert, key)
			s.check(err)
			s.use(connect(s.T, s.sim, "leaf1", pair))
			s.refuses(s.ask(), codes.Unavailable, "")
		})
	},
}

// chain returns the certificates that the device shows.
func (s *stage) chain() []*x509.Certificate {
	s.Helper()
	conn, err := tls.Dial("tcp", s.device.Address(), &tls.Config{RootCAs: authority(s.T, s.sim), ServerName: "leaf1", NextProtos: []string{"h2"}})
	s.check(err)
	defer conn.Close()
	return conn.ConnectionState().PeerCertificates
}

// revoked tells whether a certificate is on the list that it names, and whether the list is the authority's.
func (s *stage) revoked(c *x509.Certificate) bool {
	s.Helper()
	resp, err := http.Get(c.CRLDistributionPoints[0])
	s.check(err)
	defer resp.Body.Close()
	defer http.DefaultClient.CloseIdleConnections()
	data, err := io.ReadAll(resp.Body)
	s.check(err)
	list, err := x509.ParseRevocationList(data)
	s.check(err)
	block, _ := pem.Decode([]byte(s.sim.Inventory().CA))
	ca, err := x509.ParseCertificate(block.Bytes)
	s.check(err)
	s.check(list.CheckSignatureFrom(ca))
	return slices.ContainsFunc(list.RevokedCertificateEntries, func(e x509.RevocationListEntry) bool { return e.SerialNumber.Cmp(c.SerialNumber) == 0 })
}

// rotates shows that a stream goes on while new connections see a new certificate that is good.
func (s *stage) rotates(form string, length int) {
	s.Helper()
	stream := s.subscribe(&gnmi.SubscriptionList{UpdatesOnly: true}, mtuAt)
	s.untilSync(stream)
	before := s.chain()[0]
	s.inject("rotation", "leaf1", "form="+form)
	if got := s.sim.Faults(); len(got) != 0 {
		s.Errorf("active: %+v", got)
	}
	after := s.chain()
	if after[0].Equal(before) || len(after) != length {
		s.Errorf("a chain of %d, new: %t", len(after), !after[0].Equal(before))
	}
	s.mustSet(s.mtu("9000"))
	s.wants(s.next(stream), mtuAt+" 9000")
	s.reconnect()
	s.mustAsk("on a new connection")
}

// misspeaks shows a device that a client of TLS does not get to, and how it is to be reached.
func (s *stage) misspeaks(form, why string, reach func()) {
	s.Helper()
	s.mustSet(s.mtu("9000"))
	id := s.inject("transport", "leaf1", "form="+form)
	if _, err := s.tryInject("transport", "leaf1"); err == nil {
		s.Error("it has two ways of speaking")
	}
	s.reconnect()
	s.refuses(s.ask(), codes.Unavailable, why)
	reach()
	s.clear(id)
	s.reconnect()
	s.has(mtuAt, "9000")
}

// distrusts shows a certificate that a client refuses, and a good one after it.
func (s *stage) distrusts(form, why string) {
	s.Helper()
	s.mustSet(s.mtu("9000"))
	id := s.inject("certificate", "leaf1", "form="+form)
	s.reconnect()
	s.refuses(s.ask(), codes.Unavailable, why)
	s.clear(id)
	s.reconnect()
	s.has(mtuAt, "9000")
}

// Every kind stands for something of the catalogue, and everything in it has a kind or is no device's business.
func TestTheCatalogueIsCovered(t *testing.T) {
	t.Parallel()
	named, ids := map[string]bool{}, map[string]int{}
	for _, r := range sim.Risks() {
		if len(r.Kinds) == 0 && r.Elsewhere == "" {
			t.Errorf("%s: %s: nothing stands for it", r.ID, r.What)
		}
		for _, k := range r.Kinds {
			named[k] = true
		}
		ids[r.ID]++
		if ids[r.ID] > 1 || r.ID[1:] != string(rune('0'+countOf(ids, r.ID[0]))) {
			t.Errorf("%s: stands there twice, or out of its place", r.ID)
		}
	}
	for _, k := range sim.Kinds() {
		if !named[k.Name] {
			t.Errorf("%s: stands for nothing", k.Name)
		}
		delete(named, k.Name)
	}
	for name := range named {
		t.Errorf("%s: is in the catalogue, and there is no such kind", name)
	}
	for letter, want := range map[byte]int{'D': 9, 'T': 4, 'C': 9, 'S': 5, 'F': 4, 'R': 3} {
		if got := countOf(ids, letter); got != want {
			t.Errorf("%d risks %c, want %d", got, letter, want)
		}
	}
}

// countOf counts the ids that begin with a letter.
func countOf(ids map[string]int, letter byte) (n int) {
	for id := range ids {
		if id[0] == letter {
			n++
		}
	}
	return n
}
