package sim_test

import (
	"strings"
	"testing"
	"time"

	"github.com/openconfig/gnmi/proto/gnmi"
	"github.com/openconfig/gnmi/proto/gnmi_ext"
	"google.golang.org/grpc/codes"

	"github.com/loomfabric/loom/pkg/sim"
)

const descriptionAt = "/interface[name=e1]/description"

// saving is a stage whose leaf1 saves what it accepts.
func saving(t *testing.T) *stage {
	t.Helper()
	s := newStage(t)
	s.mustSet(s.put("/system/configuration/auto-save", "true"))
	return s
}

// saved returns a leaf of what the device would boot.
func (s *stage) saved(at string) string {
	s.Helper()
	return s.device.Startup().Find(s.path(at)).Value()
}

// strikes tells how often the one active fault has struck.
func (s *stage) strikes() int {
	s.Helper()
	all := s.sim.Faults()
	if len(all) != 1 {
		s.Fatalf("active: %v", all)
	}
	return all[0].Struck
}

func TestANormalisedValueIsWhatTheDeviceHolds(t *testing.T) {
	t.Parallel()
	s := saving(t)
	s.inject("normalise", "leaf1", "path="+descriptionAt, `value="rack 1"`)
	stream := s.subscribe(&gnmi.SubscriptionList{UpdatesOnly: true}, "/interface[name=e1]")
	s.untilSync(stream)
	s.mustSet(s.put("/interface[name=e1]", `{"description":"RACK 1"}`))
	if said := strings.Join(s.next(stream), " "); !strings.Contains(said, `"rack 1"`) || strings.Contains(said, "RACK") {
		t.Errorf("subscribers hear %s, not only what the device holds", said)
	}
	if got := s.saved(descriptionAt); got != "rack 1" {
		t.Errorf("saved %q", got)
	}
	s.mustSet(s.mtu("9000"))
	s.mustSet(&gnmi.SetRequest{Delete: []*gnmi.Path{s.path("/interface[name=e2]").GNMI()}})
	if got := s.strikes(); got != 1 {
		t.Errorf("it struck %d times, once for the leaf", got)
	}
	s.mustSet(&gnmi.SetRequest{Replace: []*gnmi.Update{s.update("/interface[name=e1]", `{"description":"rack 1"}`)}})
	if got := s.strikes(); got != 2 {
		t.Errorf("a Set that says what the device holds has not struck")
	}
	s.mustSet(&gnmi.SetRequest{Delete: []*gnmi.Path{s.path(descriptionAt).GNMI()}})
	s.has(descriptionAt, "")
	s.mustSet(open(s.put(descriptionAt, `"RACK 2"`), "a", time.Minute))
	s.has(descriptionAt, `"rack 1"`)
	s.clock.Advance(time.Minute)
	s.has(descriptionAt, "")
}

// Config-subscription extension §2.2.2: each commit has its boundary. One Set is one of them.
func TestASetThatIsBentIsOneCommit(t *testing.T) {
	t.Parallel()
	for kind, parameters := range map[string][]string{
		"normalise":    {"path=" + descriptionAt, `value="rack 1"`},
		"leaf-ignored": {"path=" + descriptionAt},
	} {
		s := newStage(t)
		s.inject(kind, "leaf1", parameters...)
		stream := s.follow("/interface")
		s.mustSet(s.put("/interface[name=e1]", `{"description":"x","mtu":1500}`))
		s.mustSet(s.mtu("9000"))
		if first, second := commitSerial(s, stream), commitSerial(s, stream); first == "" || second == "" || len(first) == len(second) && first[0]+1 != second[0] {
			t.Errorf("%s: commits %s and %s, want one after the other", kind, first, second)
		}
	}
}

// follow subscribes to commits, and waits for the first state.
func (s *stage) follow(path string) gnmi.GNMI_SubscribeClient {
	s.Helper()
	stream, err := s.gnmi.Subscribe(s.ctx)
	s.check(err)
	s.check(stream.Send(&gnmi.SubscribeRequest{
		Request: &gnmi.SubscribeRequest_Subscribe{Subscribe: &gnmi.SubscriptionList{
			Encoding: gnmi.Encoding_JSON_IETF, Subscription: []*gnmi.Subscription{{Path: s.path(path).GNMI(), Mode: gnmi.SubscriptionMode_ON_CHANGE}},
		}},
		Extension: []*gnmi_ext.Extension{{Ext: &gnmi_ext.Extension_ConfigSubscription{ConfigSubscription: &gnmi_ext.ConfigSubscription{
			Action: &gnmi_ext.ConfigSubscription_Start{Start: &gnmi_ext.ConfigSubscriptionStart{}},
		}}}},
	}))
	s.untilSync(stream)
	return stream
}

// commitSerial returns the number of the next commit.
func commitSerial(s *stage, stream gnmi.GNMI_SubscribeClient) string {
	s.Helper()
	for {
		resp, err := stream.Recv()
		s.check(err)
		for _, e := range resp.GetExtension() {
			if done := e.GetConfigSubscription().GetSyncDone(); done != nil {
				return done.GetServerCommitId()
			}
		}
	}
}

