package srlsim

import (
	"time"

	srl "github.com/loomfabric/loom/models/srlinux"
	"github.com/loomfabric/loom/pkg/config"
	"github.com/loomfabric/loom/pkg/sim/network"
)

// bfdOf is how a subinterface does BFD; nil where it does not. The models give intervals in microseconds.
func (r *reader) bfdOf(subinterface string) *network.BFD {
	b := at(r.root, srl.BfdSubinterface).Entry(subinterface)
	if !b.Valid() || !enabled(b, srl.BfdSubinterfaceAdminState) {
		return nil
	}
	return &network.BFD{
		Transmit:   time.Duration(number(b, srl.BfdSubinterfaceDesiredMinimumTransmitInterval)) * time.Microsecond,
		Receive:    time.Duration(number(b, srl.BfdSubinterfaceRequiredMinimumReceive)) * time.Microsecond,
		Multiplier: int(number(b, srl.BfdSubinterfaceDetectionMultiplier)),
	}
}

// bfd writes the sessions of /bfd/network-instance.
func (w *writer) bfd() {
	before := at(w.before, srl.BfdNetworkInstance)
	for _, s := range w.state.BFD {
		was := at(before.Entry(s.Instance), srl.BfdNetworkInstancePeer).Entry(decimal(s.Discriminator))
		w.In(srl.BfdNetworkInstance, s.Instance, func() {
			w.In(srl.BfdNetworkInstancePeer, decimal(s.Discriminator), func() { w.bfdSession(s, was) })
		})
	}
}

func (w *writer) bfdSession(s network.BFDSession, before config.Cursor) {
	state := "DOWN"
	if s.Up {
		state = "UP"
	}
	failed := text(before, srl.BfdNetworkInstancePeerSessionState) == "UP" && !s.Up
	w.Str(srl.BfdNetworkInstancePeerLocalAddress, s.Local.WithZone("").String())
	w.Str(srl.BfdNetworkInstancePeerRemoteAddress, s.Remote.WithZone("").String())
	w.Str(srl.BfdNetworkInstancePeerSessionState, state)
	w.Str(srl.BfdNetworkInstancePeerLastStateTransition,
		w.since(before, srl.BfdNetworkInstancePeerSessionState, srl.BfdNetworkInstancePeerLastStateTransition, state))
	w.Uint(srl.BfdNetworkInstancePeerFailureTransitions, w.counted(before, srl.BfdNetworkInstancePeerFailureTransitions, failed))
	switch last := at(before, srl.BfdNetworkInstancePeerLastFailureTime); {
	case failed:
		w.Str(srl.BfdNetworkInstancePeerLastFailureTime, w.changed())
	case last.Valid():
		w.Str(srl.BfdNetworkInstancePeerLastFailureTime, last.Value())
	}
}
