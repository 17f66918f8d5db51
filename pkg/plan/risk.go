package plan

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"github.com/loomfabric/loom/pkg/config"
	"github.com/loomfabric/loom/pkg/driver"
)

// RisksVersion counts up when the checks, or what they look for, change. It is part of a plan's
// hash, so that an approval does not outlive the checks that it was given on.
const RisksVersion = 4

// DefaultMaxDevices is how many devices a plan may change without approval of ManyDevices.
const DefaultMaxDevices = 50

// Class is a kind of risk. A plan that has one is carried out only if its class is approved by name.
type Class string

// The classes.
const (
	GuardRemoved   Class = "guard-removed"
	MatchAll       Class = "match-all"
	TermOrder      Class = "term-order"
	LastUplink     Class = "last-uplink"
	LastSession    Class = "last-session"
	RouteReflector Class = "route-reflector"
	ManagementPath Class = "management-path"
	Stitch         Class = "stitch"
	Renumber       Class = "renumber"
	Darkness       Class = "dark"
	Cord           Class = "cord"
	Power          Class = "power"
	ManyDevices    Class = "many-devices"
)

// Classes lists all classes with what they stand for, in the order in which plans show them.
var Classes = []struct {
	Class Class
	Means string
}{
	{ManagementPath, "how Loom and people reach a device changes"},
	{GuardRemoved, "a policy, filter, set or limit goes, or is no longer applied where it was"},
	{MatchAll, "a term comes to match everything, or more than it asks for today"},
	{TermOrder, "terms that decide in order change places"},
	{LastUplink, "no fabric link that a device has stays in use"},
	{LastSession, "no BGP session that a device has in a group stays"},
	{RouteReflector, "a site keeps no route reflector that it has, or all of them change what makes them one"},
	{Stitch, "a gateway joins a tenant or a segment with other sites no more"},
	{Renumber, "a router id, AS number or VTEP address changes"},
	{Darkness, "light that is there goes out, for good or while it is tuned anew"},
	{Cord, "a patch cord has to be moved by hand"},
	{Power, "the amplifiers of a line change one after the other, and its channels are too weak or too strong on the way"},
	{ManyDevices, "more devices change than --max-devices"},
}

// Risk is a change that is likely to do harm where it is a mistake.
type Risk struct {
	Class   Class  `json:"class"`
	Device  string `json:"device,omitempty"`  // absent: the plan as a whole
	Path    string `json:"path,omitempty"`    //
	Change  string `json:"change,omitempty"`  // what the plan does there
	Why     string `json:"why"`               // what would happen
	Refused bool   `json:"refused,omitempty"` // Loom's own way to the device is cut; no approval changes that
}

// RiskOptions are what risks depend on beside the plan.
type RiskOptions struct {
	MaxDevices int                   // 0: DefaultMaxDevices
	Drained    []string              // devices that are out of service as well, for whatever reason
	Reach      map[string]netip.Addr // where Loom reaches each device, as far as known
}

// Risks searches a plan for what is likely to do harm: what the driver's guards name, compared
// before and after on every device, and what many devices do together. A device that holds nothing
// of Loom's yet has nothing to lose. The plan must be a new one, with its trees.
func Risks(p *Plan, guards func(os string) *driver.Guards, o RiskOptions) []Risk {
	return newSearch(p, guards, o).run(checks)
}

// check finds one kind of risk. Each can be left out without another finding what it finds.
type check struct {
	name   string
	class  Class
	device func(*judge) []Risk  // on one device
	fleet  func(*search) []Risk // or on all together
}

// checks are all of them, in the order of Classes.
var checks = []check{
	{name: "Loom is locked out", class: ManagementPath, device: (*judge).lockedOut},
	{name: "the address that Loom uses goes", class: ManagementPath, device: (*judge).addressGone},
	{name: "the uplinks go that carry Loom", class: ManagementPath, device: (*judge).inBandCut},
	{name: "a way to the device changes", class: ManagementPath, device: (*judge).managementChanged},
	{name: "a guard goes", class: GuardRemoved, device: (*judge).guardGone},
	{name: "a guard goes that the profile has no name for", class: GuardRemoved, device: (*judge).unnamedGuardGone},
	{name: "a guard is no longer applied", class: GuardRemoved, device: (*judge).unapplied},
	{name: "what was closed is open", class: MatchAll, device: (*judge).opened},
	{name: "a term has no conditions left", class: MatchAll, device: (*judge).emptied},
	{name: "a new term has no conditions", class: MatchAll, device: (*judge).unconditional},
	{name: "a term no longer asks for a set", class: MatchAll, device: (*judge).widened},
	{name: "a term asks for a set that is empty", class: MatchAll, device: (*judge).setEmpty},
	{name: "terms change places", class: TermOrder, device: (*judge).reordered},
	{name: "every uplink goes", class: LastUplink, device: (*judge).uplinksGone},
	{name: "every session goes", class: LastSession, device: (*judge).sessionsGone},
	{name: "every reflector goes", class: RouteReflector, fleet: (*search).reflectorsGone},
	{name: "every reflector changes", class: RouteReflector, fleet: (*search).reflectorsChange},
	{name: "a stitch goes", class: Stitch, device: (*judge).stitchesGone},
	{name: "a device is known by something else", class: Renumber, device: (*judge).renumbered},
	{name: "light goes out", class: Darkness, device: (*judge).darkened},
	{name: "light is tuned anew", class: Darkness, device: (*judge).retuned},
	{name: "a cord has to be moved", class: Cord, fleet: (*search).cordsMove},
	{name: "a line is out of balance on the way", class: Power, fleet: (*search).unbalanced},
	{name: "many devices change", class: ManyDevices, fleet: (*search).manyDevices},
}

