package sros

import (
	"strings"
	"testing"

	"github.com/loomfabric/loom/models/hardware"
	"github.com/loomfabric/loom/pkg/config"
	"github.com/loomfabric/loom/pkg/fabric"
)

func TestRenderedTreesLieInsideTheScopeAndTheScopeIsRead(t *testing.T) {
	t.Parallel()
	for kind, d := range kinds(t) {
		if out := Scope(d).Outside(render(t, d)); len(out) > 0 {
			t.Errorf("%s: outside the scope: %v", kind, out)
		}
		for _, rule := range Scope(d) {
			read := false
			for _, path := range manners.ReadPaths {
				read = read || strings.HasPrefix(rule.Path.String()+"/", path+"/") || strings.HasPrefix(rule.Path.String(), path+"[")
			}
			if !read || rule.Why == "" {
				t.Errorf("%s: %s is owned and not read, or nobody says why", kind, rule.Path)
			}
		}
	}
}

// foreign is what somebody else has on a router: a card, a port and a LAG of his own, another router, and how it is reached.
const foreign = `{"nokia-conf:configure": {
  "card": [{"slot-number": 2, "card-type": "iom-1"}],
  "port": [{"port-id": "1/1/c30", "admin-state": "enable", "connector": {"breakout": "c4-100g"}}, {"port-id": "1/1/c30/2", "description": "mine"},
           {"port-id": "A/1", "admin-state": "enable"}],
  "lag": [{"lag-name": "lag-77", "description": "mine"}],
  "router": [{"router-name": "management", "interface": [{"interface-name": "mine"}]},
             {"router-name": "Base", "isis": [{"isis-instance": 5, "admin-state": "enable"}], "ipv6": {"router-advertisement": {}}}],
  "system": {"contact": "noc", "grpc": {"admin-state": "enable"}}}}`

// taken is what nobody else may have: what would change what Loom has.
const taken = `{"nokia-conf:configure": {
  "policy-options": {"policy-statement": [{"name": "mine", "default-action": {"action-type": "accept"}}]},
  "router": [{"router-name": "Base", "interface": [{"interface-name": "mine"}], "bgp": {"group": [{"group-name": "mine"}]}}],
  "port": [{"port-id": "1/1/c1/2", "description": "not a channel of one of 400G"}]}}`

func TestWhatOthersHaveIsLeftAlone(t *testing.T) {
	t.Parallel()
	d := gateway(t)
	intended := render(t, d)
	if got := Scope(d).Owned(parse(t, []byte(foreign)), intended); got.Len() > 1 {
		t.Errorf("owned: %s", got.AppendJSON(nil, false))
	}
	if got := Scope(d).Owned(parse(t, Factory(d.Name, d.Platform.Name, d.Release)), intended); got.Len() > 1 {
		t.Errorf("owned of a new router: %s", got.AppendJSON(nil, false))
	}
	text := string(Scope(d).Owned(parse(t, []byte(taken)), intended).AppendJSON(nil, false))
	if strings.Count(text, `"mine"`) != 3 || !strings.Contains(text, "1/1/c1/2") {
		t.Errorf("of what would change what Loom has it owns only %s", text)
	}
}

func TestANewRouterIsReachedAndUndone(t *testing.T) {
	t.Parallel()
	for kind, d := range kinds(t) {
		running, intended := parse(t, []byte(foreign)), render(t, d)
		scope := Scope(d)
		covers := func(c config.Cursor) bool { return scope.Covers(c, intended) }
		owned := scope.Owned(running, intended)
		after, err := config.Apply(running, config.SetRequest(owned, intended, covers))
		if err != nil {
			t.Fatal(err)
		}
		if !config.Equal(scope.Owned(after, intended), intended) {
			t.Errorf("%s: the request leads elsewhere", kind)
		}
		undone, err := config.Apply(after, config.SetRequest(intended, owned, covers))
		if err != nil || !config.Equal(undone, running) {
			t.Errorf("%s: %v: undone it is %s", kind, err, undone.AppendJSON(nil, false))
		}
	}
}

