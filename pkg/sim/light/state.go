package light

import (
	"github.com/loomfabric/loom/pkg/optics"
	"github.com/loomfabric/loom/pkg/sim/network"
)

// Dark is what is measured where there is no light, in dBm.
const Dark optics.DBm = -40

// State is what becomes of light. It is never changed once made.
type State struct {
	Ports      map[network.End]*Port            // of every terminal that has a transceiver
	Amplifiers map[Unit]Amplified               // of every amplifier of a line
	Media      map[string]map[uint32]optics.DBm // power in each media channel of a line system, by device and index
}

// Port is what a coherent transceiver sends and hears.
type Port struct {
	Laser
	Sends  bool
	Output optics.DBm  // Dark where it does not
	Total  optics.DBm  // of all that comes to the receiver; Dark where nothing does
	Input  optics.DBm  // of what it is tuned to; Dark where that does not come
	Hears  network.End // whose light that is; zero: nobody's
	Offset float64     // MHz, of what it hears from its own laser
	Locked bool        // it understands what it hears
	Why    string      // it does not: one of the reasons below, or of optics.Fails

	// Of what is heard in the receiver's own mode; zero where it hears nothing that it can demodulate.
	OSNR    optics.DB // in 0.1 nm
	ESNR    optics.DB // of the electrical signal: all noise and penalties, in the width of the signal
	Margin  optics.DB
	BER     float64 // before the FEC
	Q       optics.DB
	CD      float64 // ps/nm
	PMD     float64 // ps
	Latency float64 // one way, ms
}

// Why a receiver does not lock, beside too much noise and the like.
const (
	NoLight     = "no light"
	OffTune     = "frequency"
	OtherMode   = "mode"
	Collision   = "collision"
	SwitchedOff = "off"
)

// Measured tells whether the receiver can demodulate what it hears, well or badly.
func (p *Port) Measured() bool { return p.BER > 0 }

// Amplified is what an amplifier measures.
type Amplified struct {
	Input  optics.DBm // of all channels and noise; Dark where there is none
	Output optics.DBm // likewise, before what attenuates it
	Gain   optics.DB
}

// Up tells whether two terminals understand each other.
func (s *State) Up(a, b network.End) bool {
	if s == nil {
		return false
	}
	pa, pb := s.Ports[a], s.Ports[b]
	return pa != nil && pb != nil && pa.Locked && pb.Locked && pa.Hears == b && pb.Hears == a
}

// Peer is who understands a terminal and is understood by it; zero: nobody.
func (s *State) Peer(a network.End) network.End {
	if s == nil || s.Ports[a] == nil || !s.Up(a, s.Ports[a].Hears) {
		return network.End{}
	}
	return s.Ports[a].Hears
}
