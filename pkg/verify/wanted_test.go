package verify_test

import (
	"maps"
	"net/netip"
	"slices"
	"strings"
	"testing"

	"github.com/loomfabric/loom/pkg/verify"
)

// lose has a device neither asked for something nor show it.
func (w *world) lose(asked map[string]verify.Device, name string, how func(*verify.Device)) {
	for _, devices := range []map[string]verify.Device{asked, w.Devices} {
		d := devices[name]
		d.Interfaces, d.Tunnels, d.Segments, d.Sessions = maps.Clone(d.Interfaces), maps.Clone(d.Tunnels), maps.Clone(d.Segments), slices.Clone(d.Sessions)
		how(&d)
		devices[name] = d
	}
}

// noPeer takes the session with a peer away.
func noPeer(peer netip.Addr) func(*verify.Device) {
	return func(d *verify.Device) {
		d.Sessions = slices.DeleteFunc(d.Sessions, func(s verify.Session) bool { return s.Peer == peer })
		d.BFD = slices.DeleteFunc(slices.Clone(d.BFD), func(b verify.BFD) bool { return b.Peer == peer })
	}
}

// What is taken away on purpose, and what rests upon it alone, needs no answer; what else goes wrong does.
func TestWhatNobodyWantsAnyMoreNeedsNoAnswer(t *testing.T) {
	t.Parallel()
	lonely := func(w *world, asked map[string]verify.Device) { // leaf1 loses the overlay, and so its tunnels
		for _, spine := range []string{"spine1", "spine2"} {
			w.lose(asked, "leaf1", noPeer(w.design.Device(spine).Loopback))
			w.hang(spine, w.design.Device("leaf1").Loopback, idle)
		}
		w.forget("leaf1")
		w.change("leaf1", func(d *verify.Device) {
			for vni, tunnel := range d.Tunnels {
				tunnel.VTEPs = nil
				d.Tunnels[vni] = tunnel
			}
		})
	}
	bonded := func(w *world) (esi, label string) {
		lag := &w.design.Device("leaf1").LAGs[0]
		return lag.ESI, lag.ESName
	}
	for _, c := range []struct {
		name  string
		do    func(w *world, asked map[string]verify.Device)
		waits string
		want  string // what a finding says; "" for none
	}{
		{"nothing changes", func(*world, map[string]verify.Device) {}, "", ""},
		{"sessions go, and tunnels with them", lonely, "", ""},
		{"sessions go, and another falls", func(w *world, asked map[string]verify.Device) {
			lonely(w, asked)
			w.hang("leaf3", w.design.Device("spine1").Loopback, idle)
		}, "", "leaf3 - spine1 has no overlay session"},
		{"one session goes, and a tunnel falls all the same", func(w *world, asked map[string]verify.Device) {
			w.lose(asked, "leaf1", noPeer(w.design.Device("spine1").Loopback))
			w.forget("leaf1")
		}, "", "leaf1 - leaf3 has no tunnel"},
		{"a link goes with its session", func(w *world, asked map[string]verify.Device) {
			l := w.link("leaf1", 0)
			w.cut("leaf1", 0)
			w.lose(asked, "leaf1", func(d *verify.Device) { d.Interfaces[l.Port] = verify.Interface{} })
			w.hang("leaf1", w.design.Device("spine1").Loopback, func(s *verify.Session) { s.State = "established" })
			w.hang("spine1", w.design.Device("leaf1").Loopback, func(s *verify.Session) { s.State = "established" })
		}, "", ""},
		{"a segment goes from one leaf", func(w *world, asked map[string]verify.Device) {
			vni := w.design.Device("leaf1").Segments[0].VNI
			w.forget("leaf1")
			for _, s := range w.Devices["leaf2"].Segments {
				for name, e := range s.Elections {
					e.Forwarders = e.Candidates
					s.Elections[name] = e
				}
			}
			w.lose(asked, "leaf1", func(d *verify.Device) {
				delete(d.Tunnels, vni)
				for name := range d.Segments {
					s := d.Segments[name]
					s.Elections = nil
					d.Segments[name] = s
				}
			})
		}, "", ""},
		{"an ethernet segment goes from one leaf", func(w *world, asked map[string]verify.Device) {
			esi, label := bonded(w)
			w.lose(asked, "leaf1", func(d *verify.Device) { delete(d.Segments, label) })
			leaf2 := w.Devices["leaf2"]
			for _, s := range leaf2.Segments {
				if s.ESI == esi {
					for name, e := range s.Elections {
						e.Candidates = without(e.Candidates, w.design.Device("leaf1").Loopback)
						e.Forwarders = e.Candidates
						s.Elections[name] = e
					}
				}
			}
		}, "", ""},
		{"an ethernet segment loses an end that is asked for", func(w *world, asked map[string]verify.Device) {
			_, label := bonded(w)
			w.change("leaf1", func(d *verify.Device) { delete(d.Segments, label) })
		}, "", "is no whole ethernet segment: leaf1 does not have it"},
		{"a session comes back that the design does not have", func(w *world, asked map[string]verify.Device) {
			d := asked["leaf1"]
			d.Sessions = append(slices.Clone(d.Sessions), session(netip.MustParseAddr("10.9.0.1"), 64999, "ipv4-unicast"))
			asked["leaf1"] = d
			w.change("leaf1", func(d *verify.Device) { d.Sessions = slices.Clone(asked["leaf1"].Sessions) })
		}, "", ""},
		{"it comes back and stays down", astray, "", "10.9.0.1 - leaf1 has no underlay session: leaf1 says active"},
		{"it comes back before its other end", astray, "spine2", ""},
		{"tunnels begin and end elsewhere", func(w *world, asked map[string]verify.Device) {
			was, moved := w.design.Device("leaf3").Loopback, netip.MustParseAddr("10.1.99.9")
			for name, d := range asked {
				d.VTEP = w.design.Device(name).Loopback
				if name == "leaf3" {
					d.VTEP = moved
				}
				d.Sessions = slices.Clone(d.Sessions)
				for i := range d.Sessions {
					if d.Sessions[i].Peer == was {
						d.Sessions[i].Peer = moved
					}
				}
				asked[name] = d
			}
			for name, d := range w.Devices {
				d.Sessions = asked[name].Sessions
				for vni, tunnel := range d.Tunnels {
					if slices.Contains(tunnel.VTEPs, was) {
						tunnel.VTEPs = append(without(tunnel.VTEPs, was), moved)
						slices.SortFunc(tunnel.VTEPs, netip.Addr.Compare)
					}
					d.Tunnels[vni] = tunnel
				}
				for _, s := range d.Segments {
					for instance, e := range s.Elections {
						if slices.Contains(e.Candidates, was) {
							e.Candidates = append(without(e.Candidates, was), moved)
							e.Forwarders = e.Candidates[:1]
						}
						s.Elections[instance] = e
					}
				}
				w.Devices[name] = d
			}
		}, "", ""},
	} {
		w := newWorld(t, small)
		asked := healthy(w.design).Devices
		c.do(w, asked)
		x := verify.NewIndex(w.design).Wanting(asked)
		got := text(verify.New(nil, x.Check(w.Observed), func(name string) bool { return name == c.waits }))
		if c.want == "" && got != "" || !strings.Contains(got, c.want) {
			t.Errorf("%s: got %q, want %q", c.name, got, c.want)
		}
	}
}

