// Package replica shares work among the processes that run on one store.
//
// The rule that matters most: who does something follows from who is there and from nothing else. So all come to the same without a
// word between them, and who comes or goes moves its own share only.
package replica

import (
	"slices"
	"strings"
	"time"
)

// Member is a process that is there.
type Member struct {
	Name    string    `json:"name"`    // unique among all
	Address string    `json:"address"` // host:port at which the others reach it by gRPC
	Version string    `json:"version"` // of the program
	Since   time.Time `json:"since"`   // it has run
}

// Owner is the member whom a piece of work falls to, by the highest random weight (Thaler and Ravishankar, "A name-based mapping scheme
// for rendezvous", 1996); empty: there is no member. The order of members means nothing.
func Owner(work string, members []Member) string {
	var owner string
	var most uint64
	for _, m := range members {
		w := weight(m.Name, work)
		if owner == "" || w > most || w == most && m.Name < owner {
			owner, most = m.Name, w
		}
	}
	return owner
}

// Find is the member of a name.
func Find(members []Member, name string) (Member, bool) {
	i := slices.IndexFunc(members, func(m Member) bool { return m.Name == name })
	if i < 0 {
		return Member{}, false
	}
	return members[i], true
}

// Sort sorts members by name.
func Sort(members []Member) {
	slices.SortFunc(members, func(a, b Member) int { return strings.Compare(a.Name, b.Name) })
}

// weight is FNV-1a of both names, mixed well: names differ in few bits (the finalizer of SplitMix64, Steele, Lea and Flood 2014).
// Programs of all releases have to come to the same.
func weight(member, work string) uint64 {
	h := uint64(14695981039346656037)
	for _, text := range []string{member, "\x00", work} {
		for i := range len(text) {
			h = (h ^ uint64(text[i])) * 1099511628211
		}
	}
	h = (h ^ h>>30) * 0xbf58476d1ce4e5b9
	h = (h ^ h>>27) * 0x94d049bb133111eb
	return h ^ h>>31
}
