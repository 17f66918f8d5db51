package northbound

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/openconfig/gnmi/proto/gnmi"
)

// pathOf reads /a/b[k=v]/c.
func pathOf(text string) *gnmi.Path {
	p := &gnmi.Path{}
	for part := range strings.SplitSeq(strings.Trim(text, "/"), "/") {
		if part == "" {
			continue
		}
		name, keys, _ := strings.Cut(part, "[")
		e := &gnmi.PathElem{Name: name}
		if keys != "" {
			e.Key = map[string]string{}
			for pair := range strings.SplitSeq(strings.TrimSuffix(keys, "]"), "][") {
				k, v, _ := strings.Cut(pair, "=")
				e.Key[k] = v
			}
		}
		p.Elem = append(p.Elem, e)
	}
	return p
}

func number(v int64) *gnmi.TypedValue {
	return &gnmi.TypedValue{Value: &gnmi.TypedValue_IntVal{IntVal: v}}
}

func jsonOf(text string) *gnmi.TypedValue {
	return &gnmi.TypedValue{Value: &gnmi.TypedValue_JsonIetfVal{JsonIetfVal: []byte(text)}}
}

func said(at int64, path string, v *gnmi.TypedValue) *gnmi.Notification {
	return &gnmi.Notification{Timestamp: at, Update: []*gnmi.Update{{Path: pathOf(path), Val: v}}}
}

func unsaid(at int64, path string) *gnmi.Notification {
	return &gnmi.Notification{Timestamp: at, Delete: []*gnmi.Path{pathOf(path)}}
}

// onChange is a feed of everything, and a collector of it.
func feedOf(mode gnmi.SubscriptionMode) (*Feed, *Budget) {
	b := &Budget{Most: 1 << 30}
	return NewFeed("leaf1", &gnmi.Path{}, Source{Path: "/", Mode: mode}, b), b
}

func linked(f *Feed, i Interest) *Reader {
	r := NewReader(true)
	r.Link(f, "leaf1", i, false)
	r.Open()
	return r
}

// has tells whether there is something to be told.
func has(t *testing.T, r *Reader) bool {
	t.Helper()
	for len(r.left) == 0 && r.queue.Len() > 0 {
		if err := r.more(t.Context()); err != nil {
			return r.failure() != nil
		}
	}
	return len(r.left) > 0
}

// now is all that a collector can be told without waiting, one line for each leaf.
func now(t *testing.T, r *Reader) []string {
	t.Helper()
	var out []string
	for has(t, r) {
		resp, err := r.Next(t.Context())
		if err != nil {
			return append(out, "error: "+err.Error())
		}
		out = append(out, lines(resp)...)
	}
	return out
}

func lines(resp *gnmi.SubscribeResponse) (out []string) {
	n := resp.GetUpdate()
	if n == nil {
		return []string{"sync"}
	}
	prefix := ""
	if n.GetAtomic() {
		out = append(out, fmt.Sprintf("%d all of %s", n.GetTimestamp(), textOf(n.GetPrefix())))
		prefix = "  "
	}
	for _, d := range n.GetDelete() {
		out = append(out, fmt.Sprintf("%d -%s", n.GetTimestamp(), textOf(d)))
	}
	for _, u := range n.GetUpdate() {
		v := fmt.Sprint(u.GetVal().GetIntVal())
		if j := u.GetVal().GetJsonIetfVal(); j != nil {
			v = string(j)
		}
		line := fmt.Sprintf("%s%d %s=%s", prefix, n.GetTimestamp(), textOf(u.GetPath()), v)
		if u.GetDuplicates() > 0 {
			line += fmt.Sprintf(" (%d missed)", u.GetDuplicates())
		}
		out = append(out, line)
	}
	return out
}

func hear(t *testing.T, f *Feed, all ...*gnmi.Notification) {
	t.Helper()
	for _, n := range all {
		if err := f.Hear(n); err != nil {
			t.Fatal(err)
		}
	}
}

