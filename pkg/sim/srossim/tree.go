package srossim

import (
	"iter"
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"github.com/loomfabric/loom/models/sros"
	"github.com/loomfabric/loom/pkg/config"
)

// at returns the node below c that has a schema node, with nothing but containers in between; the zero Cursor
// where there is none.
func at(c config.Cursor, id config.ID) config.Cursor {
	if !c.Valid() || id == config.Root {
		return config.Cursor{}
	}
	if parent := sros.Schema.Nodes[id].Parent; parent != c.ID() {
		c = at(c, parent)
	}
	return c.Child(id)
}

// entries yields the entries of a list below c.
func entries(c config.Cursor, list config.ID) iter.Seq[config.Cursor] { return at(c, list).Children() }

// text returns the value of a leaf, its default where it is absent.
func text(c config.Cursor, leaf config.ID) string {
	if found := at(c, leaf); found.Valid() {
		return found.Value()
	}
	return sros.Schema.Nodes[leaf].Default
}

func has(c config.Cursor, id config.ID) bool { return at(c, id).Valid() }

func enabled(c config.Cursor, leaf config.ID) bool { return text(c, leaf) == "enable" }

func yes(c config.Cursor, leaf config.ID) bool { return text(c, leaf) == "true" }

// number returns the value of a numeric leaf, 0 where it has neither value nor default.
func number(c config.Cursor, leaf config.ID) uint64 { return parseNumber(text(c, leaf)) }

func parseNumber(s string) uint64 {
	n, _ := strconv.ParseUint(s, 10, 64) // the schema has checked it
	return n
}

// texts returns the values of a leaf-list in their order.
func texts(c config.Cursor, list config.ID) (out []string) {
	for v := range at(c, list).Children() {
		out = append(out, v.Value())
	}
	return out
}

// parseAddr returns an address, the zero Addr for "".
func parseAddr(s string) netip.Addr {
	a, _ := netip.ParseAddr(s)
	return a
}

// key returns the first key of an entry.
func key(entry config.Cursor) string { return entry.Keys()[0] }

// sortBy sorts a slice by what name says of its elements.
func sortBy[T any](all []T, name func(T) string) []T {
	slices.SortFunc(all, func(a, b T) int { return strings.Compare(name(a), name(b)) })
	return all
}

func decimal(n uint32) string { return strconv.FormatUint(uint64(n), 10) }
