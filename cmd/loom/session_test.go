package main

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/loomfabric/loom/pkg/config"
	"github.com/loomfabric/loom/pkg/fabric"
	"github.com/openconfig/gnmi/proto/gnmi"
)

// sessionWatch is what a client hears over gNMI about the BGP sessions of a network.
type sessionWatch struct {
	mu      sync.Mutex
	state   map[session]string
	changes map[session]int // since the last forget
	news    chan struct{}   // gets a value after something was heard
}

// watchSessions subscribes to the sessions of all devices, on change.
func (f *fleet) watchSessions(t *testing.T) *sessionWatch {
	t.Helper()
	r, err := newResolver(fabric.Login{}, f.sim.Inventory())
	if err != nil {
		t.Fatal(err)
	}
	names, _, err := selectDevices(f.design, "")
	if err != nil {
		t.Fatal(err)
	}
	devices, err := connect(t.Context(), f.n, r, names)
	if err != nil {
		t.Fatal(err)
	}
	w := &sessionWatch{state: map[session]string{}, changes: map[session]int{}, news: make(chan struct{}, 1)}
	ctx, stop := context.WithCancel(t.Context())
	var streams sync.WaitGroup
	t.Cleanup(func() { stop(); streams.Wait(); closeAll(devices) })
	path := mustPath("/network-instance[name=default]/protocols/bgp/neighbor[peer-address=*]/session-state")
	for name, d := range devices {
		streams.Go(func() {
			if err := d.Subscribe(ctx, []config.Path{path}, gnmi.SubscriptionList_STREAM, func(n *gnmi.Notification) { w.hear(name, n) }); err != nil {
				t.Error(err)
			}
		})
	}
	return w
}

func (w *sessionWatch) hear(device string, n *gnmi.Notification) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, p := range n.GetDelete() {
		if peer, ok := peerOf(p); ok {
			w.changes[session{device, peer}]++
			delete(w.state, session{device, peer})
		}
	}
	for _, u := range n.GetUpdate() {
		if peer, ok := peerOf(u.GetPath()); ok {
			w.changes[session{device, peer}]++
			w.state[session{device, peer}] = strings.Trim(string(u.GetVal().GetJsonIetfVal()), `"`)
		}
	}
	select {
	case w.news <- struct{}{}:
	default:
	}
}

// peerOf is the neighbor that a path is about.
func peerOf(p *gnmi.Path) (peer string, ok bool) {
	for _, e := range p.GetElem() {
		if e.GetName() == "neighbor" {
			return e.GetKey()["peer-address"], true
		}
	}
	return "", false
}

// until waits until a check has nothing to complain of.
func (w *sessionWatch) until(t *testing.T, check func() string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), liveTime)
	defer cancel()
	for {
		w.mu.Lock()
		complaint := check()
		w.mu.Unlock()
		if complaint == "" {
			return
		}
		select {
		case <-w.news:
		case <-ctx.Done():
			t.Fatal(complaint)
		}
	}
}

// all complains where not every session of a design is established.
func (w *sessionWatch) all(design *fabric.Design) func() string {
	want := 0
	for _, d := range design.Devices {
		want += len(d.Links) + len(d.Overlay.Neighbors)
	}
	return func() string {
		up := 0
		for _, state := range w.state {
			if state == "established" {
				up++
			}
		}
		if up != want || len(w.state) != want {
			return fmt.Sprintf("%d of %d sessions are established, %d are there", up, want, len(w.state))
		}
		return ""
	}
}

// forget forgets what has changed.
func (w *sessionWatch) forget() {
	w.mu.Lock()
	defer w.mu.Unlock()
	clear(w.changes)
}

// A wrong AS number, set by hand on one device, ends that session and no other, as a gNMI client hears it; with the right
// one it comes back.
func TestAWrongASBreaksExactlyItsSession(t *testing.T) {
	f := newFleet(t, "split", bgpLive) // small: see smallTopologies
	f.configure(t)
	w := f.watchSessions(t)
	w.until(t, w.all(f.design))
	if err := f.until(t.Context(), liveTime, f.incomplete); err != nil {
		t.Fatal(err) // an EVPN route that nobody got
	}
	const spine, leaf = "spine2", "leaf3"
	ends := map[session]bool{{spine, f.design.Device(leaf).Loopback.String()}: true, {leaf, f.design.Device(spine).Loopback.String()}: true}
	peerAS := "/network-instance[name=default]/protocols/bgp/neighbor[peer-address=" + f.design.Device(leaf).Loopback.String() + "]/peer-as"

	w.forget()
	f.hand(t, spine, peerAS, "64999")
	w.until(t, func() string {
		for s := range ends {
			if w.state[s] == "established" {
				return fmt.Sprintf("%v is established", s)
			}
		}
		return ""
	})
	f.hand(t, spine, peerAS, "65000")
	w.until(t, w.all(f.design))
	w.mu.Lock()
	defer w.mu.Unlock()
	for s, n := range w.changes {
		if !ends[s] {
			t.Errorf("%v changed %d times", s, n)
		}
	}
	for s := range ends {
		if w.changes[s] == 0 {
			t.Errorf("%v never changed", s)
		}
	}
}

// On a link the peer refuses the OPEN, and says why (RFC 4271 §6.2).
func TestAWrongASOnALinkIsRefusedWithItsCode(t *testing.T) {
	f := newFleet(t, "two-sites.yaml", bgpLive)
	f.configure(t)
	w := f.watchSessions(t)
	w.until(t, w.all(f.design))
	var spine *fabric.Device
	for _, d := range f.design.Devices {
		if d.Role == fabric.Spine && !d.Underlay.Unnumbered {
			spine = d
		}
	}
	if spine == nil {
		t.Fatal("no spine with numbered links")
	}
	at := "/network-instance[name=default]/protocols/bgp/neighbor[peer-address=" + spine.Links[0].Peer.String() + "]"
	f.hand(t, spine.Name, at+"/peer-as", "64999")
	err := f.until(t.Context(), liveTime, func() string {
		code := f.leaf(spine.Name, at+"/sent-messages/last-notification-error-code")
		subcode := f.leaf(spine.Name, at+"/sent-messages/last-notification-error-subcode")
		if state := f.leaf(spine.Name, at+"/session-state"); state == "established" || code != "Open Message Error" || subcode != "Bad Peer As" {
			return fmt.Sprintf("%s, sent NOTIFICATION %q, %q", state, code, subcode)
		}
		return ""
	})
	if err != nil {
		t.Fatal(err)
	}
}
