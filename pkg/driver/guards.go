package driver

// Guards say what the parts of a configuration protect, carry and identify, so that a plan can be
// searched for risky changes by code that knows no operating system (pkg/plan).
//
// Paths are patterns of schema paths. A list without keys means all its entries, a key value that
// ends in * those that begin so, and the name * any node. Texts say what would happen; they
// follow on a colon.
type Guards struct {
	Kept       []Meaning // nodes that keep something out or bound it: policies, filters, sets, limits
	Applied    []Meaning // leaves and leaf-lists that put such a node to use
	Switches   []Switch  // leaves with a value that keeps something out
	Terms      []Terms   // user-ordered lists of terms, the first that matches decides
	Uplinks    []Object  // what connects a device to the others
	Sessions   []Object  // what routes are exchanged over
	Reflectors []Object  // what makes a device pass on routes between others
	Reflecting []Meaning // nodes that decide how it does so
	Management []Meaning // nodes that people and Loom reach the device by
	Access     []Object  // what Loom cannot do without: once all of a name are gone, it is locked out
	Addresses  []Object  // addresses of the device; Each is the leaf or key that holds one
	Identity   []Meaning // nodes by which others know the device: router id, AS number, VTEP
	Stitches   []Object  // what joins a tenant or a segment of the device's site with those of others; Each tells them apart
	Light      []Object  // what light passes or comes from; Each tells them apart, and each is looked at alone
	Tuned      []Meaning // nodes that light is made with: while they change, it is not there
	Gains      []Gain    // what amplifies the light of a line
	Plugged    []Plugged // what says which port a channel of a line is plugged into by hand
}

// Meaning is a place and what losing it would do.
type Meaning struct {
	Path string
	Why  string
	With string // the start of Path with which it may go without harm; "": the entry that it is in
}

// Switch is a leaf that keeps something out while it has a value.
type Switch struct {
	Path   string
	Closed string // the value that keeps out
	Absent string // what the device takes where there is no leaf; "" where that keeps nothing out
	Why    string // of the leaf having another value
}

// Terms is a list of terms: conditions, and what to do with what fulfils them.
type Terms struct {
	List  string // its entries
	Match string // container of the conditions, below an entry: "match"
	Sets  []Set  // conditions that name a set
}

// Set is a condition that names a set. An empty or undefined one either matches nothing or is no
// condition, depending on the release.
type Set struct {
	Ref     string   // the leaf or leaf-list below a term: "match/prefix-set"
	List    string   // the sets
	Members []string // children of a set, one of which it needs to match something
}

// Object is something that is there or not, and in use or not.
type Object struct {
	Name  string // "fabric port"
	Path  string // the entries
	Each  string // key or leaf of an entry: objects with different values are looked at apart; "" together
	Needs []Need // what else makes it one that is in use
}

// Need is a condition. {x} in a key of its path stands for the key or leaf x of the object. With Is
// the leaf must have the value, a leaf-list among others; with Not it may not, and need not be there; with neither it must be there.
type Need struct{ Path, Is, Not string }

// Gain is a list of amplifiers. Those of one line and direction have one name on all devices.
type Gain struct {
	List   string // its entries, by name
	Gain   string // leaf below an entry, in dB
	Behind string // attenuation behind the amplifier {name}, in dB
}

// Plugged is a list of what a line adds and drops, with the leaves below an entry that hold a channel and its port.
type Plugged struct {
	List    string // its entries
	Channel string // "config/name"
	Suffix  string // what follows on the channel's name there
	Port    string // "source/config/port-name"
	Prefix  string // what the names of ports begin with that people plug cords into; others are part of the device
}

// Paths are all patterns of the guards, for who checks them against a schema.
func (g *Guards) Paths() []string {
	var out []string
	for _, list := range [][]Meaning{g.Kept, g.Applied, g.Reflecting, g.Management, g.Identity, g.Tuned} {
		for _, m := range list {
			out = append(out, m.Path)
		}
	}
	for _, s := range g.Switches {
		out = append(out, s.Path)
	}
	for _, t := range g.Terms {
		out = append(out, t.List, t.List+"/"+t.Match)
		for _, s := range t.Sets {
			out = append(out, t.List+"/"+s.Ref, s.List)
			for _, m := range s.Members {
				out = append(out, s.List+"/"+m)
			}
		}
	}
	for _, list := range [][]Object{g.Uplinks, g.Sessions, g.Reflectors, g.Access, g.Addresses, g.Stitches, g.Light} {
		for _, o := range list {
			out = append(out, o.Path)
			if o.Each != "" {
				out = append(out, o.Path+"/"+o.Each)
			}
			for _, n := range o.Needs {
				out = append(out, n.Path)
			}
		}
	}
	for _, x := range g.Gains {
		out = append(out, x.List, x.List+"/"+x.Gain, x.Behind)
	}
	for _, p := range g.Plugged {
		out = append(out, p.List, p.List+"/"+p.Channel, p.List+"/"+p.Port)
	}
	return out
}