func TestALeafIsIgnoredHoweverItIsAskedFor(t *testing.T) {
	t.Parallel()
	for name, req := range map[string]func(*stage) *gnmi.SetRequest{
		"deleted": func(s *stage) *gnmi.SetRequest {
			return &gnmi.SetRequest{Delete: []*gnmi.Path{s.path(mtuAt).GNMI()}}
		},
		"deleted with its entry": func(s *stage) *gnmi.SetRequest {
			return &gnmi.SetRequest{Delete: []*gnmi.Path{s.path("/interface[name=e1]").GNMI()}}
		},
		"replaced with its entry": func(s *stage) *gnmi.SetRequest {
			return &gnmi.SetRequest{Replace: []*gnmi.Update{s.update("/interface[name=e1]", `{"vlan-tagging":true}`)}}
		},
		"replaced by a union": func(s *stage) *gnmi.SetRequest {
			return &gnmi.SetRequest{UnionReplace: []*gnmi.Update{s.update("/", `{"interface":[{"name":"e1","mtu":9000}]}`)}}
		},
		"updated": func(s *stage) *gnmi.SetRequest { return s.mtu("9000") },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newStage(t)
			s.mustSet(s.mtu("1500"))
			s.inject("leaf-ignored", "leaf1", "path="+mtuAt, "times=1")
			s.mustSet(s.put(descriptionAt, `"another leaf"`)) // which does not count
			s.mustSet(req(s))
			s.has(mtuAt, "1500")
			if got := s.sim.Faults(); len(got) != 0 {
				t.Errorf("active: %v", got)
			}
			s.mustSet(req(s))
			if got := s.running(mtuAt); got == "1500" {
				t.Error("it was ignored twice")
			}
		})
	}
}

func TestHalfOfASetIsDone(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		req   func(*stage) *gnmi.SetRequest
		count string
		want  map[string]string
	}{
		"of one operation, half of its leaves": {
			req:  func(s *stage) *gnmi.SetRequest { return s.put("/interface[name=e1]", `{"description":"x","mtu":9000}`) },
			want: map[string]string{descriptionAt: "x", mtuAt: ""},
		},
		"of a union, half of the leaves that it changes": {
			req: func(s *stage) *gnmi.SetRequest {
				return &gnmi.SetRequest{UnionReplace: []*gnmi.Update{
					s.update("/interface[name=e1]", `{"description":"x"}`), s.update("/interface[name=e1]", `{"mtu":9000}`),
				}}
			},
			want: map[string]string{descriptionAt: "x", mtuAt: ""},
		},
		"of one leaf, the leaf": {
			req:  func(s *stage) *gnmi.SetRequest { return s.mtu("9000") },
			want: map[string]string{mtuAt: "9000"},
		},
		"less than half, where half is not valid": {
			req: func(s *stage) *gnmi.SetRequest {
				return &gnmi.SetRequest{Update: []*gnmi.Update{
					s.update(mtuAt, "9000"), s.update("/interface[name=e2]/ethernet/aggregate-id", `"lag1"`),
					s.update("/interface[name=lag1]", `{}`), s.update("/interface[name=e3]/mtu", "9001"),
				}}
			},
			want: map[string]string{mtuAt: "9000", "/interface[name=e2]/ethernet/aggregate-id": "", "/interface[name=e3]/mtu": ""},
		},
		"as many operations as are asked for": {
			req: func(s *stage) *gnmi.SetRequest {
				return &gnmi.SetRequest{Update: []*gnmi.Update{s.update(mtuAt, "9000"), s.update(descriptionAt, `"x"`), s.update("/interface[name=e2]/mtu", "9001")}}
			},
			count: "1",
			want:  map[string]string{mtuAt: "9000", descriptionAt: "", "/interface[name=e2]/mtu": ""},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newStage(t)
			parameters := []string{"times=1"}
			if c.count != "" {
				parameters = append(parameters, "count="+c.count)
			}
			s.inject("half-applied", "leaf1", parameters...)
			s.refuses(s.set(c.req(s)), codes.Aborted, "refused by an injected fault")
			for at, want := range c.want {
				if got := s.running(at); got != want {
					t.Errorf("%s = %q, want %q", at, got, want)
				}
			}
		})
	}
}

// What is half done was refused: nobody saves it, and a commit that failed is not open.
func TestHalfOfASetIsNotSaved(t *testing.T) {
	t.Parallel()
	for name, req := range map[string]func(*stage) *gnmi.SetRequest{
		"a commit": func(s *stage) *gnmi.SetRequest { return open(s.mtu("9000"), "a", time.Minute) },
		"a Set":    func(s *stage) *gnmi.SetRequest { return s.mtu("9000") },
	} {
		s := saving(t)
		s.inject("half-applied", "leaf1", "times=1")
		s.refuses(s.set(req(s)), codes.Aborted, "")
		s.has(mtuAt, "9000")
		if got := s.saved(mtuAt); got != "" || s.device.Pending() != "" {
			t.Errorf("%s: saved %q, pending %q", name, got, s.device.Pending())
		}
		s.check(s.device.RebootWith(sim.Boot{}))
		s.reconnect()
		s.has(mtuAt, "")
	}
}

// Master arbitration 0.1.0 §3.2: a client that is not the master changes nothing, not even half.
func TestHalfOfASetOfAFormerMasterIsNotDone(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	as := func(req *gnmi.SetRequest, election uint64) *gnmi.SetRequest {
		req.Extension = append(req.Extension, &gnmi_ext.Extension{Ext: &gnmi_ext.Extension_MasterArbitration{
			MasterArbitration: &gnmi_ext.MasterArbitration{ElectionId: &gnmi_ext.Uint128{Low: election}},
		}})
		return req
	}
	s.inject("half-applied", "leaf1")
	s.refuses(s.set(as(s.mtu("9000"), 2)), codes.Aborted, "")
	s.refuses(s.set(as(s.mtu("9001"), 1)), codes.PermissionDenied, "election id")
	s.has(mtuAt, "9000")
	s.refuses(s.set(as(open(s.mtu("9002"), "a", time.Minute), 1)), codes.PermissionDenied, "election id")
	if got := s.strikes(); got != 1 {
		t.Errorf("it struck %d times", got)
	}
}
