package light

import (
	"hash/fnv"
	"strconv"
	"time"

	"github.com/loomfabric/loom/pkg/optics"
	"github.com/loomfabric/loom/pkg/sim/network"
)

// How much readings scatter around what is there.
const (
	PowerScatter  = 0.05 // dB
	NoiseScatter  = 0.05 // dB, of ratios of signal to noise
	OffsetScatter = 20.0 // MHz
)

// Noise makes readings scatter. The zero Noise does not.
type Noise struct {
	Seed uint64 // 0: none
	Now  time.Time
}

// around returns a value near one: the same for the same name in the same second.
func (n Noise) around(name string, x, scatter float64) float64 {
	if n.Seed == 0 {
		return x
	}
	h := fnv.New64a()
	h.Write([]byte(name + strconv.FormatInt(n.Now.Unix(), 36)))
	return x + scatter*(2*share(h.Sum64()^n.Seed)-1)
}

// share spreads numbers evenly from 0 up to 1 (the finalizer of SplitMix64).
func share(x uint64) float64 {
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return float64((x^x>>31)>>11) / (1 << 53)
}

// Power is a reading of a power. What is dark stays so.
func (n Noise) Power(name string, p optics.DBm) optics.DBm {
	if p <= Dark {
		return Dark
	}
	return optics.DBm(n.around(name, float64(p), PowerScatter))
}

// Port is what a transceiver says of itself at a moment.
func (n Noise) Port(at network.End, p Port) Port {
	if n.Seed == 0 {
		return p
	}
	name := at.String()
	p.Output, p.Input, p.Total = n.Power(name+" out", p.Output), n.Power(name+" in", p.Input), n.Power(name+" all", p.Total)
	if !p.Measured() {
		return p
	}
	off := optics.DB(n.around(name+" noise", 0, NoiseScatter))
	p.Offset = n.around(name+" offset", p.Offset, OffsetScatter)
	p.OSNR, p.Margin = p.OSNR+off, p.Margin+off
	p.quality(p.ESNR + off + wider(p.Mode))
	return p
}
