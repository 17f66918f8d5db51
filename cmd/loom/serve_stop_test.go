package main

import (
	"bufio"
	"context"
	"net"
	"net/http"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/loomfabric/loom/models/api"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/reflection/grpc_reflection_v1"
	"google.golang.org/grpc/status"
)

// Whoever watches is told at once that the controller stops, over gRPC and over REST, and so it stops without having to break off
// anything: what is waited for here has no limit of its own.
func TestWhoWatchesIsToldThatTheControllerStops(t *testing.T) {
	t.Parallel()
	c := newCared(t, filepath.Join("testdata", "pair.yaml"))
	stopping, stop := context.WithCancel(context.Background())
	defer stop()
	c.s.stopping = stopping
	d, there := c.door()
	var err error
	d.rest, err = net.Listen("tcp", "127.0.0.1:0")
	c.check(err)
	server := d.server(c.s)
	go func() { _ = server.Serve(d.listener) }()
	rest, err := c.s.openREST(d)
	c.check(err)
	go func() { _ = rest.serve() }()

	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	watches := map[string]func() error{} // each waits for what does not come
	events, err := api.NewEventServiceClient(there).WatchEvents(ctx, &api.WatchEventsRequest{Kinds: []string{"source"}})
	c.check(err)
	watches["events"] = func() error { _, err := events.Recv(); return err }
	findings, err := api.NewEventServiceClient(there).WatchFindings(ctx, &api.WatchFindingsRequest{})
	c.check(err)
	watches["findings"] = func() error { _, err := findings.Recv(); return err }
	health, err := grpc_health_v1.NewHealthClient(there).Watch(ctx, &grpc_health_v1.HealthCheckRequest{})
	c.check(err)
	watches["health"] = func() error { _, err := health.Recv(); return err }
	reflected, err := grpc_reflection_v1.NewServerReflectionClient(there).ServerReflectionInfo(ctx)
	c.check(err)
	c.check(reflected.Send(&grpc_reflection_v1.ServerReflectionRequest{MessageRequest: &grpc_reflection_v1.ServerReflectionRequest_ListServices{}}))
	watches["reflection"] = func() error { _, err := reflected.Recv(); return err }
	for name, next := range watches { // each has begun
		if err := next(); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
	}
	caller := callREST(t, callContext{REST: d.rest.Addr().String(), CA: there.context.CA, Cert: there.context.Cert, Key: there.context.Key}, "")
	res, err := caller.send(restRequest{method: http.MethodGet, path: "/v1/events:watch?kinds=source"})
	c.check(err)
	defer res.Body.Close()
	lines := bufio.NewReader(res.Body)
	_, err = lines.ReadString('\n')
	c.check(err)

	stop()
	for name, next := range watches {
		for err == nil {
			err = next()
		}
		if status.Code(err) != codes.Unavailable || !strings.Contains(err.Error(), "stopped") {
			t.Errorf("%s: ends with %v, want UNAVAILABLE", name, err)
		}
		err = nil
	}
	if line, err := lines.ReadString('\n'); !strings.Contains(line, `"code":14`) || !strings.Contains(line, "stopped") {
		t.Errorf("REST: ends with %q, %v", line, err)
	}
	server.GracefulStop()
	c.check(rest.http.Shutdown(ctx))
	c.check(rest.gateway.Close())
}
