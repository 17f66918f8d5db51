package fabric

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/loomfabric/loom/models/hardware"
	"github.com/loomfabric/loom/models/intent"
)

// portID is a port of a platform: its place on the front panel and, where that is broken out, the channel.
type portID struct {
	index   int16 // in Platform.Ports
	channel int16 // from 1; 0: the port itself
}

func (a portID) compare(b portID) int {
	return cmp.Or(cmp.Compare(a.index, b.index), cmp.Compare(a.channel, b.channel))
}

// claimKind is what a port is claimed for. Where two claims meet, the lesser is called the first.
type claimKind int8

const (
	derivedClaim claimKind = iota // a derived cable
	cableClaim                    // a listed cable
	channelClaim                  // a link that a channel of light carries
	accessClaim                   // an attachment
	serverClaim                   // a cable to a server: names the far end, takes nothing
)

// isWire tells whether the port is claimed for a fabric link.
func (k claimKind) isWire() bool { return k <= channelClaim }

// claim is one use of one port.
type claim struct {
	port portID
	kind claimKind
	what int32 // index in draft.wires, draft.access or draft.servers
}

// breakout is a port that is broken out, with what its channels run at.
type breakout struct {
	index    int16
	channels int16
	speeds   []string // one; of a connector in one piece all that it runs at, until its link has chosen
	what     claim    // the first of its channels
}

// serverCable is a cable whose far end Loom does not manage.
type serverCable struct {
	node      *node
	port      portID
	name, nic string
	ref       Ref
}

func (s *serverCable) String() string { return "server:" + s.name + ":" + s.nic }

// portOf reads a port name. A port that the platform lacks is reported.
func (d *draft) portOf(n *node, name string, ref Ref) (portID, bool) {
	if n.platform == nil {
		return portID{}, false // reported with the device
	}
	if i := n.platform.PortIndex(name); i >= 0 {
		if n.platform.Connectors {
			d.report.failEach(ref, n.name(), name+" is a connector", "use a channel of it: "+hardware.Channel(name, 1))
			return portID{}, false
		}
		return portID{index: int16(i)}, true
	}
	if parent, channel, ok := splitChannel(name); ok {
		if i := n.platform.PortIndex(parent); i >= 0 {
			return d.channelOf(n, name, i, channel, ref)
		}
	}
	d.report.failEach(ref, n.name(), fmt.Sprintf("no port %s on %s", name, n.platform.Name), "use "+portRange(n.platform))
	return portID{}, false
}

func (d *draft) channelOf(n *node, name string, index, channel int, ref Ref) (portID, bool) {
	most := 0
	if n.platform.Connectors {
		most = 1
	}
	for _, mode := range n.platform.Ports[index].Breakouts {
		count, _ := splitMode(mode)
		most = max(most, count)
	}
	if channel > most {
		fix := fmt.Sprintf("its channels end at %d", most)
		if most == 0 {
			fix = "its ports cannot be broken out"
		}
		d.report.failEach(ref, n.name(), fmt.Sprintf("no port %s on %s", name, n.platform.Name), fix)
		return portID{}, false
	}
	return portID{int16(index), int16(channel)}, true
}

// splitChannel takes ethernet-1/3/2 apart.
func splitChannel(name string) (parent string, channel int, ok bool) {
	slash := strings.LastIndexByte(name, '/')
	if slash < 0 || strings.HasPrefix(name[slash+1:], "0") {
		return "", 0, false
	}
	channel, err := strconv.Atoi(name[slash+1:])
	return name[:slash], channel, err == nil && channel > 0 && channel < 100
}

// splitMode takes "4x25G" apart.
func splitMode(mode string) (channels int, speed string) {
	count, speed, _ := strings.Cut(mode, "x")
	channels, _ = strconv.Atoi(count)
	return channels, speed
}

// ordinal returns N of ethernet-1/N.
func ordinal(name string) uint32 {
	n, _ := strconv.ParseUint(name[strings.LastIndexByte(name, '/')+1:], 10, 32)
	return uint32(n)
}

func portRange(p *hardware.Platform) string {
	last := p.Ports[len(p.Ports)-1].Name
	if p.Connectors {
		return hardware.Channel(p.Ports[0].Name, 1) + ".." + hardware.Channel(last, 1)
	}
	return p.Ports[0].Name + ".." + last[strings.LastIndexByte(last, '/')+1:]
}

func (n *node) portName(id portID) string {
	name := n.platform.Ports[id.index].Name
	if id.channel == 0 {
		return name
	}
	return name + "/" + decimal(uint32(id.channel))
}

// speedsOf returns the speeds that a port runs at, its own first.
func (n *node) speedsOf(id portID) []string {
	if id.channel == 0 {
		return n.platform.Ports[id.index].Speeds
	}
	for i := range n.breakouts {
		if n.breakouts[i].index == id.index {
			return n.breakouts[i].speeds
		}
	}
	return nil
}

// count returns how many claims are of the given kinds.
func (n *node) count(kinds ...claimKind) int {
	count := 0
	for _, c := range n.claims {
		if slices.Contains(kinds, c.kind) {
			count++
		}
	}
	return count
}