func TestWhatCollectorsAreTold(t *testing.T) {
	t.Parallel()
	const sample, change = gnmi.SubscriptionMode_SAMPLE, gnmi.SubscriptionMode_ON_CHANGE
	atomic := func(at int64, prefix string, updates ...*gnmi.Update) *gnmi.Notification {
		return &gnmi.Notification{Timestamp: at, Atomic: true, Prefix: pathOf(prefix), Update: updates}
	}
	one := func(path string, v int64) *gnmi.Update { return &gnmi.Update{Path: pathOf(path), Val: number(v)} }
	for name, c := range map[string]struct {
		mode gnmi.SubscriptionMode
		wish Interest
		do   func(f *Feed, tell func())
		want []string
	}{
		"what there is, a sync_response, and what changes": {change, Interest{}, func(f *Feed, tell func()) {
			f.Begin()
			hear(t, f, said(1, "/a", number(1)), said(1, "/b[k=x]/c", number(2)))
			f.Told(time.Unix(0, 2))
			tell()
			hear(t, f, said(3, "/a", number(3)))
		}, []string{"1 /a=1", "1 /b[k=x]/c=2", "sync", "3 /a=3"}},
		"a slow collector gets the last value, and how many it has missed": {change, Interest{}, func(f *Feed, tell func()) {
			f.Begin()
			f.Told(time.Unix(0, 0))
			hear(t, f, said(1, "/a", number(1)), said(2, "/a", number(2)), said(3, "/b", number(0)), said(4, "/a", number(3)))
		}, []string{"sync", "4 /a=3 (2 missed)", "3 /b=0"}},
		"a subtree that is deleted is told leaf by leaf": {change, Interest{}, func(f *Feed, tell func()) {
			f.Begin()
			hear(t, f, said(1, "/l[k=x]/c", number(1)), said(1, "/l[k=x]/d", number(2)), said(1, "/l[k=y]/c", number(2)))
			f.Told(time.Unix(0, 0))
			tell()
			hear(t, f, unsaid(2, "/l[k=x]"))
		}, []string{"1 /l[k=x]/c=1", "1 /l[k=x]/d=2", "1 /l[k=y]/c=2", "sync", "2 -/l[k=x]/c", "2 -/l[k=x]/d"}},
		"a path without keys deletes all entries": {change, Interest{}, func(f *Feed, tell func()) {
			f.Begin()
			hear(t, f, said(1, "/l[k=x]/c", number(1)), said(1, "/l[k=y]/d", number(2)))
			f.Told(time.Unix(0, 0))
			tell()
			hear(t, f, unsaid(2, "/l/c"))
		}, []string{"1 /l[k=x]/c=1", "1 /l[k=y]/d=2", "sync", "2 -/l[k=x]/c"}},
		"what is gone when a device is back is deleted, and what it says again is no news": {change, Interest{}, func(f *Feed, tell func()) {
			f.Begin()
			hear(t, f, said(1, "/a", number(1)), said(1, "/b", number(1)), said(1, "/c", number(1)))
			f.Told(time.Unix(0, 2))
			f.Lose()
			tell()
			f.Begin()
			hear(t, f, said(5, "/a", number(1)), said(5, "/c", number(2)))
			f.Told(time.Unix(0, 9))
		}, []string{"1 /a=1", "1 /b=1", "1 /c=1", "sync", "5 /c=2", "9 -/b"}},
		"a device that was never there holds nobody up": {change, Interest{}, func(f *Feed, tell func()) {
			f.Lose()
			tell()
			f.Begin()
			hear(t, f, said(5, "/a", number(1)))
			f.Told(time.Unix(0, 9))
		}, []string{"sync", "5 /a=1"}},
		"each sample is told": {sample, Interest{}, func(f *Feed, tell func()) {
			f.Begin()
			hear(t, f, said(1, "/a", number(1)))
			f.Told(time.Unix(0, 2))
			tell()
			hear(t, f, said(3, "/a", number(1)))
		}, []string{"1 /a=1", "sync", "3 /a=1"}},
		"a sample that says the same is redundant": {sample, Interest{Suppress: true}, func(f *Feed, tell func()) {
			f.Begin()
			hear(t, f, said(1, "/a", number(1)), said(1, "/b", number(1)))
			f.Told(time.Unix(0, 2))
			tell()
			hear(t, f, said(3, "/a", number(1)), said(3, "/b", number(2)))
		}, []string{"1 /a=1", "1 /b=1", "sync", "3 /b=2"}},
		"an object of JSON is its leaves, so that none is lost with the one before": {change, Interest{}, func(f *Feed, tell func()) {
			f.Begin()
			f.Told(time.Unix(0, 2))
			tell()
			hear(t, f, said(3, "/a", jsonOf(`{"m:x":1,"y":{"z":"q"},"l":[1,2],"p":{}}`)), said(4, "/a", jsonOf(`{"x":2}`)))
		}, []string{"sync", "3 /a/l=[1,2]", "4 /a/x=2 (1 missed)", "3 /a/p={}", `3 /a/y/z="q"`}},
		"what is told at once takes the place of what was there": {change, Interest{}, func(f *Feed, tell func()) {
			f.Begin()
			hear(t, f, said(1, "/a/b", number(1)), atomic(2, "/a", one("c", 2), one("d", 3)))
			f.Told(time.Unix(0, 2))
			tell()
			hear(t, f, atomic(3, "/a", one("c", 2)))
		}, []string{"2 -/a/b", "2 all of /a", "  2 /c=2", "  2 /d=3", "sync", "3 all of /a", "  3 /c=2"}},
		"what comes by itself leaves nothing at once": {change, Interest{}, func(f *Feed, tell func()) {
			f.Begin()
			hear(t, f, atomic(2, "/a", one("c", 2), one("d", 3)))
			f.Told(time.Unix(0, 2))
			tell()
			hear(t, f, said(3, "/a/e", number(4)))
		}, []string{"2 all of /a", "  2 /c=2", "  2 /d=3", "sync", "2 -/a", "2 /a/c=2", "2 /a/d=3", "3 /a/e=4", "2 /a/c=2", "2 /a/d=3", "3 /a/e=4"}},
		"what a device refuses ends who has named it": {change, Interest{}, func(f *Feed, tell func()) {
			f.Begin()
			f.Refuse(errors.New("no such path"))
		}, []string{"error: no such path"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f, _ := feedOf(c.mode)
			r := linked(f, c.wish)
			var got []string
			c.do(f, func() { got = append(got, now(t, r)...) })
			got = append(got, now(t, r)...)
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
			r.Close()
		})
	}
}

