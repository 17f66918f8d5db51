// Command put is a client of the controller: it puts a topology, shows the plan, carries it out, and prints what happens meanwhile.
//
//	go run ./examples/go/put --yes demo.yaml
//
// It finds the controller as loom does: by a context of $LOOM_CONTEXTS, or of loom/contexts.json in your directory for settings.
package main

import (
	"cmp"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"

	"github.com/loomfabric/loom/models/api"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/status"
)

func main() {
	name := flag.String("context", "", "`NAME` of the controller's context (default: the current one)")
	yes := flag.Bool("yes", false, "carry the plan out")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, *name, flag.Args(), *yes); err != nil {
		fmt.Fprintln(os.Stderr, "put:", explained(err))
		os.Exit(1)
	}
}

func run(ctx context.Context, name string, files []string, yes bool) error {
	if len(files) == 0 {
		return errors.New("no files; name those of one topology")
	}
	conn, err := dial(name)
	if err != nil {
		return err
	}
	defer conn.Close()
	topology, err := put(ctx, api.NewIntentServiceClient(conn), files)
	if err != nil {
		return err
	}
	plans := api.NewPlanServiceClient(conn)
	made, err := plans.CreatePlan(ctx, &api.CreatePlanRequest{Topology: topology})
	if err != nil {
		return err
	}
	p := made.GetPlan()
	fmt.Print(p.GetText())
	for _, r := range p.GetRisks() {
		if !r.GetApproved() {
			return fmt.Errorf("plan %s: %s: %s; somebody has to approve it", p.GetId(), r.GetClass(), r.GetMessage())
		}
	}
	if p.GetHash() == "" || !yes {
		return nil
	}
	happened, err := follow(ctx, api.NewEventServiceClient(conn), topology)
	if err != nil {
		return err
	}
	transaction, err := apply(ctx, plans, p)
	return errors.Join(err, happened(transaction))
}

// put puts files as the newest revision of their topology, and returns its name.
func put(ctx context.Context, intents api.IntentServiceClient, files []string) (string, error) {
	r := &api.PutTopologyRequest{Message: "put by an example"}
	for _, name := range files {
		data, err := os.ReadFile(name)
		if err != nil {
			return "", err
		}
		r.Files = append(r.Files, &api.File{Name: name, Data: data})
	}
	m, err := intents.PutTopology(ctx, r)
	if err != nil {
		return "", err
	}
	rev := m.GetRevision()
	fmt.Printf("%s: revision %d by %s\n", rev.GetTopology(), rev.GetNumber(), rev.GetBy())
	return rev.GetTopology(), nil
}

// apply carries out the plan that was looked at, and returns the id of the transaction.
func apply(ctx context.Context, plans api.PlanServiceClient, p *api.Plan) (id string, err error) {
	steps, err := plans.ApplyPlan(ctx, &api.ApplyPlanRequest{Id: p.GetId(), Hash: p.GetHash()})
	if err != nil {
		return "", err
	}
	for {
		m, err := steps.Recv()
		if err != nil {
			return id, err
		}
		id = cmp.Or(m.GetTransaction(), id)
		if e := m.GetEvent(); e.GetDevice() != "" {
			fmt.Printf("wave %d: %s: %s %s\n", e.GetWave(), e.GetDevice(), e.GetStatus(), e.GetError())
		}
		if res := m.GetResult(); res != nil {
			fmt.Printf("%s: %s %s\n", id, res.GetOutcome(), res.GetError())
			if o := res.GetOutcome(); o != "done" && o != "unchanged" {
				return id, fmt.Errorf("%s: %s", id, o)
			}
			return id, nil
		}
	}
}

// follow begins to watch events; what it returns prints them up to the end of a transaction.
func follow(ctx context.Context, events api.EventServiceClient, topology string) (func(transaction string) error, error) {
	stream, err := events.WatchEvents(ctx, &api.WatchEventsRequest{Topology: topology})
	if err != nil {
		return nil, err
	}
	if _, err := stream.Recv(); err != nil { // from where it goes
		return nil, err
	}
	return func(transaction string) error {
		for transaction != "" {
			m, err := stream.Recv()
			if errors.Is(err, io.EOF) {
				return nil
			}
			if err != nil {
				return err
			}
			e := m.GetEvent()
			fmt.Printf("%s %-11s %s %s\n", e.GetAt().AsTime().Format("15:04:05.000"), e.GetKind(), e.GetDevice(), e.GetMessage())
			if e.GetKind() == "transaction" && e.GetSubject() == transaction {
				return nil
			}
		}
		return nil
	}, nil
}

// dial connects with the controller of a context: both sides show a certificate.
func dial(name string) (*grpc.ClientConn, error) {
	file := os.Getenv("LOOM_CONTEXTS")
	if file == "" {
		dir, err := os.UserConfigDir()
		if err != nil {
			return nil, err
		}
		file = filepath.Join(dir, "loom", "contexts.json")
	}
	data, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("no controller is known here: %w; start one with loom serve, or set LOOM_CONTEXTS", err)
	}
	var all struct {
		Current  string
		Contexts []struct{ Name, Server, CA, Cert, Key string }
	}
	if err := json.Unmarshal(data, &all); err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	for _, c := range all.Contexts {
		if c.Name != cmp.Or(name, all.Current) {
			continue
		}
		trusted, err := os.ReadFile(c.CA)
		if err != nil {
			return nil, err
		}
		pool := x509.NewCertPool()
		if !pool.AppendCertsFromPEM(trusted) {
			return nil, fmt.Errorf("%s: no certificate", c.CA)
		}
		own, err := tls.LoadX509KeyPair(c.Cert, c.Key)
		if err != nil {
			return nil, err
		}
		creds := credentials.NewTLS(&tls.Config{MinVersion: tls.VersionTLS13, RootCAs: pool, Certificates: []tls.Certificate{own}})
		return grpc.NewClient(c.Server, grpc.WithTransportCredentials(creds), grpc.WithDefaultCallOptions(grpc.MaxCallRecvMsgSize(64<<20)))
	}
	return nil, fmt.Errorf("%s: no context %q", file, cmp.Or(name, all.Current))
}

// explained is an error with the places of what is wrong.
func explained(err error) string {
	s, ok := status.FromError(err)
	if !ok {
		return err.Error()
	}
	out := s.Message()
	for _, d := range s.Details() {
		if m, ok := d.(*api.Mistake); ok {
			out += fmt.Sprintf("\n  %s: %s; %s", m.GetAt(), m.GetMessage(), m.GetFix())
		}
	}
	return out
}
