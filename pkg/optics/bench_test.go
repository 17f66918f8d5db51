package optics

import (
	"fmt"
	"testing"
)

// equalComb is n channels of OpenZR+ 400G, so far apart.
func equalComb(n int, spacing float64, power DBm) []Channel {
	out := make([]Channel, n)
	for i := range out {
		out[i] = Channel{Frequency: THz(191.4 + float64(i)*spacing*1e-3), Baud: 60.138546798, TxPower: power}
	}
	return out
}

// amplified is a line of so many spans of 80 km, each a little longer than the one before, with an amplifier that makes up for each.
func amplified(spans int) []Element {
	line := []Element{Loss{6}, Amplifier{Gain: 6, NoiseFigure: 5.5, MaxOutput: 23}}
	for i := range spans {
		f := Fiber{Length: Km(80 + i), Loss: []LossAt{{PerKm: 0.2}}, ConnectorIn: 0.5, ConnectorOut: 0.5, Dispersion: 16.7, Area: 83, PMD: 0.04}
		line = append(line, f, Amplifier{Gain: f.TotalLoss(193.1), NoiseFigure: 5.5, MaxOutput: 23})
	}
	return append(line, Loss{6})
}

func BenchmarkPropagate(b *testing.B) {
	for _, c := range []struct {
		channels, spans int
		spacing         float64
	}{{64, 6, 75}, {96, 10, 50}} {
		channels, line := equalComb(c.channels, c.spacing, 0), amplified(c.spans)
		if c.spacing < 60 {
			for i := range channels {
				channels[i].Baud = 30.069273399
			}
		}
		b.Run(fmt.Sprintf("%d_channels_%d_spans", c.channels, c.spans), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				p, err := NewPropagator(channels)
				if err == nil {
					err = p.Run(line, nil)
				}
				if err != nil {
					b.Fatal(err)
				}
			}
		})
		b.Run(fmt.Sprintf("%d_channels_%d_spans_again", c.channels, c.spans), func(b *testing.B) {
			p, err := NewPropagator(channels)
			if err != nil {
				b.Fatal(err)
			}
			b.ReportAllocs()
			for b.Loop() {
				if err := p.Run(line, nil); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