func TestAHeartbeatTellsAllAgain(t *testing.T) {
	t.Parallel()
	f, _ := feedOf(gnmi.SubscriptionMode_ON_CHANGE)
	r := linked(f, Interest{Heartbeat: time.Second})
	f.Begin()
	hear(t, f, said(1, "/a", number(1)))
	f.Told(time.Unix(0, 2))
	now(t, r)
	r.Beat(time.Second)
	r.Beat(time.Minute)
	if got := now(t, r); !slices.Equal(got, []string{"1 /a=1"}) {
		t.Errorf("told %q", got)
	}
	f.Lose()
	r.Beat(time.Second)
	if got := now(t, r); len(got) > 0 {
		t.Errorf("told %q of a device that is lost: nobody knows whether that is so", got)
	}
}

func TestWithUpdatesOnlyNothingIsToldThatWasThere(t *testing.T) {
	t.Parallel()
	f, _ := feedOf(gnmi.SubscriptionMode_ON_CHANGE)
	r := NewReader(true)
	r.Link(f, "leaf1", Interest{}, true)
	r.Open()
	f.Lose() // not there yet
	f.Begin()
	hear(t, f, said(1, "/a", number(1)))
	f.Told(time.Unix(0, 2))
	hear(t, f, said(3, "/a", number(2)))
	if got, want := now(t, r), []string{"sync", "3 /a=2"}; !slices.Equal(got, want) {
		t.Errorf("told %q, want %q", got, want)
	}
}

func TestAllDevicesTogether(t *testing.T) {
	t.Parallel()
	b := &Budget{Most: 1 << 20}
	feeds := map[string]*Feed{}
	r := NewReader(false)
	for _, name := range []string{"leaf1", "leaf2", "line1"} {
		feeds[name] = NewFeed(name, pathOf("/x"), Source{Path: "/x"}, b)
		r.Link(feeds[name], name, Interest{}, false)
	}
	r.Open()
	for _, name := range []string{"leaf1", "leaf2"} {
		feeds[name].Begin()
		hear(t, feeds[name], said(1, "/x", number(1)))
		if slices.Contains(now(t, r), "sync") {
			t.Fatalf("sync_response before %s has told all", name)
		}
		feeds[name].Told(time.Unix(0, 1))
	}
	feeds["line1"].Refuse(errors.New("no such path"))
	if got := now(t, r); !slices.Equal(got, []string{"sync"}) {
		t.Errorf("told %q, want a sync_response: one device has nothing of the kind", got)
	}
	r.Unlink(feeds["leaf2"], time.Unix(0, 7))
	if got := now(t, r); !slices.Equal(got, []string{"7 -/x"}) {
		t.Errorf("told %q of a device that was taken out", got)
	}
	hear(t, feeds["leaf2"], said(8, "/x", number(2)))
	if got := now(t, r); len(got) > 0 {
		t.Errorf("told %q of it afterwards", got)
	}
}

