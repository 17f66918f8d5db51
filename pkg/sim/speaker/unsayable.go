package speaker

import (
	"fmt"
	"slices"

	"github.com/loomfabric/loom/pkg/sim/network"
)

// Unsayable names what of a router's policies no speaker can be told, sorted; nil where all can. A network with such a
// router cannot be run by speakers: what its policies do would be something else than what it has configured. It looks at
// policies that neighbors of the default instance have, whether these are there or not.
func (*Network) Unsayable(r *network.Router) []string {
	in := defaultInstance(r)
	if in == nil || in.BGP == nil {
		return nil
	}
	c := &compiler{router: r, book: &ruleBook{}}
	for _, n := range in.BGP.Neighbors {
		c.try(n)
	}
	for _, d := range in.BGP.Dynamic {
		c.try(d.Template)
	}
	slices.Sort(c.notes)
	return slices.Compact(c.notes)
}

// try compiles what is for a neighbor for the sake of the notes.
func (c *compiler) try(n network.Neighbor) {
	if n.Enabled {
		s := &network.Session{Neighbor: &n}
		c.chain(s, s.Import, inward)
		c.chain(s, s.Export, outward)
	}
}

func (t *translation) note(what string) {
	t.notes = append(t.notes, fmt.Sprintf("policy %s: %s", t.policy, what))
}
