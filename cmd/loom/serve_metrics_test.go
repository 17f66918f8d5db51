package main

import (
	"crypto/rand"
	"crypto/tls"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/loomfabric/loom/models/api"
	"github.com/loomfabric/loom/pkg/auth"
	"google.golang.org/protobuf/types/known/durationpb"
)

// Prometheus is told of a controller that finds drift, and takes it back, just what docs/metrics.md says.
func TestMetrics(t *testing.T) {
	t.Parallel()
	c := newServed(t, filepath.Join("testdata", "pair.yaml"))
	pages := httptest.NewUnstartedServer(c.s.pages(http.NotFoundHandler()))
	pages.TLS = c.s.book.keys.server()
	pages.StartTLS()
	t.Cleanup(pages.Close)
	c.box("leaf1", map[string]string{"/system/name/host-name": "somebody"})
	c.until(func() string { return "no finding" }, func() bool { return c.f.watch.count()["drift"] == 1 })
	was := c.scrape(t, pages.URL)
	plans := api.NewPlanServiceClient(c.there)
	made, err := plans.CreatePlan(t.Context(), &api.CreatePlanRequest{Topology: c.f.name})
	c.check(err)
	applied, err := plans.ApplyPlan(t.Context(), &api.ApplyPlanRequest{Id: made.GetPlan().GetId(), Hash: made.GetPlan().GetHash(), Gate: durationpb.New(0)})
	c.check(err)
	for err == nil {
		_, err = applied.Recv()
	}
	_, err = plans.GetPlan(t.Context(), &api.GetPlanRequest{Id: "none"})
	if err == nil {
		t.Error("there is no such plan")
	}
	c.until(func() string { return "still a finding" }, func() bool { return c.f.watch.count()["drift"] == 0 })
	c.s.measures.eventsLost(2)
	now := c.scrape(t, pages.URL)
	for _, tc := range []struct {
		name, sample string
		was, now     float64 // -1: at least 1
	}{
		{"a device drifts", `loom_devices{status="drifted",topology="pair"}`, 1, 0},
		{"the others do not", `loom_devices{status="in sync",topology="pair"}`, float64(len(c.n.trees) - 1), float64(len(c.n.trees))},
		{"by a leaf", `loom_drifts{topology="pair"}`, 1, 0},
		{"of this one", `loom_device_drifts{device="leaf1",topology="pair"}`, 1, 0},
		{"which answers", `loom_device_reachable{device="leaf1",topology="pair"}`, 1, 1},
		{"and has told of it", `loom_device_leaves_received_total{device="leaf1",topology="pair"}`, -1, -1},
		{"a finding says so", `loom_findings{kind="drift",topology="pair"}`, 1, 0},
		{"the topology is followed", `loom_topology_followed{topology="pair"}`, 1, 1},
		{"at its first revision", `loom_topology_revision{topology="pair"}`, 1, 1},
		{"a plan was made", `loom_api_calls_total{code="OK",method="/loom.v1.PlanService/CreatePlan"}`, 0, 1},
		{"how long that took is known", `loom_api_call_seconds{method="/loom.v1.PlanService/CreatePlan"}`, 0, 1},
		{"a stream has carried it out", `loom_api_calls_total{code="OK",method="/loom.v1.PlanService/ApplyPlan"}`, 0, 1},
		{"it is not open any more", `loom_api_streams{method="/loom.v1.PlanService/ApplyPlan"}`, 0, 0},
		{"who asks for what is not there is counted, too", `loom_api_calls_total{code="NotFound",method="/loom.v1.PlanService/GetPlan"}`, 0, 1},
		{"the transaction was done", `loom_transactions_total{outcome="done",topology="pair"}`, 0, 1},
		{"how long it took", `loom_transaction_seconds{outcome="done",topology="pair"}`, 0, 1},
		{"it had one wave", `loom_transaction_wave_seconds{topology="pair"}`, 0, 1},
		{"it is over", `loom_transactions_running{topology="pair"}`, 0, 0},
		{"the store has written", `loom_store_commits_total{outcome="committed"}`, -1, -1},
		{"events were lost", `loom_events_lost_total`, 0, 2},
		{"events were kept", `loom_events_kept_total`, -1, -1},
	} {
		for _, is := range []struct {
			when string
			got  float64
			want float64
		}{{"before", was.samples[tc.sample], tc.was}, {"after", now.samples[tc.sample], tc.now}} {
			if is.want < 0 && is.got < 1 || is.want >= 0 && is.got != is.want {
				t.Errorf("%s: %s %s is %v, want %v", tc.name, tc.sample, is.when, is.got, is.want)
			}
		}
	}
	for _, m := range c.s.measures.list {
		f := now.families[m.name]
		if f == nil || f.help != m.help || f.kind != m.kind {
			t.Errorf("%s is documented as a %s: %q; told is %v", m.name, m.kind, m.help, f)
			continue
		}
		slices.Sort(m.labels)
		slices.Sort(f.labels)
		if !slices.Equal(m.labels, f.labels) {
			t.Errorf("%s: labels %q, documented are %q", m.name, f.labels, m.labels)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(now.families)) {
		documented := slices.ContainsFunc(c.s.measures.list, func(m metric) bool { return m.name == name })
		if !documented && !strings.HasPrefix(name, "go_") && !strings.HasPrefix(name, "process_") {
			t.Errorf("%s is told, and documented nowhere", name)
		}
	}
	for _, tc := range []struct {
		name, role string
		code       int
	}{
		{"whoever sees everything sees metrics", "viewer", http.StatusOK},
		{"who has no role does not", "", http.StatusForbidden},
	} {
		t.Run(tc.name, func(t *testing.T) {
			if _, code := c.get(t, pages.URL+"/metrics", "ann", tc.role); code != tc.code {
				t.Errorf("status %d, want %d", code, tc.code)
			}
		})
	}
}

// scraped is what Prometheus was told.
type scraped struct {
	families map[string]*family
	samples  map[string]float64 // of a histogram, how many it has
}

type family struct {
	kind, help string
	labels     []string // of its last sample
}

func (c *served) scrape(t *testing.T, base string) scraped {
	t.Helper()
	text, code := c.get(t, base+"/metrics", "prometheus", "viewer")
	if code != http.StatusOK {
		t.Fatalf("status %d: %s", code, text)
	}
	out := scraped{map[string]*family{}, map[string]float64{}}
	for line := range strings.Lines(text) {
		line = strings.TrimSpace(line)
		if comment, ok := strings.CutPrefix(line, "# "); ok {
			kind, rest, _ := strings.Cut(comment, " ")
			name, says, _ := strings.Cut(rest, " ")
			f := out.families[name]
			if f == nil {
				f = &family{}
				out.families[name] = f
			}
			if kind == "HELP" {
				f.help = says
			} else {
				f.kind = says
			}
			continue
		}
		at := strings.LastIndex(line, " ") // labels may have blanks
		value, err := strconv.ParseFloat(line[at+1:], 64)
		c.check(err)
		key := line[:at]
		name, labels, _ := strings.Cut(key, "{")
		f := out.families[name]
		if f == nil { // a part of a histogram
			key = strings.Replace(key, "_count", "", 1)
			f = out.families[strings.TrimSuffix(name, "_count")]
		}
		if f != nil {
			out.samples[key] = value
			f.labels = nil
			for _, l := range labelNames.FindAllStringSubmatch(labels, -1) {
				f.labels = append(f.labels, l[1])
			}
		}
	}
	return out
}

var labelNames = regexp.MustCompile(`(\w+)="`)

// get asks for a page as somebody with a role; an empty one has none.
func (c *served) get(t *testing.T, url, name, role string) (string, int) {
	t.Helper()
	var roles []string
	if role != "" {
		roles = append(roles, auth.Organization(role))
	}
	p, err := c.s.book.keys.authority().Client(name, roles, time.Now(), rand.Reader)
	c.check(err)
	pair, err := tls.X509KeyPair(p.Certificate, p.Key)
	c.check(err)
	r := &restCaller{t: t, base: url, tls: &tls.Config{RootCAs: c.s.book.keys.authority().Pool(), Certificates: []tls.Certificate{pair}}}
	r.dial()
	res, err := r.send(restRequest{method: http.MethodGet})
	c.check(err)
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	c.check(err)
	return string(text), res.StatusCode
}

// docs/metrics.md has every metric; -update writes it.
func TestMetricsAreDocumented(t *testing.T) {
	t.Parallel()
	page := filepath.Join(root, "docs", "metrics.md")
	want, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	const begin, end = "<!-- begin: made by go test ./cmd/loom -run TestMetricsAreDocumented -update -->\n", "<!-- end -->\n"
	head, rest, ok := strings.Cut(string(want), begin)
	_, tail, closed := strings.Cut(rest, end)
	if !ok || !closed {
		t.Fatalf("%s: lacks %q and %q around its table", page, begin, end)
	}
	got := head + begin + metricsTable(newMeasures(nil).list) + end + tail
	if *update {
		if err := os.WriteFile(page, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("%s (-is +should be); go test ./cmd/loom -run TestMetricsAreDocumented -update writes it:\n%s", page, diff)
	}
}

func metricsTable(list []metric) string {
	list = slices.Clone(list)
	slices.SortFunc(list, func(a, b metric) int { return strings.Compare(a.name, b.name) })
	var b strings.Builder
	b.WriteString("| Metric | Kind | Labels | What |\n|---|---|---|---|\n")
	for _, m := range list {
		fmt.Fprintf(&b, "| `%s` | %s | %s | %s |\n", m.name, m.kind, strings.Join(m.labels, ", "), m.help)
	}
	return b.String()
}

// Every metric that the dashboard and the alerts of the examples name exists.
func TestExamplesOfMetrics(t *testing.T) {
	t.Parallel()
	told := map[string]bool{}
	for _, m := range newMeasures(nil).list {
		if m.kind != "histogram" {
			told[m.name] = true
			continue
		}
		for _, part := range []string{"_bucket", "_sum", "_count"} {
			told[m.name+part] = true
		}
	}
	for _, name := range []string{"process_cpu_seconds_total", "process_resident_memory_bytes", "process_open_fds", "process_max_fds", "go_goroutines"} {
		told[name] = true
	}
	names := regexp.MustCompile(`\b(loom|go|process)_[a-z_]+\b`)
	files, err := filepath.Glob(filepath.Join(root, "examples", "prometheus", "*"))
	if err != nil || len(files) < 2 {
		t.Fatalf("%v %v", files, err)
	}
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if filepath.Ext(file) == ".json" {
			var dashboard struct {
				Title  string
				Panels []struct {
					Title   string
					Targets []struct{ Expr string }
				}
			}
			if err := json.Unmarshal(data, &dashboard); err != nil {
				t.Errorf("%s: %v", file, err)
			}
			for _, p := range dashboard.Panels {
				for _, target := range p.Targets {
					if !names.MatchString(target.Expr) {
						t.Errorf("%s: %s: %q asks for no metric", file, p.Title, target.Expr)
					}
				}
			}
		}
		found := names.FindAllString(string(data), -1)
		for _, name := range found {
			if !told[name] {
				t.Errorf("%s: there is no metric %s", file, name)
			}
		}
		if len(found) == 0 {
			t.Errorf("%s names no metric", file)
		}
	}
}