func TestWhatAllDevicesRefuseIsRefused(t *testing.T) {
	t.Parallel()
	r := NewReader(false)
	for _, name := range []string{"leaf1", "leaf2"} {
		f := NewFeed(name, pathOf("/x"), Source{Path: "/x"}, &Budget{})
		r.Link(f, name, Interest{}, false)
		defer f.Refuse(errors.New("no such path"))
		f.Refuse(errors.New("no such path"))
	}
	r.Open()
	if got, want := now(t, r), []string{"error: refused by all devices, as by no such path"}; !slices.Equal(got, want) {
		t.Errorf("told %q, want %q", got, want)
	}
}

func TestLimitsEndWhoHitsThemAndNobodyElse(t *testing.T) {
	t.Parallel()
	b := &Budget{Most: 10 * overhead}
	small, large := NewFeed("leaf1", pathOf("/x"), Source{Path: "/x"}, b), NewFeed("leaf2", pathOf("/x"), Source{Path: "/x"}, b)
	first, second := linked(small, Interest{}), linked(large, Interest{})
	hear(t, small, said(1, "/x", number(1)))
	var err error
	for i := 0; err == nil; i++ {
		if i > 10 {
			t.Fatal("no limit")
		}
		err = large.Hear(said(1, fmt.Sprintf("/x[k=%d]", i), number(1)))
	}
	if !errors.Is(err, ErrLimit) || !strings.Contains(err.Error(), "leaf2: /x") {
		t.Errorf("error %v does not name the limit and what has hit it", err)
	}
	if got := now(t, second); len(got) != 1 || !strings.HasPrefix(got[0], "error: leaf2") {
		t.Errorf("the collector is told %q", got)
	}
	if got := now(t, first); !slices.Equal(got, []string{"1 /x=1"}) {
		t.Errorf("the other one is told %q", got)
	}
	if small.End(errors.New("over")); b.Used() != 0 {
		t.Errorf("%d bytes are kept of nothing", b.Used())
	}
}

// device is what a collector should know: what was last said of each leaf.
type device struct {
	values map[string]string // by path
	times  map[string]int64
	whole  map[string]bool // prefixes of what was told at once
}

func newDevice() *device {
	return &device{map[string]string{}, map[string]int64{}, map[string]bool{}}
}

// take is how a client reads a notification (gNMI specification §2.1).
func (d *device) take(t *testing.T, n *gnmi.Notification) {
	t.Helper()
	within := func(path, p string) bool {
		return path == p || strings.HasPrefix(path, p+"/") || strings.HasPrefix(path, p+"[")
	}
	drop := func(p string) {
		maps.DeleteFunc(d.whole, func(path string, _ bool) bool { return within(path, p) })
		maps.DeleteFunc(d.values, func(path, _ string) bool { return within(path, p) })
	}
	prefix := n.GetPrefix().GetElem()
	at := func(p *gnmi.Path) string {
		return textOf(&gnmi.Path{Elem: append(slices.Clone(prefix), p.GetElem()...)})
	}
	for _, p := range n.GetDelete() {
		for path := range d.values { // with a part goes the whole (gNMI specification §2.1.1)
			for whole := range d.whole {
				if within(path, at(p)) && within(path, whole) {
					drop(whole)
				}
			}
		}
		drop(at(p))
	}
	if n.GetAtomic() {
		drop(at(nil))
	}
	for _, u := range n.GetUpdate() {
		maps.DeleteFunc(d.whole, func(whole string, _ bool) bool { return within(at(u.GetPath()), whole) })
	}
	if n.GetAtomic() {
		d.whole[at(nil)] = true
	}
	seen := map[string]bool{}
	for _, u := range n.GetUpdate() {
		path := at(u.GetPath())
		if seen[path] {
			t.Errorf("%s twice in one notification", path)
		}
		seen[path] = true
		if n.GetTimestamp() < d.times[path] {
			t.Errorf("%s: a value of %d after one of %d", path, n.GetTimestamp(), d.times[path])
		}
		d.values[path], d.times[path] = fmt.Sprint(u.GetVal()), n.GetTimestamp()
	}
}

