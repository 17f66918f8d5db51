package plan

import (
	"fmt"
	"strings"

	"github.com/loomfabric/loom/pkg/config"
)

// socket is where the cord of a channel is plugged in.
type socket struct {
	device, port string
	at           config.Cursor // what says so
}

// end is a channel at one site.
type end struct{ site, channel string }

// cordsMove: a channel is to be found in another port, of the same device or of another one at its site, than it is
// plugged into. No device can move it there.
func (s *search) cordsMove() []Risk {
	was, is := map[end]socket{}, map[end]socket{}
	var order []end
	for i := range s.plan.Devices {
		j := s.judge(&s.plan.Devices[i])
		order = append(order, j.sockets(j.d.Before, was)...)
		j.sockets(j.d.After, is)
	}
	var out []Risk
	for _, e := range order {
		from, to := was[e], is[e]
		if to.device == "" || from.device == to.device && from.port == to.port {
			continue
		}
		origin := from.port
		if from.device != to.device {
			origin += " of " + from.device
		}
		out = append(out, Risk{
			Device: to.device, Path: to.at.Path().String(), Why: "the channel is dark until somebody has, and the gate takes the change back if that takes longer than --gate",
			Change: fmt.Sprintf("move the cord of %s from %s to %s at %s", e.channel, origin, to.port, e.site),
		})
	}
	return out
}

// sockets adds where channels are plugged into the device of a judge with some configuration, and returns which.
func (j *judge) sockets(t *config.Tree, into map[end]socket) (found []end) {
	for _, p := range j.g.Plugged {
		for _, c := range nodes(t, j.path(p.List)) {
			channel, mine := strings.CutSuffix(deep(c, p.Channel).Value(), p.Suffix)
			port := deep(c, p.Port).Value()
			if !mine || !strings.HasPrefix(port, p.Prefix) {
				continue
			}
			e := end{j.d.Site, channel}
			into[e] = socket{j.d.Name, port, c}
			found = append(found, e)
		}
	}
	return found
}
