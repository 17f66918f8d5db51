//go:build foreign

package sim_test

import (
	"bufio"
	"bytes"
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/openconfig/gnmi/proto/gnmi"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/encoding/prototext"
	"google.golang.org/protobuf/proto"

	"github.com/loomfabric/loom/pkg/config"
	"github.com/loomfabric/loom/pkg/sim"
)

// Clients that nobody here wrote judge the device: OpenConfig's gnmi_cli and grpcurl. `make foreign`
// installs both and says where they are.

// stranger is a simulated device by the host's clock, and how strangers reach it.
type stranger struct {
	*testing.T
	ctx     context.Context
	device  *sim.Device
	ca      string // file
	program string // file
}

// meet starts a device for the program that an environment variable names.
func meet(t *testing.T, variable string) *stranger {
	t.Helper()
	return meetOne(t, variable, leaf1(nil))
}

// meetOne is meet for a device as specified.
func meetOne(t *testing.T, variable string, spec sim.Spec) *stranger {
	t.Helper()
	program := os.Getenv(variable)
	if program == "" {
		t.Fatalf("%s is not set; make foreign sets it", variable)
	}
	s, err := sim.Start(t.Context(), sim.Config{Devices: []sim.Spec{spec}, Username: "admin", Password: "secret"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	ca := filepath.Join(t.TempDir(), "ca.pem")
	if err := os.WriteFile(ca, []byte(s.Inventory().CA), 0o600); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	t.Cleanup(cancel)
	return &stranger{t, ctx, s.Device("leaf1"), ca, program}
}

// says runs the program, and wants it to say certain things, in that order, and to fail or not.
func (s *stranger) says(cmd *exec.Cmd, ok bool, want ...string) {
	s.Helper()
	out, err := cmd.CombinedOutput()
	if got := err == nil; got != ok {
		s.Errorf("%q: %v, want success: %t\n%s", cmd.Args[1:], err, ok, out)
	}
	// Protobuf's text has one space or two behind a colon, as the build of the program decides.
	rest := bytes.ReplaceAll(out, []byte(":  "), []byte(": "))
	for _, w := range want {
		_, after, found := bytes.Cut(rest, []byte(w))
		if !found {
			s.Fatalf("%q: no %q in its place:\n%s", cmd.Args[1:], w, out)
		}
		rest = after
	}
}

// cli is a run of gnmi_cli, which takes its login from the environment.
func (s *stranger) cli(args ...string) *exec.Cmd {
	common := []string{"-a", s.device.Address(), "-ca_crt", s.ca, "-server_name", "leaf1", "-with_user_pass", "-logtostderr", "-dt", "s"}
	cmd := exec.CommandContext(s.ctx, s.program, append(common, args...)...)
	cmd.Env = append(os.Environ(), "GNMI_USER=admin", "GNMI_PASS=secret")
	return cmd
}

// textOf writes a message for gnmi_cli.
func textOf(m proto.Message) string { return prototext.MarshalOptions{}.Format(m) }

func pathOf(s string) *gnmi.Path {
	p, err := config.ParsePath(s)
	if err != nil {
		panic(err)
	}
	return p.GNMI()
}

func valueAt(path, value string) *gnmi.Update {
	return &gnmi.Update{Path: pathOf(path), Val: &gnmi.TypedValue{Value: &gnmi.TypedValue_JsonIetfVal{JsonIetfVal: []byte(value)}}}
}

func getOf(what gnmi.GetRequest_DataType, path string) *gnmi.GetRequest {
	return &gnmi.GetRequest{Type: what, Encoding: gnmi.Encoding_JSON_IETF, Path: []*gnmi.Path{pathOf(path)}}
}

// listOf is a subscription to a path. gnmi_cli wants a prefix, even if there is nothing in it, and
// displays PROTO best.
func listOf(mode gnmi.SubscriptionList_Mode, sub *gnmi.Subscription, path string) *gnmi.SubscribeRequest {
	sub.Path = pathOf(path)
	return &gnmi.SubscribeRequest{Request: &gnmi.SubscribeRequest_Subscribe{Subscribe: &gnmi.SubscriptionList{
		Prefix: &gnmi.Path{}, Mode: mode, Encoding: gnmi.Encoding_PROTO, Subscription: []*gnmi.Subscription{sub}}}}
}

func TestGNMICLIAsksForCapabilities(t *testing.T) {
	s := meet(t, "LOOM_GNMI_CLI")
	s.says(s.cli("-capabilities"), true, `name: "urn:test/interfaces:test-interfaces"`, "supported_encodings: JSON_IETF", `gNMI_version: "0.10.0"`)
}

func TestGNMICLISetsAndGets(t *testing.T) {
	s := meet(t, "LOOM_GNMI_CLI")
	set := func(req *gnmi.SetRequest, want string) {
		t.Helper()
		s.says(s.cli("-set", "-proto", textOf(req)), true, want)
	}
	get := func(what gnmi.GetRequest_DataType, path string, want ...string) {
		t.Helper()
		s.says(s.cli("-get", "-proto", textOf(getOf(what, path))), true, want...)
	}
	set(&gnmi.SetRequest{Update: []*gnmi.Update{valueAt(mtu, "9000")}}, "op: UPDATE")
	get(gnmi.GetRequest_CONFIG, mtu, `json_ietf_val: "9000"`)
	get(gnmi.GetRequest_STATE, "/interface[name=e1]/oper-state", `json_ietf_val: "\"up\""`)
	get(gnmi.GetRequest_OPERATIONAL, "/interface[name=e1]/oper-state", `json_ietf_val: "\"up\""`)
	get(gnmi.GetRequest_ALL, "/interface[name=e1]", `mtu\":9000`, `oper-state\":\"up\"`)

	set(&gnmi.SetRequest{Replace: []*gnmi.Update{valueAt("/interface[name=e1]", `{"description":"x"}`)}}, "op: REPLACE")
	get(gnmi.GetRequest_CONFIG, "/interface[name=e1]", `description\":\"x\"`)
	if got := s.device.Running().Find(configPath(mtu)).Value(); got != "" {
		t.Errorf("mtu = %q after the replace", got)
	}
	set(&gnmi.SetRequest{Delete: []*gnmi.Path{pathOf("/interface[name=e1]")}}, "op: DELETE")
	if s.device.Running().Find(configPath("/interface[name=e1]")).Valid() {
		t.Error("the interface is there after the delete")
	}
}

func configPath(s string) config.Path {
	p, _ := config.FromGNMI(nil, pathOf(s))
	return p
}

func TestGNMICLIIsRefused(t *testing.T) {
	s := meet(t, "LOOM_GNMI_CLI")
	s.says(s.cli("-get", "-proto", textOf(getOf(gnmi.GetRequest_ALL, "/nothing"))), false, "InvalidArgument", "unknown element 'nothing'")
	s.says(s.cli("-set", "-proto", textOf(&gnmi.SetRequest{Update: []*gnmi.Update{valueAt(mtu, "1")}})), false, "InvalidArgument")
	s.says(s.cli("-q", "interface"), false, "Unimplemented", "encoding") // left to itself it asks for JSON
	stranger := s.cli("-capabilities")
	stranger.Env = append(stranger.Env, "GNMI_PASS=wrong")
	s.says(stranger, false, "Unauthenticated")
}

func TestGNMICLISubscribesOnce(t *testing.T) {
	s := meet(t, "LOOM_GNMI_CLI")
	s.says(s.cli("-proto", textOf(listOf(gnmi.SubscriptionList_ONCE, &gnmi.Subscription{}, "/system/name"))), true, "system/name/host-name, leaf1\n")
}

// It polls when it has heard a first sync_response.
func TestGNMICLIPolls(t *testing.T) {
	s := meet(t, "LOOM_GNMI_CLI")
	req := listOf(gnmi.SubscriptionList_POLL, &gnmi.Subscription{}, "/system/name")
	s.says(s.cli("-pi", "10ms", "-c", "1", "-proto", textOf(req)), true, "system/name/host-name, leaf1\n")
}

// streams runs gnmi_cli on a subscription that has no end, and hands each line that it prints to a step,
// one after the other.
func (s *stranger) streams(req *gnmi.SubscribeRequest, steps ...func(line string)) {
	s.Helper()
	cmd := s.cli("-proto", textOf(req))
	out, err := cmd.StdoutPipe()
	if err != nil {
		s.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		s.Fatal(err)
	}
	defer cmd.Wait()
	defer cmd.Process.Kill()
	lines := bufio.NewReader(out)
	for _, step := range steps {
		line, err := lines.ReadString('\n')
		if err != nil {
			s.Fatalf("%q: %v", cmd.Args[1:], err)
		}
		step(strings.TrimSpace(line))
	}
}

// is returns a step that wants a line, and then does something.
func (s *stranger) is(want string, then ...func()) func(string) {
	return func(got string) {
		s.Helper()
		if got != want {
			s.Errorf("got %q, want %q", got, want)
		}
		for _, do := range then {
			do()
		}
	}
}

func TestGNMICLISamples(t *testing.T) {
	s := meet(t, "LOOM_GNMI_CLI")
	const line = "system/name/host-name, leaf1"
	sub := &gnmi.Subscription{Mode: gnmi.SubscriptionMode_SAMPLE, SampleInterval: 1e9}
	s.streams(listOf(gnmi.SubscriptionList_STREAM, sub, "/system/name/host-name"), s.is(line), s.is(line), s.is(line))
}

func TestGNMICLIHearsOfChanges(t *testing.T) {
	s := meet(t, "LOOM_GNMI_CLI")
	rename := func() {
		if err := s.device.Apply(&gnmi.SetRequest{Update: []*gnmi.Update{valueAt("/system/name/host-name", `"other"`)}}); err != nil {
			t.Error(err)
		}
	}
	sub := &gnmi.Subscription{Mode: gnmi.SubscriptionMode_ON_CHANGE}
	s.streams(listOf(gnmi.SubscriptionList_STREAM, sub, "/system/name/host-name"),
		s.is("system/name/host-name, leaf1", rename), s.is("system/name/host-name, other"))
}

// curl is a run of grpcurl with a password. It knows nothing of gNMI but what reflection tells it.
func (s *stranger) curl(password string, args ...string) *exec.Cmd {
	common := []string{"-cacert", s.ca, "-authority", "leaf1", "-H", "username: admin", "-H", "password: " + password}
	return exec.CommandContext(s.ctx, s.program, append(common, args...)...)
}

// jsonOf writes messages for grpcurl.
func jsonOf(messages ...proto.Message) string {
	var b strings.Builder
	for _, m := range messages {
		b.WriteString(protojson.MarshalOptions{}.Format(m) + "\n")
	}
	return b.String()
}

func TestGRPCurlFindsOutWhatThereIs(t *testing.T) {
	s := meet(t, "LOOM_GRPCURL")
	at := s.device.Address()
	s.says(s.curl("secret", at, "list"), true, "gnmi.gNMI\n", "gnoi.file.File\n", "gnoi.system.System\n")
	s.says(s.curl("secret", at, "describe", "gnmi.gNMI"), true, "rpc Capabilities", "rpc Get", "rpc Set", "rpc Subscribe ( stream .gnmi.SubscribeRequest )")
	s.says(s.curl("wrong", at, "list"), false, "Unauthenticated")
}

func TestGRPCurlCalls(t *testing.T) {
	s := meet(t, "LOOM_GRPCURL")
	at := s.device.Address()
	s.says(s.curl("secret", at, "gnmi.gNMI/Capabilities"), true, `"gNMIVersion": "0.10.0"`)
	s.says(s.curl("secret", at, "gnoi.system.System/Time"), true, `"time": `)
	s.says(s.curl("secret", "-d", jsonOf(getOf(gnmi.GetRequest_CONFIG, "/system/name/host-name")), at, "gnmi.gNMI/Get"), true, `"jsonIetfVal": "ImxlYWYxIg=="`)
	s.says(s.curl("secret", "-d", jsonOf(&gnmi.SetRequest{Update: []*gnmi.Update{valueAt(mtu, "1")}}), at, "gnmi.gNMI/Set"), false, "InvalidArgument")
	s.says(s.curl("wrong", "-reflect-header", "username: admin", "-reflect-header", "password: secret", at, "gnmi.gNMI/Capabilities"), false, "Unauthenticated")
}

func TestGRPCurlTrustsOnlyTheDevice(t *testing.T) {
	s := meet(t, "LOOM_GRPCURL")
	at := s.device.Address()
	s.says(s.curl("secret", "-connect-timeout", "2", "-authority", "leaf2", at, "list"), false, "valid for leaf1, not leaf2")
	plain := []string{"-plaintext", "-connect-timeout", "2", "-H", "username: admin", "-H", "password: secret", at, "list"}
	s.says(exec.CommandContext(s.ctx, s.program, plain...), false, "Failed to dial")
}

func TestGRPCurlPolls(t *testing.T) {
	s := meet(t, "LOOM_GRPCURL")
	poll := &gnmi.SubscribeRequest{Request: &gnmi.SubscribeRequest_Poll{Poll: &gnmi.Poll{}}}
	messages := jsonOf(listOf(gnmi.SubscriptionList_POLL, &gnmi.Subscription{}, "/system/name/host-name"), poll, poll)
	answer := []string{`"stringVal": "leaf1"`, `"syncResponse": true`}
	s.says(s.curl("secret", "-d", messages, s.device.Address(), "gnmi.gNMI/Subscribe"), true, append(answer, answer...)...)
}

// An SR Linux device is met by the same programs, up to the Set that locks them out.
func TestGNMICLIMeetsARouter(t *testing.T) {
	s := meetOne(t, "LOOM_GNMI_CLI", router(t, ""))
	const port = "/interface[name=ethernet-1/1]"
	s.says(s.cli("-capabilities"), true, "srl_nokia-interfaces", `gNMI_version: "0.10.0"`)
	s.says(s.cli("-set", "-proto", textOf(&gnmi.SetRequest{Update: []*gnmi.Update{valueAt(port+"/mtu", "9000")}})), true, "op: UPDATE")
	s.says(s.cli("-get", "-proto", textOf(getOf(gnmi.GetRequest_ALL, port))), true, `admin-state\":\"enable\"`, `mtu\":9000`)
	s.says(s.cli("-proto", textOf(listOf(gnmi.SubscriptionList_ONCE, &gnmi.Subscription{}, port+"/mtu"))), true, "interface/ethernet-1/1/mtu, 9000\n")
	s.says(s.cli("-set", "-proto", textOf(&gnmi.SetRequest{Update: []*gnmi.Update{valueAt(port+"/mtu", "9500")}})), false, "InvalidArgument", "mtu 9500 out of range [1500-9412]")
	s.says(s.cli("-set", "-proto", textOf(&gnmi.SetRequest{Update: []*gnmi.Update{valueAt(theServer+"/admin-state", `"disable"`)}})), true, "op: UPDATE")
}

func TestGRPCurlMeetsARouter(t *testing.T) {
	s := meetOne(t, "LOOM_GRPCURL", router(t, ""))
	at := s.device.Address()
	s.says(s.curl("secret", at, "list"), true, "gnmi.gNMI\n", "gnoi.system.System\n")
	s.says(s.curl("secret", "-d", jsonOf(getOf(gnmi.GetRequest_STATE, "/platform/chassis/type")), at, "gnmi.gNMI/Get"), true, `"jsonIetfVal"`)
	s.says(s.curl("wrong", at, "list"), false, "Unauthenticated")
}
