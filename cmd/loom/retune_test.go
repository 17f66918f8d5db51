package main

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/loomfabric/loom/pkg/config"
	"github.com/loomfabric/loom/pkg/fabric"
	"github.com/loomfabric/loom/pkg/plan"
	"github.com/openconfig/gnmi/proto/gnmi"
)

// shared is a line with ROADMs that two pairs of transponders send into: channels 1 and 2, and whatever else is said.
const shared = `
loom: v1
name: shared
defaults:
  underlay: {links: unnumbered}
  spines: {count: 1, platform: 7220-IXR-H3}
  gateways: {count: 1, platform: 7250-IXR-X3b}
  transponders: {count: 2, platform: openconfig-transponder}
sites: {bj: {number: 1}, sh: {number: 2}}
ducts: {north: {from: bj, to: hut, km: 60}, south: {from: hut, to: sh, km: 60}}
lines: {long: {from: bj, to: sh, via: [north, south], amplifiers: EDFA, ends: roadm}}
dci: {x: {number: 1, wavelengths: {numbers: "1,2%s", mode: OpenZR+ 400G, over: long, margin: 0.1 dB, transponders: true, override: {1: {frequency: 193.1 THz}, 2: {frequency: 193.25 THz}%s}}}}
`

// sharing is the shared line with a third channel as it is said; "" for none.
func sharing(t *testing.T, third string) *network {
	t.Helper()
	more, over := "", ""
	if third != "" {
		more, over = ",3", ", 3: {"+third+"}"
	}
	file := filepath.Join(t.TempDir(), "shared.yaml")
	if err := os.WriteFile(file, fmt.Appendf(nil, shared, more, over), 0o644); err != nil {
		t.Fatal(err)
	}
	srcs, err := sources([]string{file})
	if err != nil {
		t.Fatal(err)
	}
	n, err := compileNetwork(&terminal{out: io.Discard, err: io.Discard}, srcs, nil)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// reading is one value that a device has streamed.
type reading struct{ at, value string } // device and path

// recorder keeps what devices stream, in the order in which it comes.
type recorder struct {
	sync.Mutex
	readings []reading
	news     chan struct{} // something has come
}

func (r *recorder) take(device string, n *gnmi.Notification) {
	r.Lock()
	defer r.Unlock()
	select {
	case r.news <- struct{}{}:
	default:
	}
	for _, u := range n.GetUpdate() {
		if p, err := config.FromGNMI(n.GetPrefix(), u.GetPath()); err == nil {
			r.readings = append(r.readings, reading{device + " " + p.String(), strings.Trim(string(u.GetVal().GetJsonIetfVal()), `"`)})
		}
	}
}

// since are the readings from one on.
func (r *recorder) since(from int) []reading {
	r.Lock()
	defer r.Unlock()
	return slices.Clone(r.readings[from:])
}

const (
	receiver  = "/components/component[name=och-line-1]/optical-channel/state/"
	firstLink = "/terminal-device/logical-channels/channel[index=10001]/state/link-state"
)

// record samples what transponders show of the channels on their first line ports, until the test ends.
func (f *fleet) record(t *testing.T) *recorder {
	t.Helper()
	r := &recorder{news: make(chan struct{}, 1)}
	paths := []config.Path{mustPath(receiver + "pre-fec-ber/instant"), mustPath(receiver + "input-power/instant"), mustPath(firstLink)}
	for _, d := range f.design.Devices {
		if d.Role != fabric.Transponder {
			continue
		}
		client := f.client(t, d.Name)
		sample := func() error {
			return client.Subscribe(t.Context(), paths, gnmi.SubscriptionList_ONCE, func(n *gnmi.Notification) { r.take(d.Name, n) })
		}
		if err := sample(); err != nil {
			t.Fatal(err)
		}
		go func() {
			for tick := time.NewTicker(20 * time.Millisecond); t.Context().Err() == nil; {
				select {
				case <-tick.C:
				case <-t.Context().Done():
					return
				}
				if err := sample(); err != nil && t.Context().Err() == nil {
					t.Errorf("%s: %v", d.Name, err)
					return
				}
			}
		}()
	}
	return r
}

// disturbed says what of channels 1 and 2 has left its limits: links that are up, margins that are those of a line that is full at the end of its
// life, powers that stay within some dB of the first.
func disturbed(d *fabric.Design, readings []reading, swing float64) string {
	power := map[string]float64{}
	for _, x := range readings {
		device, path, _ := strings.Cut(x.at, " ")
		c := &d.Channels[slices.IndexFunc(d.Channels, func(c fabric.Channel) bool {
			return (c.A.Device == device || c.B.Device == device) && c.A.Port == "line-1"
		})]
		v, err := strconv.ParseFloat(x.value, 64)
		switch {
		case path == firstLink && x.value != "UP":
			return fmt.Sprintf("%s: link of %s is %s", device, c.Name, x.value)
		case path == receiver+"pre-fec-ber/instant":
			planned, planErr := d.Margins(c)
			if margin := c.Mode.MarginAt(v); err != nil || planErr != nil || margin < planned[len(planned)-1].Margin-0.2 {
				return fmt.Sprintf("%s: %s has a margin of %v (%v), planned %v (%v)", device, c.Name, margin, err, planned[len(planned)-1].Margin, planErr)
			}
		case path == receiver+"input-power/instant":
			first, seen := power[device]
			if !seen {
				power[device], first = v, v
			}
			if err != nil || !near(v, first, swing) {
				return fmt.Sprintf("%s: %s is received with %v dBm, and was with %v (%v)", device, c.Name, v, first, err)
			}
		}
	}
	return ""
}

// sentOf counts the Sets of a device that were answered with success.
func (f *fleet) sentOf(t *testing.T, device string) (n int) {
	t.Helper()
	all, err := f.sim.Journal()
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range all {
		if e.Event == "set" && e.Device == device && e.Code == "OK" {
			n++
		}
	}
	return n
}

// stepNames are the steps of a device in a plan.
func stepNames(d *plan.Device) string {
	var out []string
	for _, s := range d.Steps {
		out = append(out, s.Name)
	}
	return strings.Join(out, " ")
}

func sameWave(p *plan.Plan, a, b string) bool {
	return slices.ContainsFunc(p.Waves, func(w []string) bool { return slices.Contains(w, a) && slices.Contains(w, b) })
}

// keepsMargin is an error rate that leaves a channel the margin that is asked.
func keepsMargin(c *fabric.Channel) func(string) bool {
	return func(s string) bool {
		got, err := strconv.ParseFloat(s, 64)
		return err == nil && c.Mode.MarginAt(got) >= c.Asked
	}
}
