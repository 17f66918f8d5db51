package speaker

import (
	"bytes"
	"cmp"
	"maps"
	"reflect"
	"slices"
	"sync/atomic"

	"github.com/loomfabric/loom/pkg/sim/network"
)

// routing is what all speakers have come to. It is never changed once made.
type routing struct{ views map[string]*view }

// view is what one speaker has come to.
type view struct {
	sessions []network.Session
	paths    map[network.Family][]network.Path
	counts   []map[network.Family]network.Counts // by session; without what is sent
	sent     []map[network.Family]int            // by session: what the neighbor has sent
	version  uint64
}

// versions are numbered through, so that one that comes again never looks like another.
var versions atomic.Uint64

// with returns a routing that has a new view. r is the one under construction, or nil, and shown the one before it.
func (r *routing) with(shown *routing, name string, v *view) *routing {
	if r == nil {
		r = &routing{views: maps.Clone(shown.views)}
	}
	v.version = versions.Add(1)
	before := r.views[name]
	r.views[name] = v
	for i := range v.sessions {
		if before == nil || i >= len(before.sent) || !maps.Equal(before.sent[i], v.sent[i]) {
			r.age(v.sessions[i].Remote)
		}
	}
	return r
}

// age gives a router a new version: what it has sent, its neighbor counts.
func (r *routing) age(name string) {
	if v := r.views[name]; v != nil {
		aged := *v
		aged.version = versions.Add(1)
		r.views[name] = &aged
	}
}

// Sessions implements network.Routing.
func (r *routing) Sessions(router string) []network.Session {
	if v := r.views[router]; v != nil {
		return v.sessions
	}
	return nil
}

// Paths implements network.Routing.
func (r *routing) Paths(router string, f network.Family) []network.Path {
	if v := r.views[router]; v != nil {
		return v.paths[f]
	}
	return nil
}

// Version implements network.Routing.
func (r *routing) Version(router string) uint64 {
	if v := r.views[router]; v != nil {
		return v.version
	}
	return 0
}

// Counts implements network.Routing. What was sent is what the neighbor has got: a speaker keeps no account of it, and
// the wire between them loses nothing.
func (r *routing) Counts(router string, session int, f network.Family) network.Counts {
	v := r.views[router]
	if v == nil || session < 0 || session >= len(v.counts) {
		return network.Counts{}
	}
	c := v.counts[session][f]
	s := &v.sessions[session]
	if far := r.views[s.Remote]; s.State == network.Established && far != nil && s.RemoteIndex >= 0 && s.RemoteIndex < len(far.sent) {
		c.Sent = far.sent[s.RemoteIndex][f]
	}
	return c
}

// same returns whether two views show the same.
func (v *view) same(w *view) bool {
	if !reflect.DeepEqual(v.sessions, w.sessions) || !reflect.DeepEqual(v.counts, w.counts) || !reflect.DeepEqual(v.sent, w.sent) {
		return false
	}
	for _, f := range allFamilies {
		if !slices.EqualFunc(v.paths[f], w.paths[f], samePath) {
			return false
		}
	}
	return true
}

func samePath(a, b network.Path) bool {
	return a.From == b.From && a.NextHop == b.NextHop && a.LocalPref == b.LocalPref && a.MED == b.MED &&
		a.Originator == b.Originator && a.Valid == b.Valid && a.Rejected == b.Rejected && a.Best == b.Best && a.Used == b.Used &&
		slices.Equal(a.ASPath, b.ASPath) && slices.Equal(a.Cluster, b.Cluster) && slices.Equal(a.Communities, b.Communities) &&
		(a.Route == b.Route || reflect.DeepEqual(a.Route, b.Route))
}

// compareNLRI orders routes.
func compareNLRI(a, b *network.NLRI) int {
	return cmp.Or(
		cmp.Compare(a.Family, b.Family), cmp.Compare(a.Type, b.Type), cmp.Compare(a.RD, b.RD),
		bytes.Compare(a.ESI[:], b.ESI[:]), cmp.Compare(a.Tag, b.Tag), bytes.Compare(a.MAC[:], b.MAC[:]),
		a.Prefix.Compare(b.Prefix))
}

// partial is the view of one router while it is made, as a routing.
type partial struct{ *view }

func (p partial) Sessions(string) []network.Session                     { return p.sessions }
func (p partial) Paths(_ string, f network.Family) []network.Path       { return p.paths[f] }
func (p partial) Counts(string, int, network.Family) (c network.Counts) { return c }
func (p partial) Version(string) uint64                                 { return 0 }
