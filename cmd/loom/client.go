package main

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/loomfabric/loom/models/api"
	"github.com/loomfabric/loom/pkg/plan"
	"github.com/loomfabric/loom/pkg/topology"
	"github.com/spf13/cobra"
	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/durationpb"
)

// currentContext is what --server means without a name.
const currentContext = "the current context"

// serverFlag is --server of a command that can do its work in this process, too.
func serverFlag(c *cobra.Command) *string {
	s := c.Flags().String("server", "", "have a controller do it: that of a `CONTEXT` (--server alone: the current one)")
	c.Flags().Lookup("server").NoOptDefVal = currentContext
	return s
}

// contextFlag is --context of a command that always asks a controller.
func contextFlag(c *cobra.Command) *string {
	return c.Flags().String("context", "", "`NAME` of the controller's context (default: the current one)")
}

// client is a connection with a controller.
type client struct {
	*grpc.ClientConn
	context callContext
}

// reach connects with the controller of a context.
func reach(name string) (*client, error) {
	if name == currentContext {
		name = ""
	}
	all, err := readContexts()
	if err != nil {
		return nil, err
	}
	c, err := all.find(name)
	if err != nil {
		return nil, err
	}
	return c.dial()
}

// dial connects with its controller.
func (c callContext) dial() (*client, error) {
	pem, err := os.ReadFile(c.CA)
	if err != nil {
		return nil, c.keyless(err)
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(pem) {
		return nil, c.keyless(fmt.Errorf("%s holds no PEM certificate", c.CA))
	}
	config := &tls.Config{MinVersion: tls.VersionTLS13, RootCAs: pool}
	options := []grpc.DialOption{grpc.WithDefaultCallOptions(grpc.MaxCallRecvMsgSize(mostMessage))}
	if c.Token != "" {
		options = append(options, grpc.WithPerRPCCredentials(tokenFile(c.Token)))
	} else {
		pair, err := tls.LoadX509KeyPair(c.Cert, c.Key)
		if err != nil {
			return nil, c.keyless(err)
		}
		config.Certificates = []tls.Certificate{pair}
	}
	conn, err := grpc.NewClient(c.Server, append(options, grpc.WithTransportCredentials(credentials.NewTLS(config)))...)
	if err != nil {
		return nil, fmt.Errorf("context %s: %w", c.Name, err)
	}
	return &client{conn, c}, nil
}

// tokenFile is the name of a file with a bearer token, which somebody else keeps fresh.
type tokenFile string

// GetRequestMetadata implements credentials.PerRPCCredentials.
func (f tokenFile) GetRequestMetadata(context.Context, ...string) (map[string]string, error) {
	data, err := os.ReadFile(string(f))
	if err != nil {
		return nil, status.Errorf(codes.Unauthenticated, "token: %v", err)
	}
	return map[string]string{"authorization": "Bearer " + strings.TrimSpace(string(data))}, nil
}

// RequireTransportSecurity implements credentials.PerRPCCredentials: who reads a token has it.
func (tokenFile) RequireTransportSecurity() bool { return true }

// keyless is a context whose certificates cannot be read.
func (c callContext) keyless(err error) error {
	return fmt.Errorf("context %s: %w; loom serve writes a context for its administrator anew at each start, others are made with loom context add", c.Name, err)
}

// unavailable says why a controller does not answer, in words of the network rather than of gRPC.
func (c callContext) unavailable(why string) error {
	if _, desc, ok := strings.Cut(why, "desc = "); ok {
		if text, err := strconv.Unquote(desc); err == nil {
			why = text
		}
	}
	for _, prefix := range []string{"transport: ", "Error while dialing: ", "authentication handshake failed: ", "error reading server preface: ", "dial tcp " + c.Server + ": ", "connect: "} {
		why = strings.TrimPrefix(why, prefix)
	}
	switch {
	case strings.HasPrefix(why, "tls: failed to verify certificate"):
		return fmt.Errorf("context %s: the controller at %s is not the one that %s vouches for: %s; choose the right context with loom context use, or name its certificates with loom context add", c.Name, c.Server, c.CA, why)
	case c.stranger() != nil: // the other end hangs up, and what is heard of that is a matter of time (RFC 8446 §4.4.2.4)
		return fmt.Errorf("context %s: the controller at %s does not take the certificate %s: %s; name one that its authority has signed with loom context add", c.Name, c.Server, c.Cert, c.stranger())
	}
	return fmt.Errorf("context %s: the controller at %s does not answer: %s; start it with loom serve, or choose another with loom context use", c.Name, c.Server, why)
}

// stranger tells why its certificate is not one that the authority has signed for callers; nil: it is, or cannot be read.
func (c callContext) stranger() error {
	pem, err := os.ReadFile(c.CA)
	if err != nil {
		return nil
	}
	pair, err := tls.LoadX509KeyPair(c.Cert, c.Key)
	if err != nil {
		return nil
	}
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(pem)
	_, err = pair.Leaf.Verify(x509.VerifyOptions{Roots: roots, KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}})
	return err
}