// What a device lacks that is left as it is, the change does not make; what one lacks that changes, it does.
func TestAChangeMakesWhatItsOwnDevicesLack(t *testing.T) {
	t.Parallel()
	for changes, want := range map[string]string{"leaf1 spine1": "leaf1 - spine1 has no overlay session", "leaf1 leaf3": ""} {
		w := newWorld(t, small)
		asked := map[string]verify.Device{}
		for _, name := range strings.Fields(changes) {
			asked[name] = healthy(w.design).Devices[name]
		}
		w.change("spine1", noPeer(w.design.Device("leaf1").Loopback))
		w.hang("leaf1", w.design.Device("spine1").Loopback, idle)
		found := verify.NewIndex(w.design).Wanting(asked).Check(w.Observed)
		if got := text(verify.New(found, found, nil)); want == "" && got != "" || !strings.Contains(got, want) {
			t.Errorf("%s change: got %q, want %q", changes, got, want)
		}
	}
}

// astray asks leaf1 for a session that nobody answers.
func astray(w *world, asked map[string]verify.Device) {
	d := asked["leaf1"]
	d.Sessions = append(slices.Clone(d.Sessions), session(netip.MustParseAddr("10.9.0.1"), 64999, "ipv4-unicast"))
	asked["leaf1"] = d
	w.change("leaf1", func(d *verify.Device) { d.Sessions = slices.Clone(asked["leaf1"].Sessions) })
	w.hang("leaf1", netip.MustParseAddr("10.9.0.1"), idle)
}
