package main

import (
	"context"
	"fmt"
	"reflect"
	"slices"
	"time"

	"github.com/loomfabric/loom/pkg/config"
	"github.com/loomfabric/loom/pkg/fabric"
	"github.com/loomfabric/loom/pkg/sim"
	plant "github.com/loomfabric/loom/pkg/sim/network"
)

// watched is a simulated network, looked at against the design that it was made from.
type watched struct {
	design *fabric.Design
	sim    *sim.Sim
	wiring *plant.Wiring
}

// until waits until a check has nothing to complain of. It looks whenever a device shows something new.
func (w *watched) until(ctx context.Context, within time.Duration, check func() string) error {
	ctx, cancel := context.WithTimeout(ctx, within)
	defer cancel()
	for {
		news := []reflect.SelectCase{{Dir: reflect.SelectRecv, Chan: reflect.ValueOf(ctx.Done())}}
		for _, d := range w.sim.Devices() {
			_, changed := d.View(false)
			news = append(news, reflect.SelectCase{Dir: reflect.SelectRecv, Chan: reflect.ValueOf(changed)})
		}
		complaint := check()
		if complaint == "" {
			return nil
		}
		if i, _, _ := reflect.Select(news); i == 0 {
			return fmt.Errorf("after %v: %s", within, complaint)
		}
	}
}

// leaf is the value of a leaf that a device shows, "" where it shows none.
func (w *watched) leaf(device, path string) string {
	view, _ := w.sim.Device(device).View(false)
	c := view.Find(mustPath(path))
	if !c.Valid() {
		return ""
	}
	return c.Value()
}

func mustPath(path string) config.Path {
	p, err := config.ParsePath(path)
	if err != nil {
		panic(err) // the paths are ours
	}
	return p
}

// session is a BGP session of one device.
type session struct{ device, peer string }

// sessions returns the state of every BGP session in the network.
func (w *watched) sessions() map[session]string {
	out := map[session]string{}
	for _, d := range w.design.Devices {
		view, _ := w.sim.Device(d.Name).View(false)
		for _, s := range drivers[d.OS].Observe(view, d).Sessions {
			out[session{d.Name, s.Peer.String()}] = s.State
		}
	}
	return out
}

// missingSession complains of a session of the design that is not established.
func (w *watched) missingSession() string {
	count := map[string]int{}
	for s, state := range w.sessions() {
		if state != "established" {
			return fmt.Sprintf("%s: BGP session with %s is %s", s.device, s.peer, state)
		}
		count[s.device]++
	}
	for _, d := range w.design.Devices {
		if want := sessionsOf(d); count[d.Name] != want {
			return fmt.Sprintf("%s: %d BGP sessions of %d", d.Name, count[d.Name], want)
		}
	}
	return ""
}

// sessionsOf is how many BGP sessions a device has by the design. None runs over a trunk.
func sessionsOf(d *fabric.Device) int {
	count := len(d.Overlay.Neighbors) + len(d.WAN.Neighbors)
	for i := range d.Links {
		if d.Links[i].Trunk == "" {
			count++
		}
	}
	return count
}

// server is where a server talks in a segment: what every leaf with the segment has to know.
type talker struct {
	host, leaf, segment string
	mac                 plant.MAC
}

// talkers returns what all servers of the network say.
func (w *watched) talkers() []talker {
	at := map[string]plant.End{} // a router's port for each server
	for _, c := range w.wiring.Cables {
		at[c.A.Device], at[c.B.Device] = c.B, c.A
	}
	var out []talker
	for _, h := range w.wiring.Hosts {
		leaf := w.design.Device(at[h.Name].Device)
		if leaf == nil {
			continue
		}
		for _, a := range h.Addresses {
			out = append(out, talker{h.Name, leaf.Name, segmentAt(leaf, at[h.Name].Port, uint32(a.VLAN)), a.MAC})
		}
	}
	return out
}

// segmentAt returns the key of the segment that frames with a tag belong to at a port.
func segmentAt(d *fabric.Device, port string, vlan uint32) string {
	for _, p := range d.Ports {
		subs := p.Subs
		if lag := lagOf(d, p.LAG); lag != nil {
			subs = lag.Subs
		}
		for _, s := range subs {
			if p.Port == port && s.VLAN == vlan {
				return s.Segment
			}
		}
	}
	return ""
}

// unknownServer complains of a server that a leaf does not know in a segment that it has.
func (w *watched) unknownServer() string {
	for _, h := range w.talkers() {
		for _, d := range w.design.Devices {
			i := slices.IndexFunc(d.Segments, func(s fabric.MACVRF) bool { return s.Key == h.segment })
			if i < 0 {
				continue
			}
			if w.leaf(d.Name, fmt.Sprintf("/network-instance[name=%s]/bridge-table/mac-table/mac[address=%s]/type", d.Segments[i].Name, h.mac)) == "" {
				return fmt.Sprintf("%s does not know %s of %s at %s, in %s", d.Name, h.mac, h.host, h.leaf, h.segment)
			}
		}
	}
	return ""
}