func TestWhatARouterCannotDoIsRefused(t *testing.T) {
	t.Parallel()
	raw := func(path, value string) func(*fabric.Device) {
		return func(d *fabric.Device) {
			d.Raw = append(d.Raw, fabric.RawLeaf{Path: path, Value: value, Ref: "raw/0"})
		}
	}
	for name, c := range map[string]struct {
		edit func(*fabric.Device)
		want string
	}{
		"a leaf":                                {func(d *fabric.Device) { d.Role = fabric.Leaf }, "SR OS routers are gateways here"},
		"a server":                              {func(d *fabric.Device) { d.Ports = []fabric.AccessPort{{Port: "1/1/c9/1"}} }, "no servers of its own"},
		"another release":                       {func(d *fabric.Device) { d.Release = "23.10" }, "23.10"},
		"a channel without breakout":            {func(d *fabric.Device) { d.Breakouts = d.Breakouts[1:] }, "1/1/c1 is broken out into 0 channels"},
		"a channel too many":                    {func(d *fabric.Device) { d.Links[3].Port = "1/1/c35/2" }, "1/1/c35 is broken out into 1 channels"},
		"a frame too long":                      {func(d *fabric.Device) { d.Links[0].PortMTU = 9213 }, "9213 is more than a 7750-SR-1s takes; at most 9212"},
		"a LAG too many":                        {func(d *fabric.Device) { d.WAN.Trunks[1].LAG = 801 }, "a 7750-SR-1s has lag-1 to lag-800"},
		"a breakout that SR OS has no word for": {func(d *fabric.Device) { d.Breakouts[0].Channels = 7 }, "c7-400g"},
		"a raw leaf outside":                    {raw("/configure/system/grpc/listening-port", "49000"), "outside of what Loom owns on SR OS"},
		"a raw leaf that is no path":            {raw("/configure/system[", "x"), "raw path"},
		"a name of a trunk that is too long": {func(d *fabric.Device) {
			d.WAN.Trunks[0].Name = "to-a-gateway-with-quite-a-long-name-1/1/c3/1"
		}, "interface-name"},
	} {
		_, err := Render(gateway(t, c.edit))
		if err == nil || !strings.Contains(err.Error(), c.want) || !strings.HasPrefix(err.Error(), "bj-gateway1: ") {
			t.Errorf("%s: got %v, want %q", name, err, c.want)
		}
	}
}

func TestARawLeafIsRenderedAndOwned(t *testing.T) {
	t.Parallel()
	d := gateway(t, func(d *fabric.Device) {
		d.Raw = []fabric.RawLeaf{{Path: basePath + "/isis[isis-instance=0]/lsp-mtu-size", Value: "1490", Ref: "raw/0"}}
	})
	if at := render(t, d).Find(pathOf(d.Raw[0].Path)); at.Value() != "1490" || at.Cause().Ref != "raw/0" {
		t.Errorf("got %q because of %q", at.Value(), at.Cause().Ref)
	}
}

func TestUnusedConnectorsAreShut(t *testing.T) {
	t.Parallel()
	d := gateway(t, func(d *fabric.Device) { d.Unused = []hardware.Port{{Name: "1/1/c9"}} })
	if at := render(t, d).Find(pathOf("/configure/port[port-id=1/1/c9]/admin-state")); at.Value() != switchedOff {
		t.Errorf("1/1/c9 is %q", at.Value())
	}
	stray := parse(t, []byte(`{"nokia-conf:configure": {"port": [{"port-id": "1/1/c8", "admin-state": "enable"}, {"port-id": "A/1", "admin-state": "enable"}]}}`))
	if got := string(Scope(d).Owned(stray, render(t, d)).AppendJSON(nil, false)); !strings.Contains(got, "1/1/c8") || strings.Contains(got, "A/1") {
		t.Errorf("owned: %s", got)
	}
}
