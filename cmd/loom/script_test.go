package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/loomfabric/loom/pkg/config"
	"github.com/loomfabric/loom/pkg/sim"
	"github.com/loomfabric/loom/pkg/transaction"
	"github.com/openconfig/gnmi/proto/gnmi"
	"github.com/rogpeppe/go-internal/testscript"
)

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"loom": main})
}

// TestScripts runs the scenarios of testdata/script: a topology, commands, what they print.
//
// Beside `loom` itself a scenario has
//
//	sim TOPOLOGY            simulates every device, and writes the inventory to sim.json
//	by-hand DEVICE PATH JSON  changes one device as an operator at the box would; JSON - deletes
//	unknown DEVICE PATH JSON  gives one device what the profile has no name or no value for
//	stop DEVICE             switches a device off
//	certify NAME [stranger]  writes a client certificate of the simulation's authority, or of another, to NAME.pem and NAME.key
//	demand-certificates     lets every device ask for client certificates of the simulation's authority
//	startup DEVICE PATH VALUE  demands a value in the configuration that the device would boot with
//	exit N COMMAND...       runs loom and demands its exit code
//	until PATTERN COMMAND...  runs loom until it prints what matches
//	settles FILE N COMMAND...  runs loom until it prints what is in FILE and ends with exit code N
func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir:           filepath.Join("testdata", "script"),
		UpdateScripts: *update,
		Setup: func(e *testscript.Env) error {
			e.Setenv("TOPOLOGIES", topologiesDir(t))
			e.Setenv("LOOM_DATA", filepath.Join(e.WorkDir, ".loom"))
			e.Setenv("HOME", e.WorkDir)
			e.Setenv("GORACE", "atexit_sleep_ms=0") // or every command takes a second more under the race detector
			return nil
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"sim":                 scriptSim,
			"by-hand":             scriptByHand,
			"unknown":             scriptUnknown,
			"stop":                func(ts *testscript.TestScript, _ bool, args []string) { simOf(ts).Device(args[0]).Stop() },
			"startup":             scriptStartup,
			"certify":             scriptCertify,
			"demand-certificates": func(ts *testscript.TestScript, _ bool, _ []string) { demandCertificates(ts, simOf(ts)) },
			"exit":                scriptExit,
			"settles":             scriptSettles,
			"until":               scriptUntil,
			"replace":             scriptReplace,
			"newest":              scriptNewest,
			"holding":             scriptHolding,
			"guests":              scriptGuests,
		},
	})
}

func topologiesDir(t *testing.T) string {
	t.Helper()
	dir, err := filepath.Abs(filepath.Join("..", "..", "topologies"))
	if err != nil {
		t.Fatal(err)
	}
	return dir
}

// running are the simulations of the scenarios, by their work directories.
type running struct{ *sim.Sim }

func scriptSim(ts *testscript.TestScript, _ bool, args []string) {
	quiet := terminal{out: io.Discard, err: io.Discard}
	srcs, err := sources([]string{ts.MkAbs(args[0])})
	ts.Check(err)
	n, err := compileNetwork(&quiet, srcs, nil)
	ts.Check(err)
	s, err := simulation{bgp: bgpComputed, hosts: defaultHosts}.start(context.Background(), n.design)
	ts.Check(err)
	ts.Defer(s.Close)
	sims.Store(ts.Getenv("WORK"), running{s})
	ts.Check(os.WriteFile(ts.MkAbs("sim.json"), s.Inventory().JSON(), 0o600))
}

func simOf(ts *testscript.TestScript) *sim.Sim {
	s, ok := sims.Load(ts.Getenv("WORK"))
	if !ok {
		ts.Fatalf("no simulation runs; use sim TOPOLOGY first")
	}
	return s.(running).Sim
}

func scriptByHand(ts *testscript.TestScript, _ bool, args []string) {
	p, err := config.ParsePath(args[1])
	ts.Check(err)
	req := &gnmi.SetRequest{Delete: []*gnmi.Path{p.GNMI()}}
	if args[2] != "-" {
		val := &gnmi.TypedValue{Value: &gnmi.TypedValue_JsonIetfVal{JsonIetfVal: []byte(args[2])}}
		req = &gnmi.SetRequest{Update: []*gnmi.Update{{Path: p.GNMI(), Val: val}}}
	}
	ts.Check(simOf(ts).Device(args[0]).Apply(req))
}

func scriptUnknown(ts *testscript.TestScript, _ bool, args []string) {
	p, err := config.ParsePath(args[1])
	ts.Check(err)
	ts.Check(simOf(ts).Device(args[0]).Hold(config.Unknown{Path: p, JSON: []byte(args[2])}))
}