// search is one look at a plan.
type search struct {
	plan   *Plan
	guards func(os string) *driver.Guards
	o      RiskOptions
	paths  map[string]config.Path // patterns, parsed
}

func newSearch(p *Plan, guards func(os string) *driver.Guards, o RiskOptions) *search {
	return &search{plan: p, guards: guards, o: o, paths: map[string]config.Path{}}
}

// run does the checks; risks come by check, then by device in the order of the plan.
func (s *search) run(checks []check) []Risk {
	out := []Risk{}
	for _, c := range checks {
		for _, r := range s.find(c) {
			r.Class = c.class
			out = append(out, r)
		}
	}
	return out
}

func (s *search) find(c check) []Risk {
	if c.fleet != nil {
		return c.fleet(s)
	}
	var out []Risk
	for i := range s.plan.Devices {
		for _, r := range c.device(s.judge(&s.plan.Devices[i])) {
			r.Device = s.plan.Devices[i].Name
			out = append(out, r)
		}
	}
	return out
}

// judge looks at one device.
type judge struct {
	*search
	d *Device
	g *driver.Guards
}

// judge looks at what a device does beside being drained or carrying traffic again: the policies and ports of a
// drain protect nothing.
func (s *search) judge(d *Device) *judge {
	if d.beside != nil {
		own := *d
		own.Before, own.After = d.beside[0], d.beside[1]
		d = &own
	}
	return &judge{s, d, s.guards(d.OS)}
}

// path parses a pattern; it is the driver's, so one that does not parse is a programmer's mistake.
func (s *search) path(pattern string) config.Path {
	p, ok := s.paths[pattern]
	if !ok {
		var err error
		if p, err = config.ParsePath(pattern); err != nil {
			panic(err)
		}
		s.paths[pattern] = p
	}
	return p
}

func (j *judge) before(pattern string) []config.Cursor { return nodes(j.d.Before, j.path(pattern)) }
func (j *judge) after(pattern string) []config.Cursor  { return nodes(j.d.After, j.path(pattern)) }

// risk is one at a node, with what the plan does at and below it.
func (j *judge) risk(c config.Cursor, why string) Risk {
	at := c.Path().String()
	return Risk{Path: at, Change: j.changes(at), Why: why}
}

// changes says in a line what the plan does at and below a path.
func (j *judge) changes(at string) string {
	text, n := "", 0
	for _, c := range j.d.Changes {
		rest, ok := strings.CutPrefix(c.Path, at)
		if !ok || rest != "" && rest[0] != '/' && rest[0] != '[' {
			continue
		}
		if n++; n == 1 {
			text = strings.TrimSpace(strings.TrimPrefix(rest, "/") + " " + c.did())
		}
	}
	if n > 1 {
		text += fmt.Sprintf(", and %s", count(n-1, "more change"))
	}
	return text
}

// did says what happens to one leaf.
func (c Change) did() string {
	switch c.Op {
	case Create:
		return strings.TrimSpace("created " + c.New)
	case Delete:
		return strings.TrimSpace("deleted " + c.Old)
	default:
		return c.Old + " → " + c.New
	}
}

// RiskClasses are the classes of the plan's risks, each once, in the order of Classes.
func (p *Plan) RiskClasses() []Class {
	var out []Class
	for _, c := range Classes {
		if slices.ContainsFunc(p.Risks, func(r Risk) bool { return r.Class == c.Class }) {
			out = append(out, c.Class)
		}
	}
	return out
}

// Refused are the risks that no approval takes away.
func (p *Plan) Refused() []Risk {
	var out []Risk
	for _, r := range p.Risks {
		if r.Refused {
			out = append(out, r)
		}
	}
	return out
}