// play has a device say what a script says, with collectors that come and read as they like, and holds them to what the device has.
func play(t *testing.T, script []byte) {
	mode := gnmi.SubscriptionMode_ON_CHANGE
	next := func() int {
		if len(script) == 0 {
			return 0
		}
		b := script[0]
		script = script[1:]
		return int(b)
	}
	if next()%4 == 0 {
		mode = gnmi.SubscriptionMode_SAMPLE
	}
	f, budget := feedOf(mode)
	truth := newDevice()
	type collector struct {
		*Reader
		knows *device
	}
	var collectors []*collector
	read := func(c *collector) {
		resp, err := c.Next(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if n := resp.GetUpdate(); n != nil {
			c.knows.take(t, n)
		}
	}
	paths := []string{"/a", "/a/b", "/a/b/c", "/l[k=1]/x", "/l[k=1]/y", "/l[k=2]/x", "/l[k=1]", "/l[k=2]", "/a/d"}
	f.Begin()
	stands := true
	for clock := int64(1); len(script) > 0; clock++ {
		var n *gnmi.Notification
		path := paths[next()%len(paths)]
		switch what := next() % 16; {
		case what < 6:
			n = said(clock, path, number(int64(next()%4)))
		case what < 8:
			n = unsaid(clock, path)
		case what == 8:
			n = &gnmi.Notification{Timestamp: clock, Atomic: true, Prefix: pathOf(path), Update: []*gnmi.Update{{Path: pathOf("p"), Val: number(clock)}}}
			if next()%2 == 0 {
				n.Update = append(n.Update, &gnmi.Update{Path: pathOf("q/r"), Val: number(clock)})
			}
		case what == 9:
			f.Told(time.Unix(0, clock))
		case what == 10 && stands:
			f.Lose()
			f.Begin()
			truth = newDevice() // what it has now it says again
			hear(t, f, said(clock, "/a/d", number(1)))
			truth.take(t, said(clock, "/a/d", number(1)))
			f.Told(time.Unix(0, clock))
		case what == 11 && len(collectors) < 4:
			r := linked(f, Interest{Suppress: next()%2 == 0, Heartbeat: time.Second})
			collectors = append(collectors, &collector{r, newDevice()})
		case what == 12 && len(collectors) > 0:
			collectors[next()%len(collectors)].Beat(time.Second)
		case len(collectors) > 0:
			if c := collectors[next()%len(collectors)]; has(t, c.Reader) {
				read(c)
			}
		}
		if n != nil {
			hear(t, f, n)
			truth.take(t, n)
		}
	}
	f.Told(time.Unix(0, 1<<40))
	for i, c := range collectors {
		for has(t, c.Reader) {
			read(c)
		}
		if diff := cmp.Diff(truth.values, c.knows.values); diff != "" {
			t.Errorf("collector %d: -device +collector:\n%s", i, diff)
		}
		c.Close()
	}
	for l := range maps.Values(f.roots) {
		l.each(func(l *leaf) {
			if l.gone || l.waiting != 0 {
				t.Errorf("%s: gone %t, in %d queues, and nobody is there", textOf(l.path), l.gone, l.waiting)
			}
		})
	}
	if f.End(context.Canceled); budget.Used() != 0 {
		t.Errorf("%d bytes are kept of nothing", budget.Used())
	}
}

// What a collector is told, and how many times it is told that it has missed something, is all that the device has said.
func TestNothingIsLostWithoutACount(t *testing.T) {
	t.Parallel()
	f, _ := feedOf(gnmi.SubscriptionMode_ON_CHANGE)
	r := linked(f, Interest{})
	f.Begin()
	f.Told(time.Unix(0, 0))
	random := rand.New(rand.NewPCG(1, 1))
	var heard, told, missed int
	for heard < 5000 {
		for range random.IntN(20) {
			heard++
			hear(t, f, said(int64(heard), fmt.Sprintf("/a[k=%d]", random.IntN(30)), number(int64(heard))))
		}
		for range random.IntN(3) {
			if !has(t, r) {
				break
			}
			resp, err := r.Next(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			for _, u := range resp.GetUpdate().GetUpdate() {
				told, missed = told+1, missed+int(u.GetDuplicates())
			}
		}
	}
	for has(t, r) {
		resp, err := r.Next(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		for _, u := range resp.GetUpdate().GetUpdate() {
			told, missed = told+1, missed+int(u.GetDuplicates())
		}
	}
	if heard != told+missed || missed == 0 {
		t.Errorf("heard %d, told %d, missed %d", heard, told, missed)
	}
}

func FuzzCollectorsKnowWhatTheDeviceHas(f *testing.F) {
	f.Add([]byte{1, 0, 11, 0, 0, 0, 1, 2, 8, 0, 1, 0, 2, 1, 2, 7})
	f.Fuzz(play)
}

func TestCollectorsKnowWhatTheDeviceHas(t *testing.T) {
	t.Parallel()
	for seed := range uint64(150) {
		r := rand.New(rand.NewPCG(seed, 1))
		script := make([]byte, 20+r.IntN(300))
		for i := range script {
			script[i] = byte(r.Uint32())
		}
		if play(t, script); t.Failed() {
			t.Fatalf("seed %d", seed)
		}
	}
}
