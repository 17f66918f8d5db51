package fabric

import (
	"fmt"
	"net/netip"
	"slices"

	"github.com/loomfabric/loom/models/hardware"
	"github.com/loomfabric/loom/models/intent"
)

// station is a device that carries no packets: a transponder, or what stands at one place of a line.
type station struct {
	name        string
	siteName    string // "" in a hut
	role        Role
	number      uint32
	ref         Ref
	platform    *hardware.Platform // nil where it is unknown
	release     string
	labels      []string
	fingerprint string
	given       string // management address in the intent
	management  netip.Addr
	unused      bool // its ports that nothing uses are to be disabled
	raw         []int32
	light       Light

	site  *site // of a transponder
	line  *line // of a line system
	place int   // along it
}

func (d *draft) addTransponder(s *site, in *intent.Device, ref Ref) {
	t := &station{
		name: in.GetName(), siteName: s.in.GetName(), role: Transponder, number: in.GetNumber(), ref: ref, labels: in.GetLabels(),
		fingerprint: in.GetFingerprint(), given: in.GetManagement(), unused: in.GetUnusedPorts() == intent.UnusedPorts_UNUSED_PORTS_DISABLED, site: s,
	}
	d.name(t.name, ref)
	if t.platform = d.platform(ref, t.name, in.GetPlatform(), hardware.Transponder); t.platform != nil {
		t.release = in.GetRelease()
		if t.release == "" {
			t.release = t.platform.Newest()
		}
		if _, ok := t.platform.Releases[t.release]; !ok {
			d.report.failEach(ref+"#release", t.name, fmt.Sprintf("no release %s for %s", t.release, t.platform.Name), "leave it out")
		}
	}
	s.boxes = append(s.boxes, t)
}

// station returns the station with the given name, or nil.
func (d *draft) station(name string) *station {
	for _, s := range d.stations {
		if s.name == name {
			return s
		}
	}
	return nil
}

// firstHut is where the numbers of huts begin in the management network of a line: the ends are 1 and 2, so that they
// have the same addresses on every line.
const firstHut = 10

// numberStation gives a station its management address.
func (d *draft) numberStation(s *station) {
	if s.given != "" {
		addr, err := netip.ParseAddr(s.given)
		if err != nil {
			d.report.fail(s.ref+"#management", s.name+": management "+s.given+": not an address", "")
		}
		s.management = addr
		return
	}
	prefix, number := netip.Prefix{}, s.number
	switch {
	case s.site != nil:
		prefix = s.site.management
	case s.line.in.GetManagement() != "":
		prefix = d.prefix(s.line.ref+"#management", s.line.in.GetManagement())
		switch s.place {
		case 0:
			number = 1
		case len(s.line.places) - 1:
			number = 2
		default:
			number = firstHut + uint32(s.place)
		}
	}
	if !prefix.IsValid() {
		return
	}
	addr, ok := derivedManagement(prefix, s.role, number)
	if !ok {
		d.report.failEach(s.ref+"#management", s.name, fmt.Sprintf("no management address: %s is exhausted", prefix), "use a shorter prefix or give management")
		return
	}
	s.management = addr
}

// decide makes the device of a station. Whatever it reads is part of the station's digest.
func (s *station) decide(d *draft) func() *Device {
	return func() *Device {
		out := &Device{
			Name: s.name, Topology: d.in.GetName(), Site: s.siteName, Role: s.role, Number: s.number, Platform: s.platform, Release: s.release, OS: s.platform.OS,
			Labels: s.labels, Management: s.management, Fingerprint: s.fingerprint, Group: s.group(), Ref: s.ref, Raw: d.rawLeaves(s.raw), Light: s.light,
		}
		if s.unused {
			out.Unused = s.spare()
		}
		return out
	}
}

// spare are the ports that nothing uses.
func (s *station) spare() []hardware.Port {
	used := func(p hardware.Port) bool {
		return slices.ContainsFunc(s.light.Clients, func(c ClientPort) bool { return c.Port == p.Name }) ||
			slices.ContainsFunc(s.light.Coherent, func(c CoherentPort) bool { return c.Port == p.Name })
	}
	return slices.DeleteFunc(slices.Clone(s.platform.Ports), used)
}

// group names the devices that must never change together with this one: the transponders of a site; and all of the lines that join the
// same two sites, for one of them may carry what another has lost.
func (s *station) group() string {
	if s.line == nil {
		return s.siteName + "/transponders"
	}
	low, high := s.line.a, s.line.b
	if high.in.GetNumber() < low.in.GetNumber() {
		low, high = high, low
	}
	return "lines/" + low.in.GetName() + "-" + high.in.GetName()
}
