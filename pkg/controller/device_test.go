package controller

import (
	"fmt"
	"testing"
	"time"

	srl "github.com/loomfabric/loom/models/srlinux"
	"github.com/loomfabric/loom/pkg/config"
	"github.com/openconfig/gnmi/proto/gnmi"
	"pgregory.net/rapid"
)

var noon = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)

// tree is a configuration with the given MTU on each of some ports, by number.
func tree(t interface{ Fatal(...any) }, mtus map[int]int) *config.Tree {
	out := config.EmptyTree(srl.Schema, "25.3")
	for port, mtu := range mtus {
		out = with(t, out, port, mtu)
	}
	return out
}

func mtuPath(port int) config.Path {
	p, err := config.ParsePath(fmt.Sprintf("/interface[name=ethernet-1/%d]/mtu", port))
	if err != nil {
		panic(err)
	}
	return p
}

func mtuOf(port, mtu int) *gnmi.Update {
	return &gnmi.Update{Path: mtuPath(port).GNMI(), Val: &gnmi.TypedValue{Value: &gnmi.TypedValue_UintVal{UintVal: uint64(mtu)}}}
}

func with(t interface{ Fatal(...any) }, tree *config.Tree, port, mtu int) *config.Tree {
	out, err := config.Apply(tree, &gnmi.SetRequest{Replace: []*gnmi.Update{mtuOf(port, mtu)}})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// device is one that has what revision 1 intends: an MTU of 9000 on ports 1 to 3.
func device(t interface{ Fatal(...any) }) (*Device, *config.Tree) {
	want := tree(t, map[int]int{1: 9000, 2: 9000, 3: 9000})
	d := &Device{Name: "leaf1", Schema: srl.Schema, Owned: func(has, _ *config.Tree) *config.Tree { return has }}
	d.Want(Target{1, want}, noon)
	d.Connect(noon)
	d.Read(want, d.Ask(), noon)
	return d, want
}

// learns has a device look at what it has heard, and be read if that makes a difference: it has this.
func learns(d *Device, has *config.Tree) News {
	if n := d.Look(noon); !n.Empty() {
		return n
	}
	if d.Stale() {
		return d.Read(has, d.Ask(), noon)
	}
	return News{}
}

func TestWhereADeviceStands(t *testing.T) {
	t.Parallel()
	newer := tree(t, map[int]int{1: 9100, 2: 9000, 3: 9000})
	for _, c := range []struct {
		name    string
		do      func(d *Device)
		want    Status
		reason  string
		applied int64
	}{
		{"it was read and has what is intended", func(*Device) {}, InSync, "", 1},
		{"nobody has read it yet", func(d *Device) { d.Connect(noon) }, Syncing, "being read", 1},
		{"it does not answer", func(d *Device) { d.Lose("connection refused", noon) }, Unreachable, "connection refused", 1},
		{"it is another box", func(d *Device) { d.Refuse("is a 7220-IXR-D3", noon) }, Refused, "is a 7220-IXR-D3", 1},
		{"a transaction changes it", func(d *Device) { d.Begin("tx", noon) }, Applying, "transaction tx", 1},
		{"a transaction left it behind", func(d *Device) { d.Leave("half", noon); d.End(noon) }, Failed, "half", 1},
		{"somebody changed it", func(d *Device) {
			d.Hear(&gnmi.Notification{Update: []*gnmi.Update{mtuOf(1, 1500)}})
			learns(d, with(t, d.desired.Tree, 1, 1500))
		}, Drifted, "1 thing that nobody intended, first /interface[name=ethernet-1/1]/mtu", 1},
		{"something else is intended now", func(d *Device) { d.Want(Target{2, newer}, noon) }, Pending, "revision 2 is intended, and it has what 1 intended", 1},
		{"what is intended now is no concern of it", func(d *Device) { d.Want(Target{2, d.desired.Tree}, noon) }, InSync, "", 2},
		{"it has what is intended now, whoever did that", func(d *Device) { d.Want(Target{2, newer}, noon); d.Read(newer, d.Ask(), noon) }, InSync, "", 2},
		{"an older revision is told of late", func(d *Device) { d.Want(Target{2, d.desired.Tree}, noon); d.Want(Target{1, newer}, noon) }, InSync, "", 2},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			d, _ := device(t)
			c.do(d)
			if s := d.Standing(); s.Status != c.want || s.Reason != c.reason || s.Applied != c.applied {
				t.Errorf("stands %s (%s) at revision %d; want %s (%s) at %d", s.Status, s.Reason, s.Applied, c.want, c.reason, c.applied)
			}
		})
	}
}

