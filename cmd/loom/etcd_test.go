package main

import (
	"net/url"
	"sync"
	"testing"

	"go.etcd.io/etcd/client/pkg/v3/transport"
	"go.etcd.io/etcd/server/v3/embed"
	"go.uber.org/zap"
)

// etcd is a cluster as a user has it, on a port of loopback.
type etcd struct {
	testing.TB
	dir      string
	endpoint string            // where it listens, again after a stop
	tls      transport.TLSInfo // of its https; the zero value: none
	stop     func()
}

// newEtcd starts one.
func newEtcd(t testing.TB) *etcd {
	t.Helper()
	c := &etcd{TB: t, dir: t.TempDir(), endpoint: "http://127.0.0.1:0"}
	c.start()
	return c
}

func (c *etcd) start() {
	c.Helper()
	at, err := url.Parse(c.endpoint)
	if err != nil {
		c.Fatal(err)
	}
	nowhere := []url.URL{{Scheme: "http", Host: "127.0.0.1:0"}}
	e := embed.NewConfig()
	e.Dir, e.Name = c.dir, "etcd"
	e.ListenPeerUrls, e.AdvertisePeerUrls = nil, nowhere
	e.ListenClientUrls, e.AdvertiseClientUrls = []url.URL{*at}, []url.URL{*at}
	e.ClientTLSInfo = c.tls
	e.InitialCluster = e.InitialClusterFromName(e.Name)
	e.TickMs, e.ElectionMs = 20, 100
	e.UnsafeNoFsync = true // it is not what dies here
	e.ZapLoggerBuilder = embed.NewZapLoggerBuilder(zap.NewNop())
	server, err := embed.StartEtcd(e)
	if err != nil {
		c.Fatal(err)
	}
	c.stop = sync.OnceFunc(server.Close)
	c.Cleanup(c.stop)
	<-server.Server.ReadyNotify()
	c.endpoint = at.Scheme + "://" + server.Clients[0].Addr().String()
}