// failed is an error of a controller as one of a command in this process: its mistakes with their places.
func (c *client) failed(err error) error {
	s, ok := status.FromError(err)
	if err == nil || !ok {
		return err
	}
	var diags topology.Diagnostics
	answered := false // by a controller that says when to call again
	for _, d := range s.Details() {
		_, again := d.(*errdetails.RetryInfo)
		answered = answered || again
		if m, is := d.(*api.Mistake); is {
			diags = append(diags, diagnostic(m))
		}
	}
	if len(diags) > 0 {
		return invalid(diags)
	}
	switch s.Code() {
	case codes.Unavailable:
		if answered {
			return errors.New(s.Message())
		}
		return c.context.unavailable(s.Message())
	case codes.DeadlineExceeded:
		return fmt.Errorf("the controller at %s has not answered in time", c.context.Server)
	case codes.PermissionDenied, codes.Unauthenticated:
		return fmt.Errorf("the controller at %s says no: %s", c.context.Server, s.Message())
	}
	return errors.New(s.Message())
}

func diagnostic(m *api.Mistake) topology.Diagnostic {
	d := topology.Diagnostic{Pos: position(m.GetAt()), Severity: topology.Error, Message: m.GetMessage(), Fix: m.GetFix()}
	if m.GetWarning() {
		d.Severity = topology.Warning
	}
	for _, n := range m.GetNotes() {
		d.Also = append(d.Also, topology.Note{Pos: position(n.GetAt()), Text: n.GetMessage()})
	}
	return d
}

// position reads "file:line:column".
func position(s string) topology.Pos {
	var p topology.Pos
	i := strings.LastIndexByte(s, ':')
	j := strings.LastIndexByte(s[:max(i, 0)], ':')
	if j < 0 {
		return topology.Pos{}
	}
	p.File = s[:j]
	_, _ = fmt.Sscanf(s[j:], ":%d:%d", &p.Line, &p.Column)
	return p
}

// filesOf are sources as they are sent.
func filesOf(srcs []topology.Source) []*api.File {
	var out []*api.File
	for _, s := range srcs {
		out = append(out, &api.File{Name: s.Name, Data: s.Data})
	}
	return out
}

// rolloutOptions are those flags of a plan that a controller takes.
func (r *rollout) message() *api.RolloutOptions {
	return &api.RolloutOptions{Canary: r.canary, WaveSize: int32(r.waves), Soak: durationpb.New(r.soak), Drain: r.drain}
}

// what is planned: files, or the newest revision of a topology that the controller keeps; or only who is drained, or that a transaction
// is taken back.
type what struct {
	files     []topology.Source
	topology  string
	draining  *api.Draining
	undoes    string
	overwrite bool
}

// plan has a controller plan.
func (w what) plan(ctx context.Context, there *client, c comparison) (*api.Plan, error) {
	if w.undoes != "" {
		made, err := api.NewTransactionServiceClient(there).RollbackTransaction(ctx, &api.RollbackTransactionRequest{Id: w.undoes, Overwrite: w.overwrite, Rollout: c.how.message()})
		return made.GetPlan(), err
	}
	made, err := api.NewPlanServiceClient(there).CreatePlan(ctx, &api.CreatePlanRequest{
		Topology: w.topology, Files: filesOf(w.files), Limit: c.limit, Rollout: c.how.message(), Draining: w.draining,
	})
	return made.GetPlan(), err
}

// planThere has a controller plan, and prints that as a plan of this process.
func planThere(ctx context.Context, t *terminal, server string, c comparison, w what, format string, all bool) (*client, *api.Plan, *plan.Plan, error) {
	if c.against != "live" {
		return nil, nil, nil, fmt.Errorf("--against %s: not with --server, which compares with what devices run", c.against)
	}
	if len(c.releases) > 0 {
		return nil, nil, nil, errors.New("--release: not with --server, where devices are held to what was put; say it in the topology, and put that")
	}
	there, err := reach(server)
	if err != nil {
		return nil, nil, nil, err
	}
	made, err := w.plan(ctx, there, c)
	if err != nil {
		return nil, nil, nil, errors.Join(there.failed(err), there.Close())
	}
	p, err := plan.ReadJSON(made.GetJson())
	if err == nil {
		err = printPlan(t, p, format, all)
	}
	if err != nil {
		return nil, nil, nil, errors.Join(err, there.Close())
	}
	return there, made, p, nil
}

