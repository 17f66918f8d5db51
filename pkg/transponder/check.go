package transponder

import (
	"errors"
	"fmt"
	"slices"

	"github.com/loomfabric/loom/pkg/config"
	"github.com/loomfabric/loom/pkg/fabric"
)

// check rejects what the models accept and a device cannot do: more clients than a channel carries, a client without
// a channel, and ports that cannot be told apart. fabric.Compile has looked at it for people; this is for designs that
// come another way.
func check(d *fabric.Device) error {
	var errs []error
	wrong := func(ref fabric.Ref, rule, format string, args ...any) {
		errs = append(errs, &config.CausedError{Cause: config.Cause{Ref: string(ref), Rule: rule}, Err: fmt.Errorf(format, args...)})
	}
	if d.Role != fabric.Transponder && d.Role != fabric.LineSystem {
		wrong(d.Ref, "role", "a %s cannot run %s; give it another platform", d.Role, OS)
	}
	left := map[string]int{}
	for i := range d.Light.Coherent {
		p := &d.Light.Coherent[i]
		if p.Mode == nil {
			wrong(p.Ref, "channel", "%s: no mode for %s", p.Port, p.Channel)
			continue
		}
		if ordinal(p.Port) == 0 {
			wrong(p.Ref, "channel", "%s: a line port is called line-N", p.Port)
		}
		left[p.Port] = p.Mode.Rate
	}
	for i := range d.Light.Clients {
		c := &d.Light.Clients[i]
		rate, there := left[c.Line]
		left[c.Line] = rate - c.Rate
		switch {
		case ordinal(c.Port) == 0:
			wrong(c.Ref, "client port", "%s: a client port is called client-N", c.Port)
		case !there:
			wrong(c.Ref, "client port", "%s: no channel at %s", c.Port, c.Line)
		case rate < c.Rate:
			wrong(c.Ref, "client port", "%s: %d Gb/s do not fit into what is left of %s, %d Gb/s", c.Port, c.Rate, c.Line, max(rate, 0))
		}
	}
	for i := range d.Light.Media {
		m := &d.Light.Media[i]
		if m.Index == 0 || m.Index >= firstDrop || m.Low >= m.High {
			wrong(m.Ref, "media channel", "%s: number %d, %d to %d MHz; the number is between 0 and %d, and the first frequency below the second", m.Channel, m.Index, m.Low, m.High, firstDrop)
		}
		if slices.ContainsFunc(d.Light.Media[:i], func(o fabric.MediaChannel) bool { return o.Low < m.High && m.Low < o.High }) {
			wrong(m.Ref, "media channel", "%s: %d to %d MHz overlaps another channel", m.Channel, m.Low, m.High)
		}
	}
	return errors.Join(errs...)
}
