package controller

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/loomfabric/loom/pkg/verify"
)

// Finding is one difference between what is designed and what is observed, and since when it is there.
type Finding struct {
	verify.Finding           // ID is unique in a topology
	Topology       string    `json:"topology"`
	Place          string    `json:"at,omitempty"` // file:line:column
	Since          time.Time `json:"since"`
	Said           time.Time `json:"said"` // when what it says was last kept
}

// FindingNews is what has changed about the findings of a topology.
type FindingNews struct {
	Came     []Finding // with what causes them before them
	Changed  []Finding // their severity, ends or place
	Reworded []Finding // only what they say, as numbers that are measured, or what explains them
	Gone     []Finding
	// Again is when to look again though nothing is heard; zero: not at all.
	Again time.Time
}

// Empty tells whether nothing has changed.
func (n *FindingNews) Empty() bool {
	return len(n.Came)+len(n.Changed)+len(n.Reworded)+len(n.Gone) == 0
}

// How findings are held back.
const (
	// settling is how long something has to be seen before it is told: two ends of one thing are read up to half a second apart.
	settling = 500 * time.Millisecond
	// What a finding says may change with each reading, as a power does. It is kept as often as doubles its age, within these.
	soonestWords = 2 * time.Second
	latestWords  = time.Minute
)

// Findings are what is wrong in one topology: a fold over what is found. It holds no clock, store or connection.
//
// What was found stays until the devices that it is about were observed without it: a controller that starts, a device that a
// transaction changes and one that does not answer take nothing away. Nor do they bring anything.
type Findings struct {
	Topology string
	kept     map[string]Finding
	fresh    map[string]time.Time // since when something is found that is not told yet, by ID
}

// Restore takes what was kept by an earlier run.
func (s *Findings) Restore(kept []Finding) {
	s.kept = make(map[string]Finding, len(kept))
	for _, f := range kept {
		s.kept[f.ID] = f
	}
}

// Sight is how far a device is known.
type Sight int

// How far a device is known.
const (
	Unseen  Sight = iota // it was not observed since it may have changed
	Seen                 // as it is
	Silent               // it does not answer
	Aside                // nobody wants to hear of it: it is maintained
	Foreign              // the design does not have it
)

// Look tells what is new, where found is everything that differs now. Keep takes it over, once it is kept.
func (s *Findings) Look(found []verify.Finding, place func(verify.Finding) string, sight func(device string) Sight, now time.Time) FindingNews {
	var out FindingNews
	here := s.told(found, sight)
	fresh := map[string]time.Time{}
	is := func(id string) bool { // told from now on
		_, was := s.kept[id]
		since, known := s.fresh[id]
		return here[id] != leftOut && was || here[id] == told && known && now.Sub(since) >= settling
	}
	for i := range found {
		f, verdict := found[i], here[found[i].ID]
		before, was := s.kept[f.ID]
		switch {
		case verdict == leftOut || verdict == unsure:
			continue
		case !was:
			since, known := s.fresh[f.ID]
			if !known {
				since = now
			}
			fresh[f.ID] = since
			if now.Sub(since) < settling {
				out.again(since.Add(settling))
				continue
			}
			out.Came = append(out.Came, Finding{explained(f, is), s.Topology, place(f), since, now})
		default:
			s.compare(&out, before, Finding{explained(f, is), s.Topology, place(f), before.Since, now})
		}
	}
	s.fresh = fresh
	for id, f := range s.kept {
		if verdict, found := here[id]; (!found || verdict == leftOut) && !held(&f, sight) {
			out.Gone = append(out.Gone, f)
		}
	}
	slices.SortFunc(out.Gone, func(a, b Finding) int { return cmp.Compare(a.ID, b.ID) })
	return out
}

// Keep takes over what is kept now.
func (s *Findings) Keep(n FindingNews) {
	if s.kept == nil {
		s.kept = map[string]Finding{}
	}
	for _, f := range slices.Concat(n.Came, n.Changed, n.Reworded) {
		s.kept[f.ID] = f
		delete(s.fresh, f.ID)
	}
	for _, f := range n.Gone {
		delete(s.kept, f.ID)
	}
}

// Kinds are how many findings are kept of each kind.
func (s *Findings) Kinds() map[verify.Kind]int {
	out := map[verify.Kind]int{}
	for _, f := range s.kept {
		out[f.Kind]++
	}
	return out
}

func (n *FindingNews) again(t time.Time) {
	if n.Again.IsZero() || t.Before(n.Again) {
		n.Again = t
	}
}

// compare tells what is new about a finding that is there already.
func (s *Findings) compare(out *FindingNews, before, after Finding) {
	words := before.Said.Add(min(max(before.Said.Sub(before.Since), soonestWords), latestWords))
	switch {
	case before.Severity != after.Severity || before.Place != after.Place || before.Ref != after.Ref || !slices.Equal(before.Devices, after.Devices):
		out.Changed = append(out.Changed, after)
	case !slices.Equal(before.Causes, after.Causes):
		out.Reworded = append(out.Reworded, after)
	case before.Message == after.Message:
	case after.Said.Before(words):
		out.again(words)
	default:
		out.Reworded = append(out.Reworded, after)
	}
}