func scriptCertify(ts *testscript.TestScript, _ bool, args []string) {
	s := simOf(ts)
	if len(args) > 1 {
		other, err := sim.Start(context.Background(), sim.Config{})
		ts.Check(err)
		defer other.Close()
		s = other
	}
	cert, key, err := s.ClientCertificate("loom")
	ts.Check(err)
	ts.Check(os.WriteFile(ts.MkAbs(args[0]+".pem"), cert, 0o600))
	ts.Check(os.WriteFile(ts.MkAbs(args[0]+".key"), key, 0o600))
}

// demandCertificates has every device ask clients for a certificate of the simulation's authority, from the next connection on.
func demandCertificates(t interface{ Check(error) }, s *sim.Sim) {
	anchor, err := json.Marshal(s.Inventory().CA)
	t.Check(err)
	req := &gnmi.SetRequest{}
	for leaf, value := range map[string]string{"authenticate-client": "true", "trust-anchor": string(anchor)} {
		val := &gnmi.TypedValue{Value: &gnmi.TypedValue_JsonIetfVal{JsonIetfVal: []byte(value)}}
		req.Update = append(req.Update, &gnmi.Update{Path: mustPath("/system/tls/server-profile[name=fabric]/" + leaf).GNMI(), Val: val})
	}
	for _, d := range s.Devices() {
		t.Check(d.Apply(req))
		t.Check(d.Save())
	}
}

func scriptStartup(ts *testscript.TestScript, neg bool, args []string) {
	p, err := config.ParsePath(args[1])
	ts.Check(err)
	c := simOf(ts).Device(args[0]).Startup().Find(p)
	got := "absent"
	if c.Valid() {
		got = c.Value()
	}
	if (got == args[2]) == neg {
		ts.Fatalf("startup of %s: %s is %s", args[0], args[1], got)
	}
}

// scriptReplace changes a text in a file: replace FILE OLD NEW.
func scriptReplace(ts *testscript.TestScript, _ bool, args []string) {
	text := ts.ReadFile(args[0])
	if !strings.Contains(text, args[1]) {
		ts.Fatalf("%s has no %q", args[0], args[1])
	}
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), []byte(strings.ReplaceAll(text, args[1], args[2])), 0o600))
}

// scriptNewest puts the id of the newest transaction into a variable.
func scriptNewest(ts *testscript.TestScript, _ bool, args []string) {
	ts.Check(ts.Exec("loom", "transactions", "list", "--format", "json"))
	var list []account
	ts.Check(json.Unmarshal([]byte(ts.ReadFile("stdout")), &list))
	if len(list) == 0 {
		ts.Fatalf("no transactions")
	}
	ts.Setenv(args[0], list[0].ID)
}

// scriptHolding waits until a transaction waits for somebody to confirm it, and puts its id into a variable. Devices
// that are named are those of its part.
func scriptHolding(ts *testscript.TestScript, _ bool, args []string) {
	data := ts.Getenv("LOOM_DATA")
	deadline := time.Now().Add(30 * time.Second)
	for tick := time.Tick(20 * time.Millisecond); time.Now().Before(deadline); <-tick {
		books, err := dialControl(filepath.Join(data, "store"))
		if err != nil {
			continue
		}
		ids, err := transactionIDs(context.Background(), books)
		if err != nil || len(ids) == 0 {
			continue
		}
		a, err := readAccount(context.Background(), books, ids[len(ids)-1])
		if err == nil && a.Outcome == "" && !a.anyBut(transaction.Verified, args[1:]) {
			ts.Setenv(args[0], a.ID)
			return
		}
	}
	ts.Fatalf("no transaction waits")
}

// anyBut tells whether one of the devices, all by default, has another status.
func (s *account) anyBut(status transaction.Status, devices []string) bool {
	for name, have := range s.Devices {
		if have != status && (len(devices) == 0 || slices.Contains(devices, name)) {
			return true
		}
	}
	return false
}

func scriptExit(ts *testscript.TestScript, _ bool, args []string) {
	err := ts.Exec(args[1], args[2:]...)
	code := "0"
	if err != nil {
		code = fmt.Sprint(err)
		if n, ok := exitStatus(err); ok {
			code = fmt.Sprint(n)
		}
	}
	if code != args[0] {
		ts.Fatalf("exit code %s, want %s", code, args[0])
	}
}

// scriptUntil waits for what a controller comes to know by and by.
func scriptUntil(ts *testscript.TestScript, _ bool, args []string) {
	want, err := regexp.Compile("(?m)" + args[0])
	ts.Check(err)
	end, tick := time.Now().Add(liveTime), time.NewTicker(50*time.Millisecond)
	defer tick.Stop()
	for {
		err := ts.Exec("loom", args[1:]...)
		if out := ts.ReadFile("stdout"); want.MatchString(out) {
			return
		} else if time.Now().After(end) {
			ts.Fatalf("loom %s prints nothing like %s (%v):\n%s\n%s", strings.Join(args[1:], " "), args[0], err, out, ts.ReadFile("stderr"))
		}
		<-tick.C
	}
}