func TestADriftIsToldOnceWithItsPathAndValue(t *testing.T) {
	t.Parallel()
	d, want := device(t)
	for _, mtu := range []int{1500, 1600, 1700} {
		d.Hear(&gnmi.Notification{Update: []*gnmi.Update{mtuOf(2, mtu)}})
	}
	n := learns(d, with(t, want, 2, 1700))
	if len(n.Came) != 1 || n.Came[0].Path != mtuPath(2).String() || n.Came[0].Intended != "9000" || n.Came[0].Has != "1700" {
		t.Errorf("came %+v; want one, of port 2, 9000 intended and 1700 there", n.Came)
	}
	if again := learns(d, with(t, want, 2, 1700)); !again.Empty() {
		t.Errorf("told again: %+v", again)
	}
	d.Hear(&gnmi.Notification{Update: []*gnmi.Update{mtuOf(2, 9000)}})
	if n := learns(d, want); len(n.Gone) != 1 || len(n.Came) != 0 {
		t.Errorf("as intended again: %+v; want one that is gone", n)
	}
	if d.Received != d.Reported+d.Coalesced || d.Unheard != 0 {
		t.Errorf("%d received, %d reported, %d coalesced, %d unheard; the second and third do not make the first", d.Received, d.Reported, d.Coalesced, d.Unheard)
	}
}

// Between the end of a transaction and the reading behind it nobody knows what the device has: what it had before is no drift.
func TestWhatATransactionChangesIsNoDrift(t *testing.T) {
	t.Parallel()
	newer := tree(t, map[int]int{1: 9100, 2: 9000, 3: 9000})
	for _, c := range []struct {
		name   string
		reader func(d *Device, old *config.Tree) // somebody who reads the device meanwhile
	}{
		{"nobody reads it meanwhile", func(*Device, *config.Tree) {}},
		{"an answer from before it comes behind its end", func(d *Device, old *config.Tree) { d.Read(old, d.renewed-1, noon) }},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			d, old := device(t)
			d.Want(Target{2, newer}, noon)
			told := d.Begin("tx", noon)
			d.Hear(&gnmi.Notification{Update: []*gnmi.Update{mtuOf(1, 9100)}})
			told.Came = append(told.Came, d.Look(noon).Came...)
			told.Came = append(told.Came, d.Have(Target{2, newer}, noon).Came...)
			told.Came = append(told.Came, d.End(noon).Came...)
			c.reader(d, old)
			told.Came = append(told.Came, d.Read(newer, d.Ask(), noon).Came...)
			if len(told.Came) > 0 || d.Standing().Status != InSync || d.Reported != 0 {
				t.Errorf("told %v, stands %s; want nothing, in sync", told.Came, d.Standing().Status)
			}
		})
	}
}

// What a reading finds before the device tells of it is counted once.
func TestADriftThatIsReadBeforeItIsHeardIsCountedOnce(t *testing.T) {
	t.Parallel()
	d, want := device(t)
	has := with(t, want, 2, 1500)
	d.Read(has, d.Ask(), noon)
	if d.Unheard != 1 || d.Reported != 1 {
		t.Fatalf("%d unheard, %d reported; want 1 and 1", d.Unheard, d.Reported)
	}
	d.Hear(&gnmi.Notification{Update: []*gnmi.Update{mtuOf(2, 1500)}})
	if n := learns(d, has); !n.Empty() || d.Unheard != 0 || d.Received != 1 || d.Coalesced != 0 {
		t.Errorf("%+v: %d received, %d coalesced, %d unheard; want it to be the one that was reported", n, d.Received, d.Coalesced, d.Unheard)
	}
}

func TestADeletionTakesWhatCameBeforeIt(t *testing.T) {
	t.Parallel()
	whole, err := config.ParsePath("/interface[name=ethernet-1/1]")
	if err != nil {
		t.Fatal(err)
	}
	var b inbox
	for _, n := range []*gnmi.Notification{
		{Update: []*gnmi.Update{mtuOf(1, 1500)}}, {Delete: []*gnmi.Path{whole.GNMI()}}, {Update: []*gnmi.Update{mtuOf(1, 1600)}}, {Update: []*gnmi.Update{mtuOf(1, 1700)}},
	} {
		if _, err := b.take(srl.Schema, n); err != nil {
			t.Fatal(err)
		}
	}
	got, err := b.onto(tree(t, map[int]int{1: 9000}))
	if err != nil {
		t.Fatal(err)
	}
	if want := tree(t, map[int]int{1: 1700}); !config.Equal(got, want) || b.received != 4 {
		t.Errorf("%d leaves come to %s, want 4 that come to %s", b.received, got.AppendJSON(nil, false), want.AppendJSON(nil, false))
	}
}

