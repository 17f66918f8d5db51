package optics

import "math"

// Point is one place along a line.
type Point struct {
	At    Km     // of fibre, from the start
	Name  string // of the element that ends here: "launch", "fibre", "amplifier", "loss", "roadm"
	Power DBm    // of the mean channel
	Total DBm    // of all channels
	GSNR  DB     // of the worst channel, in 0.1 nm, without the noise of its transmitter; infinite before the first noise
}

// Profile is what becomes of light along a line: a point before the first element, and one behind each. In a fibre power falls in a straight
// line in dB.
func (l *Line) Profile(s Setting, channels []Carried) ([]Point, error) {
	p, err := NewPropagator(comb(channels))
	if err != nil {
		return nil, err
	}
	elements := l.Elements(s)
	at := Km(0)
	out := []Point{{Name: "launch", Power: meanTx(channels), Total: total(channels), GSNR: DB(math.Inf(1))}}
	err = p.Run(elements, func(i int, st Stage) {
		name := "loss"
		switch e := elements[i].(type) {
		case Fiber:
			name = "fibre"
			at += e.Length
		case Amplifier:
			name = "amplifier"
		case Equalizer:
			name = "roadm"
		}
		worst := DB(math.Inf(1))
		for k, light := range st.Light {
			worst = min(worst, light.GSNR(channels[k].Mode.Baud))
		}
		out = append(out, Point{At: at, Name: name, Total: st.Total, Power: dbm(st.Total.watts() / float64(len(channels))), GSNR: worst})
	})
	return out, err
}

func total(channels []Carried) DBm {
	sum := 0.0
	for _, c := range channels {
		sum += c.TxPower.watts()
	}
	return dbm(sum)
}
