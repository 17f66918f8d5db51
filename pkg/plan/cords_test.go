package plan_test

import (
	"fmt"
	"strings"
	"testing"

	oc "github.com/loomfabric/loom/models/openconfig"
	"github.com/loomfabric/loom/pkg/config"
	"github.com/loomfabric/loom/pkg/driver"
	"github.com/loomfabric/loom/pkg/plan"
	"github.com/loomfabric/loom/pkg/transponder"
)

// lineEnd is the end of a line with one channel on a port, at a place of the spectrum; "" has none.
func lineEnd(port string, index int) string {
	if port == "" {
		return `{"openconfig-platform:components": {"component": [{"name": "line", "config": {"name": "line"}}]}}`
	}
	return fmt.Sprintf(`{"openconfig-platform:components": {"component": [{"name": "line", "config": {"name": "line"}}]},
"openconfig-wavelength-router:wavelength-router": {"media-channels": {"channel": [
  {"index": %[1]d, "config": {"index": %[1]d, "name": "bj-sh/2 added"}, "source": {"config": {"port-name": %[2]q}}, "dest": {"config": {"port-name": "line"}}},
  {"index": %[3]d, "config": {"index": %[3]d, "name": "bj-sh/2 dropped"}, "source": {"config": {"port-name": "line"}}, "dest": {"config": {"port-name": %[2]q}}}]}}}`, index, port, 10000+index)
}

func TestAPlanSaysWhichCordsSomebodyHasToMove(t *testing.T) {
	t.Parallel()
	parse := func(text string) *config.Tree {
		tree, unknown, err := config.Parse(oc.Schema, "2026", []byte(text), config.ParseOptions{Strict: true})
		if err != nil || len(unknown) > 0 {
			t.Fatal(err, unknown)
		}
		return tree
	}
	guards := func(string) *driver.Guards { return &transponder.Driver().Guards }
	for _, c := range []struct {
		name      string
		long      [2]string // ports before and after; "" for none
		coast     [2]string
		elsewhere bool // coast ends at another site
		want      string
	}{
		{"the slot of a multiplexer's port is another one", [2]string{"add-drop-3", "add-drop-7"}, [2]string{}, false, "long: move the cord of bj-sh/2 from add-drop-3 to add-drop-7 at bj"},
		{"another line", [2]string{"add-drop-3", ""}, [2]string{"", "add-drop-1-2"}, false, "coast: move the cord of bj-sh/2 from add-drop-3 of long to add-drop-1-2 at bj"},
		{"a port that passes any slot", [2]string{"add-drop-1-2", "add-drop-1-2"}, [2]string{}, false, ""},
		{"the channel is passed on to another line", [2]string{"express-coast", "express-river"}, [2]string{}, false, ""},
		{"a channel that is new", [2]string{"", "add-drop-1-2"}, [2]string{}, false, ""},
		{"a channel that goes", [2]string{"add-drop-1-2", ""}, [2]string{}, false, ""},
		{"the other end is at another site", [2]string{"add-drop-3", ""}, [2]string{"", "add-drop-1-2"}, true, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			site := "bj"
			if c.elsewhere {
				site = "sh"
			}
			in := func(name, site string, ports [2]string) plan.Input {
				return plan.Input{
					Device: plan.Device{Name: name, OS: transponder.OS, Role: "line", Site: site}, Scope: config.Scope{{Own: config.Whole}},
					Running: parse(lineEnd(ports[0], 15)), Intended: parse(lineEnd(ports[1], 39)), Marked: true,
				}
			}
			p := plan.New("dci", "live", []plan.Input{in("long", "bj", c.long), in("coast", site, c.coast)}, at)
			var got []string
			for _, r := range plan.RisksBy("a cord has to be moved", p, guards, plan.RiskOptions{}) {
				got = append(got, r.Device+": "+r.Change)
				if r.Class != plan.Cord || !strings.HasPrefix(r.Path, "/wavelength-router/media-channels/channel[index=39]") || r.Why == "" {
					t.Errorf("got %+v", r)
				}
			}
			if strings.Join(got, "; ") != c.want {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
}
