package topology

import (
	"fmt"
	"strconv"

	"go.yaml.in/yaml/v3"

	"github.com/loomfabric/loom/models/intent"
)

// pairs joins the leaves of a site that share ethernet segments.
func (p *parser) pairs(s *site) {
	leaves := map[uint32]*device{}
	for _, d := range s.devices {
		if d.out.Role == intent.Role_ROLE_LEAF && leaves[d.out.Number] == nil {
			leaves[d.out.Number] = d
		}
	}
	for _, in := range s.inner {
		if sp := in.roles[leafRole]; sp != nil && sp.given("pairs") {
			p.pairsOf(s, sp, leaves)
			break
		}
	}
	p.peers(s)
}

func (p *parser) pairsOf(s *site, sp *spec, leaves map[uint32]*device) {
	e := sp.get("pairs")
	switch {
	case e.value == nil:
	case e.value.Kind == yaml.SequenceNode:
		first := map[uint32]spot{}
		for _, n := range e.value.Content {
			p.pair(s, sp, e.source, n, leaves, first)
		}
	case p.checkFlag(&Key{Name: "pairs"}, sp.label, e) && e.value.Value == "true":
		for n, d := range leaves {
			if other := leaves[n+1]; n%2 == 1 && other != nil {
				d.out.Peer, other.out.Peer = other.out.Name, d.out.Name
			}
		}
	}
}

// pair joins the two leaves of one [1, 2].
func (p *parser) pair(s *site, sp *spec, source int32, n *yaml.Node, leaves map[uint32]*device, first map[uint32]spot) {
	thing := sp.name("pairs")
	numbers, ok := pairNumbers(n)
	if !ok {
		p.fault(spotOf(source, n), thing+": not a pair of two numbers", "write [[1, 2], [3, 4]]")
		return
	}
	for i, number := range numbers {
		at := spotOf(source, n.Content[i])
		if before, twice := first[number]; twice {
			p.fault(at, fmt.Sprintf("%s: leaf%d is in two pairs", thing, number), "a leaf has one partner", Note{p.pos(before), "first pair here"})
			return
		}
		first[number] = at
		if leaves[number] == nil && p.excused("leaf") {
			return
		}
		if leaves[number] == nil {
			p.fault(at, fmt.Sprintf("%s: no leaf has number %d", thing, number), "write a number that "+s.name()+" has")
			return
		}
	}
	a, b := leaves[numbers[0]], leaves[numbers[1]]
	a.out.Peer, b.out.Peer = b.out.Name, a.out.Name
}

func pairNumbers(n *yaml.Node) (pair [2]uint32, ok bool) {
	if n.Kind != yaml.SequenceNode || len(n.Content) != 2 {
		return pair, false
	}
	for i, c := range n.Content {
		if pair[i], ok = parseNumber(c.Value, 1, maxNumber); !ok || c.Kind != yaml.ScalarNode || c.Style != 0 {
			return pair, false
		}
	}
	return pair, pair[0] != pair[1]
}

func (s *site) name() string {
	if s.label == "" {
		return "the topology"
	}
	return "site " + s.label
}

// peers holds the pairs of listed devices together: both ends must say the same.
func (p *parser) peers(s *site) {
	byName := map[string]*device{}
	for _, d := range s.devices {
		byName[d.out.Name] = d
	}
	for _, d := range s.devices {
		peer := byName[d.out.Peer]
		switch {
		case d.out.Peer == "":
		case d.out.Role != intent.Role_ROLE_LEAF:
			p.fault(d.at("peer"), d.out.Name+": peer: a spine has none", "take it out")
		case peer == nil || peer.out.Role != intent.Role_ROLE_LEAF || peer == d:
			p.fault(d.at("peer"), d.out.Name+": peer: "+d.out.Peer+" is not another leaf of "+s.name(), "write the full name of a leaf")
		case peer.out.Peer != d.out.Name:
			p.fault(d.at("peer"), d.out.Name+": peer: "+peer.out.Name+" does not name it as its own peer", "add peer: "+d.out.Name+" to "+peer.out.Name,
				Note{p.pos(peer.place.at), peer.out.Name + " is declared here, number " + strconv.Itoa(int(peer.out.Number))})
		}
	}
}
