package srossim

import (
	"errors"
	"strings"
	"testing"

	"github.com/loomfabric/loom/pkg/config"
	"github.com/loomfabric/loom/pkg/sim"
)

func TestTheServerIsAsConfigured(t *testing.T) {
	t.Parallel()
	serving := func(members string) string { return `"system": {"grpc": {"admin-state": "enable"` + members + `}}` }
	for name, c := range map[string]struct {
		document string
		want     sim.Door
	}{
		"TLS unless it is told otherwise":          {serving(``), sim.Door{NoGNOI: true}},
		"without TLS":                              {serving(`, "allow-unsecure-connection": [null]`), sim.Door{Plain: true, NoGNOI: true}},
		"gNOI where a part of it is on":            {serving(`, "gnoi": {"system": {"admin-state": "enable"}}`), sim.Door{}},
		"no gNMI":                                  {serving(`, "gnmi": {"admin-state": "disable"}`), sim.Door{NoGNMI: true, NoGNOI: true}},
		"off unless it is on":                      {`"system": {"name": "x"}`, sim.Door{Shut: true, NoGNOI: true}},
		"another port than clients look for it at": {serving(`, "listening-port": 40000`), sim.Door{Shut: true, NoGNOI: true}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got := server(parse(t, c.document)).Door; got != c.want {
				t.Errorf("got %+v, want %+v", got, c.want)
			}
		})
	}
}

func TestWhatTheRouterDoesNotTake(t *testing.T) {
	t.Parallel()
	whole := baseWith("")
	for name, c := range map[string]struct{ from, to, want string }{
		"what is rendered":        {"", "", ""},
		"a slot that it lacks":    {`"slot-number": 1,`, `"slot-number": 2,`, "/configure/card[slot-number=2]: 7750-SR-1s has no slot 2"},
		"a channel too many":      {`"1/1/c1/1"`, `"1/1/c1/2"`, "/configure/port[port-id=1/1/c1/2]: 1/1/c1 is broken out into 1 channels"},
		"coherent optics nowhere": {`"port-id": "1/1/c1", "admin`, `"port-id": "1/1/c99", "admin`, "/configure/port[port-id=1/1/c1/1]: 1/1/c1 is broken out into 0 channels /configure/port[port-id=1/1/c99]/transceiver/digital-coherent-optics: 7750-SR-1s takes no digital coherent optics at 1/1/c99"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := ""
			err := refuses(chassis(t), parse(t, edited(t, whole, c.from, c.to)))
			if err != nil {
				got = strings.ReplaceAll(err.Error(), "\n", " ")
			}
			if got != c.want {
				t.Errorf("got %q, want %q", got, c.want)
			}
			var bad *config.ValueError
			if err != nil && !errors.As(err, &bad) {
				t.Errorf("%T", err)
			}
		})
	}
}