// incomplete complains of whatever of the design has not come up.
func (w *watched) incomplete() string {
	if complaint := w.missingSession(); complaint != "" {
		return complaint
	}
	return w.unknownServer()
}

// comingUp is how long a simulated network may take for what it has to do.
const comingUp = 2 * time.Minute

// watch looks at the simulated network against a design.
func (d *demo) watch(n *network) *watched {
	return &watched{n.design, d.sim, wiring(d.after.design, d.how.hosts)}
}

// comeUp waits until every session of the design stands and every leaf knows every server.
func (d *demo) comeUp(ctx context.Context) error {
	w := d.watch(d.before)
	if err := w.until(ctx, comingUp, w.incomplete); err != nil {
		return err
	}
	d.holds("%s stand", sizes(len(w.sessions())/2, "BGP session"))
	d.holds("every leaf knows the servers of its segments, %d addresses in all", len(w.talkers()))
	return nil
}

// mistype changes the AS number that a spine expects of a leaf, and waits until their session is down. No other
// session may have moved.
func (d *demo) mistype(ctx context.Context) error {
	w := d.watch(d.after)
	if err := w.until(ctx, comingUp, w.incomplete); err != nil {
		return err
	}
	before := w.established()
	spine, leaf, path, value := d.wrongAS()
	d.t.printf("   %s %s = %s\n", spine, path, value)
	if err := d.byHand(spine, path, value); err != nil {
		return err
	}
	var down []session
	complaint := func() string {
		down = down[:0]
		for s, state := range w.sessions() {
			if state != "established" {
				down = append(down, s)
			}
		}
		if len(down) < 2 {
			return fmt.Sprintf("the session of %s and %s stands with a wrong AS number", spine, leaf)
		}
		return ""
	}
	if err := w.until(ctx, comingUp, complaint); err != nil {
		return err
	}
	for _, s := range down {
		if s.device != spine && s.device != leaf || len(down) > 2 {
			return fmt.Errorf("down are %v; it should be the session of %s and %s only", down, spine, leaf)
		}
	}
	for s, times := range w.established() {
		if !slices.Contains(down, s) && times != before[s] {
			return fmt.Errorf("the session of %s with %s came up again, and should not have moved", s.device, s.peer)
		}
	}
	d.holds("the session of %s and %s is down; %d others have not moved", spine, leaf, len(before)/2-1)
	return nil
}

// established returns how often each session has come up.
func (w *watched) established() map[session]string {
	out := map[session]string{}
	for s := range w.sessions() {
		out[s] = w.leaf(s.device, "/network-instance[name=default]/protocols/bgp/neighbor[peer-address="+s.peer+"]/established-transitions")
	}
	return out
}

// wrongAS is where a spine says which AS number it expects of a leaf in the overlay, and a wrong one. Nothing
// else depends on that session: on one of the underlay the overlay would, where there is no other way.
func (d *demo) wrongAS() (spine, leaf, path, value string) {
	for _, x := range d.before.design.Devices {
		if x.Role == fabric.Spine && len(x.Overlay.Neighbors) > 0 {
			n := x.Overlay.Neighbors[0]
			return x.Name, n.Name, "/network-instance[name=default]/protocols/bgp/neighbor[peer-address=" + n.Addr.String() + "]/peer-as", "64999"
		}
	}
	panic("a design without spines has no overlay")
}

// cutCable cuts the first cable of a leaf, and waits until what ran over it is down and everything else as before.
func (d *demo) cutCable(ctx context.Context) error {
	w := d.watch(d.after)
	if err := w.until(ctx, comingUp, w.incomplete); err != nil {
		return err
	}
	name, _ := d.victim()
	leaf := d.after.design.Device(name)
	if len(leaf.Links) < 2 {
		d.holds("%s has one uplink only: no cable is cut", name)
		return nil
	}
	cable := name + ":" + leaf.Links[0].Port
	if err := d.sim.Cut(cable, true); err != nil {
		return err
	}
	if err := w.until(ctx, comingUp, func() string {
		if state := w.leaf(name, "/interface[name="+leaf.Links[0].Port+"]/oper-state"); state != "down" {
			return fmt.Sprintf("%s is %s without its cable", cable, state)
		}
		for s, state := range w.sessions() {
			if state != "established" && s.device != name && s.device != leaf.Links[0].PeerName {
				return fmt.Sprintf("%s: session with %s is %s", s.device, s.peer, state)
			}
		}
		return w.unknownServer()
	}); err != nil {
		return err
	}
	d.holds("%s is down with what ran over it; nobody else lost a session, and every server is known", cable)
	if err := d.sim.Cut(cable, false); err != nil {
		return err
	}
	if err := w.until(ctx, comingUp, w.incomplete); err != nil {
		return err
	}
	d.holds("mended: all sessions are back")
	return nil
}
