package sros

import (
	"slices"
	"strings"
	"testing"

	"github.com/loomfabric/loom/models/sros"
	"github.com/loomfabric/loom/pkg/config"
	"github.com/loomfabric/loom/pkg/fabric"
)

func TestADrainLiesInsideTheScopeAndAnUndrainIsTheWayBack(t *testing.T) {
	t.Parallel()
	for kind, d := range kinds(t) {
		tree := render(t, d)
		drained, err := Drain(tree, d)
		if err != nil || config.Equal(drained, tree) {
			t.Fatalf("%s: %v, or nothing is drained", kind, err)
		}
		if again, err := Drain(drained, d); err != nil || again != drained {
			t.Errorf("%s: draining twice is not draining once: %v", kind, err)
		}
		if out := Scope(d).Outside(drained); len(out) > 0 {
			t.Errorf("%s: outside the scope: %v", kind, out)
		}
		back, err := Undrain(drained, tree, d)
		if err != nil || !config.Equal(back, tree) {
			t.Errorf("%s: undrained it is not what it was: %v", kind, err)
		}
		if same, err := Undrain(tree, tree, d); err != nil || same != tree {
			t.Errorf("%s: nothing to undrain, and it changes: %v", kind, err)
		}
	}
}

func TestADrainedGatewayIsTheLastChoice(t *testing.T) {
	t.Parallel()
	d := gateway(t, external)
	drained, err := Drain(render(t, d), d)
	if err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]string{
		groupPath + "[group-name=underlay]/export/policy":                                                "loom-drain loom-underlay-export",
		groupPath + "[group-name=overlay]/export/policy":                                                 "loom-drain loom-overlay",
		groupPath + "[group-name=wan]/export/policy":                                                     "loom-drain-local loom-wan-export",
		policyPath + "loom-drain]/default-action/as-path-prepend/as-path":                                "4200011001",
		policyPath + "loom-drain]/default-action/as-path-prepend/repeat":                                 "3",
		policyPath + "loom-drain]/default-action/action-type":                                            "next-policy",
		policyPath + "loom-drain-local]/default-action/local-preference":                                 "0",
		policyPath + "loom-drain-local]/default-action/community/add":                                    communityDrain,
		"/configure/policy-options/community[name=" + communityDrain + "]/member[member=65535:0]/member": "65535:0",
	} {
		at := observationAt(drained, path)
		got := at.Value()
		if list := slices.Collect(values(at)); len(list) > 0 {
			got = strings.Join(list, " ")
		}
		if got != want {
			t.Errorf("%s: got %q, want %q", path, got, want)
		}
	}
	if observationAt(drained, isisPath+"[isis-instance=0]/overload/max-metric").Value() != "true" {
		t.Error("what is between other sites does not take another way where there is one, or has none where there is not")
	}
}

// A gateway of several tells nobody what would bring it a share of the traffic; the only one of a site keeps nothing back.
func TestADrainedGatewayOfSeveralWithholdsRoutes(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		edits []func(*fabric.Device)
		want  []string
	}{
		"one of several": {[]func(*fabric.Device){stitched}, []string{"10 ethernet-auto-discovery reject", "20 mac-ip-advertisement reject"}},
		"the only one":   {[]func(*fabric.Device){stitched, alone}, nil},
	} {
		d := gateway(t, c.edits...)
		drained, err := Drain(render(t, d), d)
		if err != nil {
			t.Fatal(err)
		}
		for _, policy := range []string{policyDrain, policyInternal} {
			var got []string
			for id, e := range (observation{observationAt(drained, policyPath+policy+"]")}).entries(sros.ConfigurePolicyOptionsPolicyStatementEntry) {
				got = append(got, id+" "+e.text(sros.ConfigurePolicyOptionsPolicyStatementEntryFromEvpnType)+" "+e.text(sros.ConfigurePolicyOptionsPolicyStatementEntryActionActionType))
			}
			if !slices.Equal(got, c.want) {
				t.Errorf("%s, %s: %q, want %q", name, policy, got, c.want)
			}
		}
	}
}

func observationAt(t *config.Tree, path string) config.Cursor { return t.Find(pathOf(path)) }

func values(list config.Cursor) func(func(string) bool) {
	return func(yield func(string) bool) {
		for v := range list.Children() {
			if !yield(v.Value()) {
				return
			}
		}
	}
}

// An operator's own policy stays behind the drain's, an inherited one stays inherited.
func TestAnUndrainKnowsWhatWasInherited(t *testing.T) {
	t.Parallel()
	d := gateway(t)
	tree := parse(t, []byte(`{"nokia-conf:configure": {
	  "policy-options": {"policy-statement": [{"name": "own", "default-action": {"action-type": "accept"}}]},
	  "router": [{"router-name": "Base", "autonomous-system": 65000, "bgp": {
	    "export": {"policy": ["own"]},
	    "group": [{"group-name": "inherits", "peer-as": 65000}, {"group-name": "says", "peer-as": 65001, "export": {"policy": ["own"]}}],
	    "neighbor": [{"ip-address": "10.0.0.1", "group": "says", "export": {"policy": ["own"]}}]}}]}}`))
	drained, err := Drain(tree, d)
	if err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]string{
		groupPath + "[group-name=inherits]/export/policy": "loom-drain-local own",
		groupPath + "[group-name=says]/export/policy":     "loom-drain own",
		peerPath + "[ip-address=10.0.0.1]/export/policy":  "loom-drain own",
	} {
		if got := strings.Join(slices.Collect(values(observationAt(drained, path))), " "); got != want {
			t.Errorf("%s: got %q, want %q", path, got, want)
		}
	}
	if back, err := Undrain(drained, tree, d); err != nil || !config.Equal(back, tree) {
		t.Errorf("%v: %s", err, back.AppendJSON(nil, false))
	}
}
