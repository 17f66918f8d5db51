package srossim

import (
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"github.com/loomfabric/loom/models/sros"
	"github.com/loomfabric/loom/pkg/config"
)

// How trees are read: by schema nodes, with defaults.
var (
	at      = sros.Schema.At
	has     = sros.Schema.Has
	text    = sros.Schema.Text
	texts   = sros.Schema.Texts
	yes     = sros.Schema.True
	number  = sros.Schema.Number
	entries = sros.Schema.Entries
)

func enabled(c config.Cursor, leaf config.ID) bool { return text(c, leaf) == "enable" }

func parseNumber(s string) uint64 {
	n, _ := strconv.ParseUint(s, 10, 64) // the schema has checked it
	return n
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
