package optics

// Point is one place along a line.
type Point struct {
	At    Km     // of fibre, from the start
	Name  string // of the element that ends here: "launch", "fibre", "amplifier", "loss", "roadm"
	Power DBm    // of the mean channel
	Total DBm    // of all channels
	GSNR  DB     // of the channel that arrives worst, in 0.1 nm, with the noise of its transmitter and of the ROADMs at the ends: at last what its margin is made of
}

// Profile is what becomes of light along a line: a point before the first element, and one behind each; and the arrival of the channel that has
// the least margin of noise. In a fibre power falls in a straight line in dB.
func (l *Line) Profile(s Setting, channels []Carried) ([]Point, Arrival, error) {
	arrivals, err := l.Arrivals(s, channels)
	if err != nil {
		return nil, Arrival{}, err
	}
	worst := 0
	for i := range arrivals {
		if arrivals[i].Verdict.Margin < arrivals[worst].Verdict.Margin {
			worst = i
		}
	}
	p, err := NewPropagator(comb(channels))
	if err != nil {
		return nil, Arrival{}, err
	}
	elements, mode := l.Elements(s), channels[worst].Mode
	at := Km(0)
	out := []Point{{Name: "launch", Power: meanTx(channels), Total: total(channels), GSNR: DB(-toDB(1/mode.TxOSNR.linear() + l.Ends.noise()))}}
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
		out = append(out, Point{At: at, Name: name, Total: st.Total, Power: dbm(st.Total.watts() / float64(len(channels))), GSNR: mode.Judge(st.Light[worst], l.Ends).GSNR})
	})
	return out, arrivals[worst], err
}

func total(channels []Carried) DBm {
	sum := 0.0
	for _, c := range channels {
		sum += c.TxPower.watts()
	}
	return dbm(sum)
}
