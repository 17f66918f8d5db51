package main

import (
	"bufio"
	"bytes"
	"context"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"io"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/loomfabric/loom/models/api"
	"github.com/loomfabric/loom/pkg/auth"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/metadata"
)

// serveREST starts a controller that speaks REST, over the simulated devices of a topology.
func serveREST(t *testing.T, topology string) (*serveProcess, callContext) {
	t.Helper()
	f := newFleet(t, topology, bgpComputed)
	p := &serveProcess{t: t, dir: t.TempDir(), address: "127.0.0.1:0", rest: "127.0.0.1:0"}
	if err := os.WriteFile(filepath.Join(p.dir, "inventory.json"), f.sim.Inventory().JSON(), 0o600); err != nil {
		t.Fatal(err)
	}
	p.start()
	t.Cleanup(p.kill)
	var first callContext
	until(t, "the controller listens", func() bool {
		all := contexts{file: filepath.Join(p.dir, "contexts.json")}
		data, err := os.ReadFile(all.file)
		if err != nil || json.Unmarshal(data, &all) != nil || len(all.List) == 0 {
			return false
		}
		first = all.List[0]
		return true
	})
	return p, first
}

// restCaller is somebody who calls over HTTP.
type restCaller struct {
	t      *testing.T
	base   string
	tls    *tls.Config
	http1  bool
	client *http.Client
}

// callREST is a caller with a certificate of the controller's authority; without a name, the administrator.
func callREST(t *testing.T, c callContext, name string) *restCaller {
	t.Helper()
	trusted, err := os.ReadFile(c.CA)
	if err != nil {
		t.Fatal(err)
	}
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM(trusted)
	pair, err := tls.LoadX509KeyPair(c.Cert, c.Key)
	if name != "" {
		pair = certificateOf(t, filepath.Dir(c.CA), name)
	}
	if err != nil {
		t.Fatal(err)
	}
	r := &restCaller{t: t, base: "https://" + c.REST, tls: &tls.Config{RootCAs: pool, Certificates: []tls.Certificate{pair}}}
	r.dial()
	return r
}

// dial has the caller come with its certificates as they are now.
func (r *restCaller) dial() {
	transport := &http.Transport{TLSClientConfig: r.tls, ForceAttemptHTTP2: !r.http1}
	r.t.Cleanup(transport.CloseIdleConnections)
	r.client = &http.Client{Transport: transport, Timeout: time.Minute}
}

