package srossim

import (
	"net/netip"
	"strings"

	"github.com/loomfabric/loom/pkg/config"
	"github.com/loomfabric/loom/pkg/sim/network"
)

// bfd writes /state/bfd: the sessions over single links. Those between loopbacks are sessions of the system interface.
func (w *writer) bfd() {
	for _, s := range w.state.BFD {
		if s.Instance != base {
			continue
		}
		w.SetPath(sessionPath(s), "")
		for name, value := range map[string]string{
			"state/oper-state": upDown(s.Up), "state/session-state": upDown(s.Up),
			"state/transmit-interval": decimal(uint32(s.Transmit.Milliseconds())), "state/receive-interval": decimal(uint32(s.Receive.Milliseconds())),
			"state/multiplier": decimal(uint32(s.Multiplier)), "local-parameters/discriminator": decimal(s.Discriminator),
			"remote-parameters/discriminator": decimal(s.RemoteDiscriminator),
		} {
			container, leaf, _ := strings.Cut(name, "/")
			w.SetPath(sessionPath(s).Child(container).Child(leaf), value)
		}
	}
}

func sessionPath(s network.BFDSession) config.Path {
	bare := func(a netip.Addr) string { return a.WithZone("").String() }
	return config.Path{{Name: "state"}, {Name: "bfd"}, {Name: "pt-to-pt-session", Keys: []config.KeyValue{
		{Name: "router-instance", Value: s.Instance}, {Name: "interface-name", Value: s.Subinterface},
		{Name: "address", Value: bare(s.Local)}, {Name: "remote-address", Value: bare(s.Remote)},
	}}}
}
