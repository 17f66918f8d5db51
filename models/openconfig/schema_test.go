package oc_test

import (
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/openconfig/ygot/ygot"

	oc "github.com/loomfabric/loom/models/openconfig"
	"github.com/loomfabric/loom/models/openconfig/ygotoc"
	"github.com/loomfabric/loom/pkg/config"
)

func TestTheTablesAreWhole(t *testing.T) {
	s := oc.Schema
	for i, n := range s.Nodes {
		path := s.Path(config.ID(i))
		for _, c := range n.Children {
			if s.Nodes[c].Parent != config.ID(i) || n.State && !s.Nodes[c].State {
				t.Errorf("%s below %s", s.Path(c), path)
			}
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
		if (x.Base == config.Enumeration || x.Base == config.Identityref) && len(x.Enums) == 0 {
			t.Errorf("%s has no values", x.Name)
		}
	}
}

// A key is a leafref to the leaf of config (of state, where the list is state) with its value.
func TestKeysReferToWhatHasTheirValue(t *testing.T) {
	s := oc.Schema
	for i, n := range s.Nodes {
		for _, k := range n.Keys {
			target := s.Types[s.Nodes[k].Type].Target
			where := "/config/"
			if n.State {
				where = "/state/"
			}
			if want := s.Path(config.ID(i)) + where + s.Nodes[k].Name; target != want {
				t.Errorf("%s refers to %s, want %s", s.Path(k), target, want)
			}
		}
	}
}

// A real device lists a model by its module alone, and one of those in the profile at least.
func TestEveryModuleIsPublished(t *testing.T) {
	s := oc.Schema
	for _, m := range s.Models {
		if !strings.HasPrefix(m.Name, "openconfig-") || m.Organization != "OpenConfig working group" || len(m.Versions) != 1 {
			t.Errorf("model %+v", m)
		}
	}
	for _, module := range s.Modules {
		if !slices.ContainsFunc(s.Models, func(m config.Model) bool { return m.Name == module }) {
			t.Errorf("%s is not published", module)
		}
	}
	newest := slices.MaxFunc(s.Models, func(a, b config.Model) int { return strings.Compare(a.Versions[0], b.Versions[0]) })
	if got, want := newest.Versions[0][:4], s.Releases[0]; got != want {
		t.Errorf("the newest revision is of %s, the set is called %s", got, want)
	}
}

// RFC 7951 §6.1 and §6.8: 64 bits and decimals are text, and identities have their module before them.
const document = `{
  "openconfig-platform:components": {"component": [
    {"name": "line-1", "config": {"name": "line-1"}},
    {"name": "och-1", "config": {"name": "och-1"},
     "openconfig-terminal-device:optical-channel": {"config": {
       "frequency": "193700000", "target-output-power": "-10.5", "operational-mode": 5, "line-port": "line-1"}}}]},
  "openconfig-terminal-device:terminal-device": {"logical-channels": {"channel": [
    {"index": 20001, "config": {"index": 20001, "admin-state": "ENABLED",
       "rate-class": "openconfig-transport-types:TRIB_RATE_400G", "logical-channel-type": "openconfig-transport-types:PROT_OTN"},
     "logical-channel-assignments": {"assignment": [
       {"index": 1, "config": {"index": 1, "assignment-type": "OPTICAL_CHANNEL", "optical-channel": "och-1", "allocation": "400.0"}}]}}]}}
}`

func TestADocumentIsReadAlikeByTreeAndStructs(t *testing.T) {
	tree, unknown, err := config.Parse(oc.Schema, "2026", []byte(document), config.ParseOptions{Strict: true})
	if err != nil || len(unknown) > 0 {
		t.Fatal(err, unknown)
	}
	device := &ygotoc.Device{}
	if err := ygotoc.Unmarshal(tree.AppendJSON(nil, false), device); err != nil {
		t.Fatal(err)
	}
	if err := device.Validate(); err != nil {
		t.Fatal(err)
	}
	och := device.Components.Component["och-1"].OpticalChannel.Config
	if *och.Frequency != 193700000 || *och.TargetOutputPower != -10.5 || *och.OperationalMode != 5 {
		t.Errorf("got %d MHz, %v dBm, mode %d", *och.Frequency, *och.TargetOutputPower, *och.OperationalMode)
	}
	och.LinePort = ygot.String("line-9")
	if err := device.Validate(); err == nil {
		t.Error("a line port that is no component passes")
	}
}

func TestSixtyFourBitsAndDecimalsAreWrittenAsText(t *testing.T) {
	loose := strings.NewReplacer(`"193700000"`, `193700000`, `"-10.5"`, `-10.50`).Replace(document)
	tree, _, err := config.Parse(oc.Schema, "2026", []byte(loose), config.ParseOptions{})
	if err != nil {
		t.Fatal(err)
	}
	got := string(tree.AppendJSON(nil, false))
	for _, want := range []string{`"frequency":"193700000"`, `"target-output-power":"-10.5"`, `"operational-mode":5`} {
		if !strings.Contains(got, want) {
			t.Errorf("no %s in %s", want, got)
		}
	}
}

func TestWhatTheModelsDoNotAllowIsRefused(t *testing.T) {
	for _, c := range [][2]string{
		{`openconfig-transport-types:PROT_OTN`, `openconfig-platform:PROT_OTN`},
		{`openconfig-transport-types:PROT_OTN`, `openconfig-transport-types:PROT_SONET`},
		{`"-10.5"`, `"-10.555"`},
		{`"operational-mode": 5`, `"operational-mode": 65536`},
	} {
		spoilt := strings.Replace(document, c[0], c[1], 1)
		if spoilt == document {
			t.Fatalf("no %s", c[0])
		}
		if _, _, err := config.Parse(oc.Schema, "2026", []byte(spoilt), config.ParseOptions{Strict: true}); err == nil {
			t.Errorf("%s instead of %s passes", c[1], c[0])
		}
	}
}