// applyThere has a controller make devices as is intended: the same questions as in this process, and the same answers.
func (o *applyOptions) applyThere(ctx context.Context, t *terminal, server string, w what) error {
	format := *o.format
	shown := format
	if format == "json" {
		shown = "none"
	}
	c := comparison{against: "live", how: o.how}
	if o.limit != nil {
		c.limit = *o.limit
	}
	if o.releases != nil {
		c.releases = *o.releases
	}
	there, made, p, err := planThere(ctx, t, server, c, w, shown, o.all)
	if err != nil {
		return err
	}
	defer there.Close()
	if err := errors.Join(o.expected(p), refused(p)); err != nil || made.GetHash() == "" && w.draining == nil {
		return err
	}
	if made.GetHash() != "" {
		if err := o.approveRisks(ctx, t, p); err != nil {
			return err
		}
		if err := o.approve(ctx, t, p); err != nil {
			return err
		}
	}
	plans := api.NewPlanServiceClient(there)
	if classes := p.RiskClasses(); len(classes) > 0 {
		var names []string
		for _, c := range classes {
			names = append(names, string(c))
		}
		if _, err := plans.ApprovePlan(ctx, &api.ApprovePlanRequest{Id: made.GetId(), Hash: made.GetHash(), Classes: names}); err != nil {
			return there.failed(err)
		}
	}
	r := &api.ApplyPlanRequest{Id: made.GetId(), Hash: made.GetHash(), TakeOver: o.takeOver, Rollback: durationpb.New(o.rollback), Hold: durationpb.New(o.hold), Gate: durationpb.New(o.gates.within)}
	stream, err := plans.ApplyPlan(ctx, r)
	if err != nil {
		return there.failed(err)
	}
	return there.watchApply(t, stream, format)
}

// watchApply tells how a transaction of a controller goes.
func (c *client) watchApply(t *terminal, stream grpc.ServerStreamingClient[api.ApplyPlanResponse], format string) error {
	begun, done := time.Now(), 0
	for {
		m, err := stream.Recv()
		if errors.Is(err, io.EOF) {
			return errors.New("the controller ended the call without saying how it ended; loom transactions list --server has it")
		}
		if err != nil {
			return c.failed(err)
		}
		if e := m.GetEvent(); e.GetDevice() != "" {
			done++
			if e.GetError() != "" {
				t.notef("   %s: %s\n", e.GetDevice(), e.GetError())
			} else if t.live {
				t.notef("\r\x1b[K%s: wave %d: %s %s", m.GetTransaction(), e.GetWave(), e.GetDevice(), e.GetStatus())
			}
		}
		if until := m.GetEvent().GetHeldUntil(); until != nil {
			t.notef("   unconfirmed until %s, then taken back; say so before with\n     loom transactions confirm %[2]s --server=%[3]s\n     loom transactions cancel %[2]s --server=%[3]s\n",
				until.AsTime().Local().Format(time.TimeOnly), m.GetTransaction(), c.context.Name)
		}
		res := m.GetResult()
		if res == nil {
			continue
		}
		if t.live && done > 0 {
			t.notef("\r\x1b[K")
		}
		if res.GetOutcome() == "" && format != "json" {
			return nil // there was nothing to do
		}
		if format == "json" {
			if err := t.json(res); err != nil {
				return err
			}
		} else {
			t.printf("\n%s: %s in %s\n", m.GetTransaction(), res.GetOutcome(), time.Since(begun).Round(time.Millisecond))
		}
		switch res.GetOutcome() {
		case "done", "":
			return nil
		case "rolled back":
			return exit{exitRolledBack, fmt.Errorf("rolled back: %s", res.GetError())}
		case "mixed", "interrupted":
			return exit{exitMixed, fmt.Errorf("%s: %s", res.GetOutcome(), res.GetError())}
		}
		return errors.New(res.GetError())
	}
}

// table prints rows under a head.
func (t *terminal) table(head string, rows [][]string) error {
	w := tabwriter.NewWriter(t.out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, head)
	for _, r := range rows {
		fmt.Fprintln(w, strings.Join(r, "\t"))
	}
	return w.Flush()
}
