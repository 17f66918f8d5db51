//go:build foreign

package main

import (
	"bufio"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/openconfig/gnmi/proto/gnmi"
	"google.golang.org/protobuf/encoding/prototext"
)

// OpenConfig's gnmi_cli, which nobody here wrote, is served as it is by a device. `make foreign` installs it and says where it is.
func TestGNMICLIIsServedByTheController(t *testing.T) {
	program := os.Getenv("LOOM_GNMI_CLI")
	if program == "" {
		t.Fatal("LOOM_GNMI_CLI is not set; make foreign sets it")
	}
	c := newServed(t, filepath.Join("testdata", "pair.yaml"))
	cli := func(args ...string) *exec.Cmd {
		at := c.there.context
		common := []string{"-a", at.Server, "-ca_crt", at.CA, "-client_crt", at.Cert, "-client_key", at.Key, "-logtostderr", "-dt", "s"}
		return exec.CommandContext(t.Context(), program, append(common, args...)...)
	}
	asking := func(mode gnmi.SubscriptionList_Mode, target string) string {
		r := wish(target, mode, "/system/name/host-name")
		r.GetSubscribe().Encoding = gnmi.Encoding_PROTO // which it displays best
		return prototext.MarshalOptions{}.Format(r)
	}
	for name, run := range map[string]struct {
		args []string
		ok   bool
		says string
	}{
		"capabilities":      {[]string{"-capabilities"}, true, "srl_nokia-interfaces"},
		"get":               {[]string{"-get", "-proto", prototext.MarshalOptions{}.Format(&gnmi.GetRequest{Prefix: &gnmi.Path{Target: "leaf1"}, Encoding: gnmi.Encoding_JSON_IETF, Path: []*gnmi.Path{mustPath("/system/name/host-name").GNMI()}})}, true, `\"leaf1\"`},
		"once":              {[]string{"-proto", asking(gnmi.SubscriptionList_ONCE, "leaf2")}, true, "leaf2/system/name/host-name, leaf2"},
		"poll":              {[]string{"-pi", "10ms", "-c", "1", "-proto", asking(gnmi.SubscriptionList_POLL, "leaf1")}, true, "leaf1/system/name/host-name, leaf1"},
		"set":               {[]string{"-set", "-proto", prototext.MarshalOptions{}.Format(&gnmi.SetRequest{Prefix: &gnmi.Path{Target: "leaf1"}})}, false, "loom intent put"},
		"an unknown target": {[]string{"-proto", asking(gnmi.SubscriptionList_ONCE, "leaf9")}, false, "leaf9"},
	} {
		out, err := cli(run.args...).CombinedOutput()
		if (err == nil) != run.ok || !strings.Contains(string(out), run.says) {
			t.Errorf("%s: %v, want success %t and %q:\n%s", name, err, run.ok, run.says, out)
		}
	}

	stream := cli("-proto", asking(gnmi.SubscriptionList_STREAM, "leaf1"))
	out, err := stream.StdoutPipe()
	c.check(err)
	c.check(stream.Start())
	defer stream.Wait()
	defer stream.Process.Kill()
	lines := bufio.NewReader(out)
	for _, want := range []string{"leaf1", "other"} {
		line, err := lines.ReadString('\n')
		if err != nil || strings.TrimSpace(line) != "leaf1/system/name/host-name, "+want {
			t.Errorf("stream: %q, %v, want %s", line, err, want)
		}
		c.box("leaf1", map[string]string{"/system/name/host-name": "other"})
	}
}