// certificateOf is a certificate that the authority in a directory issues.
func certificateOf(t *testing.T, dir, name string) tls.Certificate {
	t.Helper()
	cert, err := os.ReadFile(filepath.Join(dir, "ca.pem"))
	if err != nil {
		t.Fatal(err)
	}
	key, err := os.ReadFile(filepath.Join(dir, "ca.key"))
	if err != nil {
		t.Fatal(err)
	}
	ca, err := auth.ReadAuthority(auth.Pair{Certificate: cert, Key: key})
	if err != nil {
		t.Fatal(err)
	}
	p, err := ca.Client(name, []string{auth.Admin}, time.Now(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	pair, err := tls.X509KeyPair(p.Certificate, p.Key)
	if err != nil {
		t.Fatal(err)
	}
	return pair
}

// request is one request, and what is to come of it.
type restRequest struct {
	name   string
	method string
	path   string
	body   io.Reader // JSON, unless the header says something else
	header map[string]string
	status int
	says   []string // parts of the answer
}

func (r *restCaller) send(q restRequest) (*http.Response, error) {
	req, err := http.NewRequestWithContext(r.t.Context(), q.method, r.base+q.path, q.body)
	if err != nil {
		r.t.Fatal(err)
	}
	if q.body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	for k, v := range q.header {
		req.Header.Set(k, v)
	}
	return r.client.Do(req)
}

// do sends a request, demands what is to come of it, and returns the answer.
func (r *restCaller) do(t *testing.T, q restRequest) string {
	t.Helper()
	res, err := r.send(q)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	data, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	if res.StatusCode != q.status {
		t.Fatalf("%s %s: status %d, want %d: %.2000s", q.method, q.path, res.StatusCode, q.status, data)
	}
	if q.status >= 300 && q.status != http.StatusRequestHeaderFieldsTooLarge {
		var e struct {
			Code    int
			Message string
		}
		if err := json.Unmarshal(data, &e); err != nil || e.Code == 0 || e.Message == "" {
			t.Errorf("%s: an error is a code and a message: %.300s", q.path, data)
		}
	}
	var plain bytes.Buffer
	_ = json.Compact(&plain, data)
	for _, want := range q.says {
		if !strings.Contains(plain.String(), want) {
			t.Errorf("%s %s: no %s in %.2000s", q.method, q.path, want, plain.String())
		}
	}
	return plain.String()
}

// putBody is a PutTopologyRequest.
func putBody(t *testing.T, name, data string, more map[string]any) io.Reader {
	t.Helper()
	m := map[string]any{"files": []any{map[string]any{"name": name, "data": []byte(data)}}}
	maps.Copy(m, more)
	out, err := json.Marshal(m)
	if err != nil {
		t.Fatal(err)
	}
	return bytes.NewReader(out)
}

func TestREST(t *testing.T) {
	t.Parallel()
	_, where := serveREST(t, "tiny.yaml")
	admin, ann := callREST(t, where, ""), callREST(t, where, "ann")
	tiny := read(t, "topologies/tiny.yaml")
	admins, err := tls.LoadX509KeyPair(where.Cert, where.Key)
	if err != nil {
		t.Fatal(err)
	}
	old := callREST(t, where, "") // a client of HTTP/2 keeps to the limit of headers by itself
	old.http1 = true
	old.dial()
	spoofed := base64.StdEncoding.EncodeToString(admins.Certificate[0])
	events := admin.watch(t, "/v1/events:watch?kinds=intent")

	for _, tt := range []struct {
		restRequest
		by *restCaller
	}{
		{restRequest{"a topology is put", "POST", "/v1/topologies:put", putBody(t, "tiny.yaml", tiny, nil), nil, 200, []string{`"number":"1"`, `"by":"admin"`}}, admin},
		{restRequest{"who calls is who the certificate is for, whatever headers say", "POST", "/v1/topologies:put", putBody(t, "tiny.yaml", tiny+"# 2\n", nil),
			map[string]string{"Grpc-Metadata-Loom-Certificate-Bin": spoofed, "Loom-Certificate-Bin": spoofed}, 200, []string{`"number":"2"`, `"by":"ann"`}}, ann},
		{restRequest{"a mistake has its place", "POST", "/v1/topologies:put", putBody(t, "tiny.yaml", strings.Replace(tiny, "[web]", "[wbe]", 1), nil),
			nil, 400, []string{`"@type":"type.googleapis.com/loom.v1.Mistake"`, `"at":"tiny.yaml:`}}, admin},
		{restRequest{"another revision than the expected one is a conflict", "POST", "/v1/topologies:put", putBody(t, "tiny.yaml", tiny, map[string]any{"expectedRevision": 7}),
			nil, 409, []string{`loom.v1.Conflict`, `"actual":"2"`}}, admin},
		{restRequest{"a field that is none is not passed over", "POST", "/v1/topologies:put", putBody(t, "tiny.yaml", tiny, map[string]any{"expectedRevison": 7}), nil, 400, []string{"expectedRevison"}}, admin},
		{restRequest{"a parameter that is none is not passed over", "DELETE", "/v1/topologies/tiny?expectedRevison=7", nil, nil, 400, []string{"expectedRevison"}}, admin},
		{restRequest{"nor is one of a stream", "GET", "/v1/events:watch?after=7", nil, nil, 400, []string{"after"}}, admin},
		{restRequest{"a parameter beside a body is not passed over", "POST", "/v1/topologies:put?dryRun=true", putBody(t, "tiny.yaml", tiny, nil), nil, 400, []string{"dryRun"}}, admin},
		{restRequest{"a form of a browser is refused", "POST", "/v1/topologies:put", strings.NewReader("{}"), map[string]string{"Content-Type": "text/plain"}, 415, nil}, admin},
		{restRequest{"a page of somebody else cannot call", "POST", "/v1/topologies:put", putBody(t, "tiny.yaml", tiny, nil), map[string]string{"Origin": "https://elsewhere.example"}, 403, nil}, admin},
		{restRequest{"a method is what it says", "POST", "/v1/topologies/tiny", strings.NewReader("{}"), map[string]string{"X-HTTP-Method-Override": "DELETE"}, 405, nil}, admin},
		{restRequest{"a path that is none", "GET", "/v2/topologies", nil, nil, 404, []string{"/openapi.json"}}, admin},
		{restRequest{"a body has a limit", "POST", "/v1/topologies:put", io.LimitReader(blanks{}, mostMessage+1), nil, 413, []string{"64 MiB"}}, admin},
		{restRequest{"headers have a limit", "GET", "/v1/topologies", nil, map[string]string{"X-Long": strings.Repeat("x", 2*mostHeaders)}, 431, nil}, old},
		{restRequest{"what is no JSON", "POST", "/v1/topologies:put", strings.NewReader("loom: v1"), nil, 400, nil}, admin},
		{restRequest{"none of these has written", "GET", "/v1/topologies/tiny/revisions?pageSize=1", nil, nil, 200, []string{`"number":"2"`}}, admin},
		{restRequest{"a list goes on with its token", "GET", "/v1/topologies/tiny/resources?pageSize=1", nil, nil, 200, []string{`"nextPageToken":"`}}, admin},
		{restRequest{"names of resources have slashes", "GET", "/v1/topologies/tiny/resources/tenants/red/segments/web", nil, nil, 200, []string{`"name":"tenants/red/segments/web"`, `"segment":{`}}, admin},
		{restRequest{"one that is not there", "GET", "/v1/topologies/tiny/resources/tenants/blue", nil, nil, 404, []string{"tenants/blue"}}, admin},
		{restRequest{"a resource is put under its name", "PUT", "/v1/topologies/tiny/resources/tenants/red/segments/app",
			strings.NewReader(`{"resource":{"segment":{"name":"app","number":11}},"dryRun":true}`), nil, 200, nil}, admin},
		{restRequest{"devices are listed", "GET", "/v1/devices?topology=tiny&readMask=name", nil, nil, 200, []string{`"name":"leaf1"`}}, admin},
		{restRequest{"a plan that is not there", "GET", "/v1/plans/none", nil, nil, 404, nil}, admin},
		{restRequest{"the controller says that it is well", "GET", "/healthz", nil, nil, 200, []string{"SERVING"}}, admin},
		{restRequest{"the document of the API is there", "GET", "/openapi.json", nil, nil, 200, []string{`"swagger":"2.0"`}}, admin},
	} {
		t.Run(tt.name, func(t *testing.T) { tt.by.do(t, tt.restRequest) })
	}
	for _, want := range []string{`"by":"admin"`, `"by":"ann"`} {
		if line := events(); !strings.Contains(line, want) || !strings.Contains(line, `"resumeToken":"`) {
			t.Errorf("a watch says %s, want %s", line, want)
		}
	}
	t.Run("every call of the document is there", func(t *testing.T) { everyCall(t, admin) })
	t.Run("nobody calls without a certificate of the authority, nor with TLS 1.2", func(t *testing.T) { strangers(t, where) })
	t.Run("what REST says inside of the process means nothing over gRPC", func(t *testing.T) { spoofGRPC(t, ann, where, string(admins.Certificate[0]), tiny) })
}

// everyCall calls what the document has, of things that are not there.
func everyCall(t *testing.T, r *restCaller) {
	var doc struct{ Paths map[string]map[string]any }
	if err := json.Unmarshal(api.OpenAPI, &doc); err != nil {
		t.Fatal(err)
	}
	parameter := regexp.MustCompile(`\{[^}]*\}`)
	for path, methods := range doc.Paths {
		for method := range methods {
			q := restRequest{method: strings.ToUpper(method), path: parameter.ReplaceAllString(path, "none")}
			if method == "post" || method == "put" {
				q.body = strings.NewReader("{}")
			}
			res, err := r.send(q)
			if err != nil {
				t.Fatalf("%s %s: %v", q.method, q.path, err)
			}
			if res.StatusCode != http.StatusOK { // the answer of a stream may have no end
				data, _ := io.ReadAll(res.Body)
				if strings.Contains(string(data), "/openapi.json") || !strings.Contains(string(data), `"message":`) {
					t.Errorf("%s %s: status %d: %s", q.method, q.path, res.StatusCode, data)
				}
			}
			res.Body.Close()
		}
	}
}

type blanks struct{}

func (blanks) Read(b []byte) (int, error) {
	for i := range b {
		b[i] = ' '
	}
	return len(b), nil
}

// watch opens a stream, passes over the answer that says from where it goes, and returns what reads its next line.
func (r *restCaller) watch(t *testing.T, path string) func() string {
	t.Helper()
	res, err := r.send(restRequest{method: "GET", path: path})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { res.Body.Close() })
	lines := bufio.NewReader(res.Body)
	next := func() string {
		line, err := lines.ReadBytes('\n')
		if err != nil {
			t.Fatalf("%s: %v", path, err)
		}
		var plain bytes.Buffer
		if err := json.Compact(&plain, line); err != nil {
			t.Fatalf("%s: %s: %v", path, line, err)
		}
		return plain.String()
	}
	next()
	return next
}

func strangers(t *testing.T, where callContext) {
	other, err := auth.NewAuthority("other", time.Now(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	forged, err := other.Client("admin", []string{auth.Admin}, time.Now(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	pair, err := tls.X509KeyPair(forged.Certificate, forged.Key)
	if err != nil {
		t.Fatal(err)
	}
	for name, change := range map[string]func(*tls.Config){
		"no certificate":                   func(c *tls.Config) { c.Certificates = nil },
		"a certificate of somebody else's": func(c *tls.Config) { c.Certificates = []tls.Certificate{pair} },
		"TLS 1.2":                          func(c *tls.Config) { c.MaxVersion = tls.VersionTLS12 },
	} {
		r := callREST(t, where, "")
		change(r.tls)
		r.dial()
		if res, err := r.send(restRequest{method: "GET", path: "/healthz"}); err == nil {
			res.Body.Close()
			t.Errorf("%s: status %d", name, res.StatusCode)
		}
	}
	res, err := http.Get("http://" + where.REST + "/healthz")
	if err == nil {
		defer res.Body.Close()
		if res.StatusCode != http.StatusBadRequest {
			t.Errorf("without TLS: status %d", res.StatusCode)
		}
	}
}

func spoofGRPC(t *testing.T, as *restCaller, where callContext, certificate, topology string) {
	conn, err := grpc.NewClient(where.Server, grpc.WithTransportCredentials(credentials.NewTLS(as.tls)))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	ctx, cancel := context.WithTimeout(metadata.AppendToOutgoingContext(t.Context(), "loom-certificate-bin", certificate), time.Minute)
	defer cancel()
	m, err := api.NewIntentServiceClient(conn).PutTopology(ctx, &api.PutTopologyRequest{Files: []*api.File{{Name: "tiny.yaml", Data: []byte(topology + "# 3\n")}}})
	if err != nil || m.GetRevision().GetBy() != "ann" {
		t.Errorf("%v, %v: want a revision by ann", m.GetRevision(), err)
	}
}
