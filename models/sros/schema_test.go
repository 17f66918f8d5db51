package sros_test

import (
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/openconfig/ygot/ygot"

	"github.com/loomfabric/loom/models/sros"
	"github.com/loomfabric/loom/models/sros/ygotsros"
	"github.com/loomfabric/loom/pkg/config"
)

func TestTheTablesAreWhole(t *testing.T) {
	s := sros.Schema
	for i, n := range s.Nodes {
		path := s.Path(config.ID(i))
		seen := map[string]bool{}
		for _, c := range n.Children {
			if s.Nodes[c].Parent != config.ID(i) || n.State && !s.Nodes[c].State || seen[s.Nodes[c].Name] {
				t.Errorf("%s below %s", s.Path(c), path)
			}
			seen[s.Nodes[c].Name] = true
		}
		if (n.Kind == config.List) != (len(n.Keys) > 0) || !slices.Equal(n.Keys, n.Children[:min(len(n.Keys), len(n.Children))]) {
			t.Errorf("%s: keys %v, children %v", path, n.Keys, n.Children)
		}
	}
	for _, x := range s.Types {
		for _, p := range x.Patterns {
			if _, err := regexp.Compile(p); err != nil {
				t.Errorf("%s: %v", x.Name, err)
			}
		}
		if x.Base == config.Enumeration && len(x.Enums) == 0 || x.Base == config.Leafref && x.Target == "" {
			t.Errorf("%s has no values, or refers to nothing", x.Name)
		}
	}
}

// Configuration and state are two trees of two modules.
func TestEverythingIsBelowConfigureOrState(t *testing.T) {
	s := sros.Schema
	for i, n := range s.Nodes[1:] {
		path := s.Path(config.ID(i + 1))
		module, state := "nokia-conf", strings.HasPrefix(path+"/", "/state/")
		if state {
			module = "nokia-state"
		}
		if s.Modules[n.Module] != module || n.State != state {
			t.Errorf("%s is of %s, state %v", path, s.Modules[n.Module], n.State)
		}
	}
}

// A leaf whose type the vendor calls encrypted is either a secret here, or has to be added to those.
func TestEncryptedLeavesAreSecret(t *testing.T) {
	s, secrets := sros.Schema, 0
	for i, n := range s.Nodes {
		encrypted := (n.Kind == config.Leaf || n.Kind == config.LeafList) && s.Types[n.Type].Name == "encrypted-leaf"
		if encrypted != n.Secret {
			t.Errorf("%s: secret: %v, want %v", s.Path(config.ID(i)), n.Secret, encrypted)
		}
		if encrypted {
			secrets++
		}
	}
	if secrets == 0 {
		t.Error("no secret at all: the type has another name")
	}
}

func TestEveryModuleIsPublished(t *testing.T) {
	s := sros.Schema
	if !slices.Equal(s.Releases, []string{"26.3"}) {
		t.Fatalf("releases %v", s.Releases)
	}
	for _, module := range s.Modules {
		i := slices.IndexFunc(s.Models, func(m config.Model) bool { return config.ModuleOf(m.Name) == module })
		if i < 0 || s.Models[i].Organization != "Nokia" || s.Models[i].Versions[0] != "2026-04-22" {
			t.Errorf("%s is not published: %+v", module, s.Models)
		}
	}
}

// RFC 7951 §6.1: 64 bits are text. Presence containers are there when they are empty.
const document = `{"nokia-conf:configure": {
  "card": [{"slot-number": 1, "card-type": "xcm-1s", "mda": [{"mda-slot": 1, "mda-type": "s36-400gb-qsfpdd"}]}],
  "lag": [{"lag-name": "lag-1", "mode": "network", "lacp": {"mode": "active", "administrative-key": 1}, "port": [{"port-id": "1/1/c1/1"}]}],
  "policy-options": {
    "community": [{"name": "red", "member": [{"member": "target:65000:100010"}]}],
    "policy-statement": [{"name": "none", "default-action": {"action-type": "reject"}}]},
  "port": [
    {"port-id": "1/1/c1", "admin-state": "enable", "connector": {"breakout": "c1-400g"}, "transceiver": {"digital-coherent-optics": true},
     "dwdm": {"frequency": 193700000, "coherent": {"compatibility": "open-zrp-ofec1", "target-power": "-8.5"}}},
    {"port-id": "1/1/c1/1", "admin-state": "enable", "ethernet": {"mode": "network", "mtu": 9212}}],
  "router": [{"router-name": "Base", "autonomous-system": 65000, "interface": [
      {"interface-name": "system", "ipv4": {"primary": {"address": "10.0.0.11", "prefix-length": 32}}},
      {"interface-name": "to-spine1", "port": "1/1/c2/1", "ipv6": {}}],
    "bgp": {"group": [{"group-name": "underlay", "peer-as": 65101, "export": {"policy": ["none"]}}],
            "neighbor": [{"ip-address": "10.1.0.0", "group": "underlay"}]},
    "isis": [{"isis-instance": 0, "area-address": ["49.0001"], "interface": [
      {"interface-name": "system", "passive": true, "ipv4-node-sid": {"index": "101"}}]}]}]}}`

func TestADocumentIsReadAlikeByTreeAndStructs(t *testing.T) {
	tree, unknown, err := config.Parse(sros.Schema, "26.3", []byte(document), config.ParseOptions{Strict: true})
	if err != nil || len(unknown) > 0 {
		t.Fatal(err, unknown)
	}
	device := &ygotsros.Device{}
	if err := ygotsros.Unmarshal(tree.AppendJSON(nil, false), device); err != nil {
		t.Fatal(err)
	}
	if err := device.Validate(); err != nil {
		t.Fatal(err)
	}
	base := device.Configure.Router["Base"]
	if got := *base.Isis[0].Interface["system"].Ipv4NodeSid.Index; got != 101 || base.Interface["to-spine1"].Ipv6 == nil {
		t.Errorf("index %d, ipv6 %v", got, base.Interface["to-spine1"].Ipv6)
	}
	base.Bgp.Neighbor["10.1.0.0"].Group = ygot.String("overlay")
	if err := device.Validate(); err == nil {
		t.Error("a neighbor of a group that is not there passes")
	}
}

func TestSixtyFourBitsAreWrittenAsText(t *testing.T) {
	loose := strings.Replace(document, `"index": "101"`, `"index": 101`, 1)
	tree, _, err := config.Parse(sros.Schema, "26.3", []byte(loose), config.ParseOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if got := string(tree.AppendJSON(nil, false)); !strings.Contains(got, `"index":"101"`) {
		t.Errorf("got %s", got)
	}
}

func TestWhatTheModelsDoNotAllowIsRefused(t *testing.T) {
	for _, c := range [][2]string{
		{`"-8.5"`, `"-8.555"`},
		{`"-8.5"`, `"3.01"`},
		{`193700000`, `191000000`},
		{`"open-zrp-ofec1"`, `"open-zrp"`},
		{`"prefix-length": 32`, `"prefix-length": 33`},
		{`"peer-as": 65101`, `"peer-as": 0`},
		{`"lag-1"`, `"lag1"`},
		{`"mtu": 9212`, `"mtu": 9801`},
	} {
		spoilt := strings.Replace(document, c[0], c[1], 1)
		if spoilt == document {
			t.Fatalf("no %s", c[0])
		}
		if _, _, err := config.Parse(sros.Schema, "26.3", []byte(spoilt), config.ParseOptions{Strict: true}); err == nil {
			t.Errorf("%s instead of %s passes", c[1], c[0])
		}
	}
}