// verdict is what becomes of a finding.
type verdict int

const (
	leftOut verdict = iota // nobody wants to hear of it
	unsure                 // it may be of a moment that is over
	told
)

// told judges findings, by their ID: what follows only from what is left out, or unsure, is so too.
func (s *Findings) told(found []verify.Finding, sight func(string) Sight) map[string]verdict {
	roots := map[string][]string{}
	for _, g := range verify.Groups(found) {
		for _, id := range g.Takes {
			roots[id] = append(roots[id], g.ID)
		}
	}
	alone := make(map[string]verdict, len(found))
	for i := range found {
		alone[found[i].ID] = judged(&found[i], sight)
	}
	out := make(map[string]verdict, len(found))
	for id, v := range alone {
		best := leftOut
		for _, root := range roots[id] {
			best = max(best, alone[root])
		}
		if len(roots[id]) > 0 && v == told {
			v = best
		}
		out[id] = v
	}
	for i := range found { // to be known of is not to be wrong
		if found[i].Severity == verify.Notice {
			out[found[i].ID] = leftOut
		}
	}
	return out
}

func judged(f *verify.Finding, sight func(string) Sight) verdict {
	out := told
	if f.Withdrawn {
		return leftOut
	}
	for _, name := range append(slices.Clone(f.Devices), f.Perhaps...) {
		switch sight(name) {
		case Aside:
			return leftOut
		case Unseen:
			out = unsure
		}
	}
	return out
}

// held tells whether a finding that was not found stays: nobody knows it to be over.
func held(f *Finding, sight func(string) Sight) bool {
	answers := f.Kind == verify.DeviceUnreachable
	for _, name := range f.Devices {
		switch sight(name) {
		case Aside, Foreign:
			return false
		case Unseen:
			return true
		case Seen:
			answers = true
		}
	}
	return !answers
}

// explained is a finding with those of its causes that are told.
func explained(f verify.Finding, is func(id string) bool) verify.Finding {
	f.Causes = slices.DeleteFunc(slices.Clone(f.Causes), func(id string) bool { return !is(id) })
	return f
}

// SortFindings sorts findings by topology, causes before what they explain.
func SortFindings(all []Finding) {
	slices.SortFunc(all, func(a, b Finding) int { return cmp.Compare(a.Key(), b.Key()) })
}

// Key is the place of a finding among all.
func (f *Finding) Key() string {
	return f.Topology + "\x00" + string(rune('A'+f.Kind.Rank())) + f.ID
}

// Parts are news in parts of some findings each, those that came first.
func (n *FindingNews) Parts(size int) []FindingNews {
	var out []FindingNews
	add := func(all []Finding, to func(*FindingNews) *[]Finding) {
		for part := range slices.Chunk(all, size) {
			var p FindingNews
			*to(&p) = part
			out = append(out, p)
		}
	}
	add(n.Came, func(p *FindingNews) *[]Finding { return &p.Came })
	add(n.Changed, func(p *FindingNews) *[]Finding { return &p.Changed })
	add(n.Reworded, func(p *FindingNews) *[]Finding { return &p.Reworded })
	add(n.Gone, func(p *FindingNews) *[]Finding { return &p.Gone })
	return out
}

// Events tell of news. Other words are none.
func (n *FindingNews) Events(now time.Time) []Event {
	var out []Event
	add := func(f *Finding, message string) {
		e := Event{At: now.UTC(), Kind: FindingEvent, Topology: f.Topology, Subject: f.ID, Message: message}
		if len(f.Devices) > 0 {
			e.Device = f.Devices[0]
		}
		out = append(out, e)
	}
	for _, list := range [][]Finding{n.Came, n.Changed} {
		for i := range list {
			add(&list[i], list[i].Severity.String()+": "+list[i].Message)
		}
	}
	for i := range n.Gone {
		f := &n.Gone[i]
		add(f, fmt.Sprintf("%s of %s is over after %s", f.Kind, f.Object, now.Sub(f.Since).Round(time.Second)))
	}
	return out
}

// A token of findings is a revision of the store that keeps them, and a place among those of that revision. LastOfRevision is behind
// all of them.
const LastOfRevision = 1<<8 - 1

// FindingToken is the token of a place.
func FindingToken(revision int64, place int) int64 { return revision<<8 | int64(place) }

// FindingRevision is the revision from which on to watch behind a token.
func FindingRevision(token int64) int64 {
	if token&LastOfRevision == LastOfRevision {
		return token>>8 + 1
	}
	return token >> 8
}

// FindingNamed is a finding of which nothing is left but its name: "TOPOLOGY/KIND/OBJECT".
func FindingNamed(name string) Finding {
	topology, id, _ := strings.Cut(name, "/")
	kind, object, _ := strings.Cut(id, "/")
	return Finding{Topology: topology, Finding: verify.Finding{ID: id, Kind: verify.Kind(kind), Object: object}}
}
