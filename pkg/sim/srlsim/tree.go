package srlsim

import (
	"net/netip"
	"slices"
	"strconv"
	"strings"

	srl "github.com/loomfabric/loom/models/srlinux"
	"github.com/loomfabric/loom/pkg/config"
)

// How trees are read: by schema nodes, with defaults.
var (
	at      = srl.Schema.At
	has     = srl.Schema.Has
	text    = srl.Schema.Text
	texts   = srl.Schema.Texts
	yes     = srl.Schema.True
	number  = srl.Schema.Number
	entries = srl.Schema.Entries
)

func enabled(c config.Cursor, leaf config.ID) bool { return text(c, leaf) == "enable" }

func parseNumber(s string) uint64 {
	n, _ := strconv.ParseUint(s, 10, 64) // the schema has checked it
	return n
}

// local drops the module of an identity.
func local(identity string) string { return identity[strings.IndexByte(identity, ':')+1:] }

// parseAddr returns an address, the zero Addr for "".
func parseAddr(s string) netip.Addr {
	a, _ := netip.ParseAddr(s)
	return a
}

// key returns the only key of an entry.
func key(entry config.Cursor) string { return entry.Keys()[0] }

// sortBy sorts a slice by what name says of its elements.
func sortBy[T any](all []T, name func(T) string) []T {
	slices.SortFunc(all, func(a, b T) int { return strings.Compare(name(a), name(b)) })
	return all
}