// settlePorts sorts the claims of every device, reports ports with two users and decides breakouts.
func (d *draft) settlePorts() {
	for _, n := range d.nodes {
		slices.SortStableFunc(n.claims, func(a, b claim) int {
			return cmp.Or(a.port.compare(b.port), cmp.Compare(a.kind, b.kind))
		})
		for rest := n.claims; len(rest) > 0; {
			same := 1
			for same < len(rest) && rest[same].port.index == rest[0].port.index {
				same++
			}
			d.settlePort(n, rest[:same])
			rest = rest[same:]
		}
	}
}

// settlePort looks at all claims on one front-panel port, sorted.
func (d *draft) settlePort(n *node, claims []claim) {
	for i := 1; i < len(claims); i++ {
		d.checkUsers(n, claims[:i], claims[i])
	}
	if named := slices.IndexFunc(claims, func(c claim) bool { return c.kind != serverClaim && c.port.channel > 0 }); named >= 0 {
		d.breakOut(n, claims)
	}
}

// checkUsers reports that a claim meets another on its port, or on the port it is a channel of.
func (d *draft) checkUsers(n *node, before []claim, c claim) {
	for _, other := range before {
		if other.port != c.port && other.port.channel != 0 {
			continue // two channels of one port
		}
		if c.kind == serverClaim && other.kind == accessClaim && other.port == c.port {
			continue // names its far end
		}
		d.report.failLike("two users "+string(rune('0'+other.kind)), d.claimRef(c),
			fmt.Sprintf("%s:%s: two users: %s and %s", n.name(), n.portName(c.port), d.user(other), d.user(c)),
			"use another port for one of them", note{d.claimRef(other), "the other use"})
		if c.kind.isWire() {
			d.wires[c.what].clashes = true
		}
		return
	}
}

// claimRef returns the cause of a claim.
func (d *draft) claimRef(c claim) Ref {
	switch c.kind {
	case accessClaim:
		return d.access[c.what].ref
	case serverClaim:
		return d.servers[c.what].ref
	}
	return d.wires[c.what].ref()
}

// user names who has a claim.
func (d *draft) user(c claim) string {
	switch c.kind {
	case accessClaim:
		return strings.Replace(string(d.access[c.what].ref), "attachments/", "attachment ", 1)
	case serverClaim:
		return "cable to " + d.servers[c.what].String()
	}
	return d.wires[c.what].String()
}

// breakOut decides how a port is broken out: the first mode of the platform that has channels enough and
// the speed that the attachments ask for.
func (d *draft) breakOut(n *node, claims []claim) {
	if claims[0].port.channel == 0 {
		return // reported: the port itself has a user
	}
	speed, asker := "", claims[0]
	for _, c := range claims {
		want := d.wantedSpeed(c)
		if want == "" || want == speed {
			continue
		}
		if speed != "" {
			d.report.fail(d.claimRef(c), fmt.Sprintf("%s:%s: speed %s, but %s of the same port runs at %s", n.name(), n.portName(c.port), want, n.portName(asker.port), speed),
				"all channels of a port run at one speed", note{d.claimRef(asker), "the other channel"})
			return
		}
		speed, asker = want, c
	}
	d.chooseMode(n, claims, speed)
}

func (d *draft) wantedSpeed(c claim) string {
	if c.kind != accessClaim {
		return ""
	}
	return d.access[c.what].in.GetSpeed()
}

func (d *draft) chooseMode(n *node, claims []claim, want string) {
	port := &n.platform.Ports[claims[0].port.index]
	last := claims[len(claims)-1]
	modes, whole := port.Breakouts, n.platform.Connectors && last.port.channel == 1
	if claims[0].kind == channelClaim {
		mode := d.wires[claims[0].what].channel.breakout(n)
		modes, whole = []string{mode}, n.platform.Connectors && mode == ""
	}
	if whole && last.port.channel == 1 {
		n.breakouts = append(n.breakouts, breakout{claims[0].port.index, 1, port.Speeds, claims[0]})
		return
	}
	for _, mode := range modes {
		channels, speed := splitMode(mode)
		if channels >= int(last.port.channel) && (want == "" || want == speed) {
			n.breakouts = append(n.breakouts, breakout{claims[0].port.index, int16(channels), []string{speed}, claims[0]})
			return
		}
	}
	d.report.failEach(d.claimRef(last), n.name()+":"+n.portName(last.port), fmt.Sprintf("no breakout of %s has channel %d at %s", n.platform.Name, last.port.channel, want),
		"use one of "+strings.Join(modes, ", "))
}

// breakouts returns the ports of a device that are broken out, sorted.
func (d *draft) breakouts(n *node) []Breakout {
	var list []Breakout
	for _, b := range n.breakouts {
		list = append(list, Breakout{
			Port: n.platform.Ports[b.index].Name, Channels: uint32(b.channels), Speed: b.speeds[0], Ref: d.claimRef(b.what),
		})
	}
	return list
}

func (n *node) disablesUnused() bool {
	return n.in.GetUnusedPorts() == intent.UnusedPorts_UNUSED_PORTS_DISABLED
}

// unused returns the ports that nothing claims, where the device wants those disabled. A cable to a server is
// a use: somebody means to attach it.
func (n *node) unused() []hardware.Port {
	var free []hardware.Port
	claims := n.claims
	for i := range n.platform.Ports {
		for len(claims) > 0 && int(claims[0].port.index) < i {
			claims = claims[1:]
		}
		if len(claims) == 0 || int(claims[0].port.index) != i {
			free = append(free, n.platform.Ports[i])
		}
	}
	return free
}
