package driver

// How fast light may come, in hundredths of a dB. Amplifiers share their pumps between the channels of a line: one that
// comes at once takes from the others until they have settled.
const (
	LaserDepth = 600 // so far below its power a laser comes on, if its mode goes down so far
	LaserStep  = 300
)

// Ramp are the powers that a laser has on the way from one to another, without both ends, in hundredths of a dBm.
// Less light, and more by no more than a step, is made at once.
func Ramp(from, to int) (out []int) {
	for now := from + LaserStep; now < to; now += LaserStep {
		out = append(out, now)
	}
	return out
}