// What is told by the keys of configuration and is none costs a reading, and is no drift.
func TestWhatOnlyLooksLikeConfigurationIsNoDrift(t *testing.T) {
	t.Parallel()
	d, want := device(t)
	d.Hear(&gnmi.Notification{Update: []*gnmi.Update{mtuOf(7, 1500)}})
	if n := learns(d, want); !n.Empty() || d.Standing().Status != InSync || d.Received != d.Coalesced {
		t.Errorf("%+v, stands %s, %d of %d coalesced; want nothing new", n, d.Standing().Status, d.Coalesced, d.Received)
	}
}

// Whatever of its notifications is lost, a device that is read in the end stands where it is.
func TestLostNotificationsDelayAndLoseNothing(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		d, has := device(t)
		for range rapid.IntRange(0, 30).Draw(t, "events") {
			port, mtu := rapid.IntRange(1, 3).Draw(t, "port"), rapid.SampledFrom([]int{1500, 9000, 9100}).Draw(t, "mtu")
			switch rapid.IntRange(0, 6).Draw(t, "event") {
			case 0, 1, 2: // it changes
				has = with(t, has, port, mtu)
				if rapid.Bool().Draw(t, "heard") {
					d.Hear(&gnmi.Notification{Update: []*gnmi.Update{mtuOf(port, mtu)}})
				}
			case 3:
				d.Look(noon)
			case 4:
				d.Lose("reset", noon)
				d.Connect(noon)
			case 5:
				asked := d.Ask()
				was := has
				if rapid.Bool().Draw(t, "changes while it is read") {
					has = with(t, has, port, mtu)
					d.Hear(&gnmi.Notification{Update: []*gnmi.Update{mtuOf(port, mtu)}})
				}
				d.Read(was, asked, noon)
			case 6:
				d.Begin("tx", noon)
				d.End(noon)
			}
		}
		d.Look(noon)
		d.Read(has, d.Ask(), noon) // the reading that comes now and then
		if d.Received+d.Unheard != d.Reported+d.Coalesced {
			t.Fatalf("%d received, %d unheard, %d reported, %d coalesced: some are counted twice, or not at all", d.Received, d.Unheard, d.Reported, d.Coalesced)
		}
		found := drifts(d.Name, d.applied.Tree, has, noon)
		if got := d.Standing().Drifts; fmt.Sprint(got) != fmt.Sprint(found) {
			t.Fatalf("told %v, and there is %v", got, found)
		}
		want := InSync
		if len(found) > 0 {
			want = Drifted
		}
		if got := d.Standing().Status; got != want {
			t.Fatalf("stands %s, want %s", got, want)
		}
	})
}

func TestMemoryStaysBoundedWhateverADeviceSays(t *testing.T) {
	t.Parallel()
	d, _ := device(t)
	for port := range 3 * mostHeard {
		d.Hear(&gnmi.Notification{Update: []*gnmi.Update{mtuOf(port, 1500)}})
		if len(d.heard.steps) > mostHeard+1 {
			t.Fatalf("%d things are kept, and %d is the limit", len(d.heard.steps), mostHeard)
		}
	}
	if !d.Stale() {
		t.Error("what was dropped is not read")
	}
}

func TestSomeDriftsAreTakenBackAndOthersKept(t *testing.T) {
	t.Parallel()
	_, want := device(t)
	has := with(t, with(t, with(t, want, 1, 1500), 2, 1500), 9, 1500)
	keep := driftID("leaf1", mtuPath(2).String())
	var ids []string
	for _, d := range drifts("leaf1", want, has, noon) {
		if d.ID != keep {
			ids = append(ids, d.ID)
		}
	}
	got, err := Without(has, want, ids, "leaf1")
	if err != nil {
		t.Fatal(err)
	}
	if left := drifts("leaf1", want, got, noon); len(left) != 1 || left[0].ID != keep {
		t.Errorf("left %v; want that of port 2 alone", left)
	}
}
