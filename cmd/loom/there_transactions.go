package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/loomfabric/loom/models/api"
	"github.com/loomfabric/loom/pkg/transaction"
	"github.com/spf13/cobra"
	"google.golang.org/protobuf/types/known/durationpb"
	"google.golang.org/protobuf/types/known/timestamppb"
)

// accountOf is a transaction of a controller as the journal of this process would have it.
func accountOf(m *api.Transaction) account {
	res := m.GetResult()
	out := account{
		ID: m.GetId(), Topology: m.GetTopology(), By: m.GetBy(), Began: m.GetBegan().AsTime(), Phase: transaction.Phase(m.GetPhase()),
		Outcome: transaction.Outcome(res.GetOutcome()), Why: res.GetError(), Undoes: m.GetUndoes(), Devices: map[string]transaction.Status{}, Errors: res.GetErrors(),
	}
	if m.GetEnded() != nil {
		out.Ended = m.GetEnded().AsTime()
	}
	if m.GetHeldUntil() != nil {
		out.Until = m.GetHeldUntil().AsTime()
	}
	for name, status := range m.GetDevices() {
		out.Devices[name] = transaction.Status(status)
	}
	for _, e := range m.GetTimeline() {
		out.Timeline = append(out.Timeline, momentOf(e))
	}
	return out
}

func momentOf(e *api.TransactionEvent) moment {
	return moment{At: e.GetAt().AsTime(), Device: e.GetDevice(), Status: transaction.Status(e.GetStatus()), What: e.GetMessage()}
}

// accountsThere are the transactions of a controller, the newest first.
func accountsThere(ctx context.Context, server string) ([]account, error) {
	there, err := reach(server)
	if err != nil {
		return nil, err
	}
	defer there.Close()
	all, r := []account{}, &api.ListTransactionsRequest{PageSize: 1000}
	for {
		m, err := api.NewTransactionServiceClient(there).ListTransactions(ctx, r)
		if err != nil {
			return nil, there.failed(err)
		}
		for _, x := range m.GetTransactions() {
			all = append(all, accountOf(x))
		}
		if r.PageToken = m.GetNextPageToken(); r.PageToken == "" {
			return all, nil
		}
	}
}

func accountThere(ctx context.Context, server, id string) (account, error) {
	there, err := reach(server)
	if err != nil {
		return account{}, err
	}
	defer there.Close()
	m, err := api.NewTransactionServiceClient(there).GetTransaction(ctx, &api.GetTransactionRequest{Id: id})
	if err != nil {
		return account{}, there.failed(err)
	}
	return accountOf(m.GetTransaction()), nil
}

// askThere tells a controller a word about a transaction that it carries out.
func askThere(ctx context.Context, t *terminal, server, id, word string) error {
	there, err := reach(server)
	if err != nil {
		return err
	}
	defer there.Close()
	transactions := api.NewTransactionServiceClient(there)
	if word == "confirm" {
		_, err = transactions.ConfirmTransaction(ctx, &api.ConfirmTransactionRequest{Id: id})
	} else {
		_, err = transactions.CancelTransaction(ctx, &api.CancelTransactionRequest{Id: id})
	}
	if err != nil {
		return there.failed(err)
	}
	t.printf("%s: asked to %s\n", id, word)
	return nil
}

// watchThere follows a transaction of a controller until it is over.
func watchThere(ctx context.Context, t *terminal, server, id string) error {
	there, err := reach(server)
	if err != nil {
		return err
	}
	defer there.Close()
	return there.watch(ctx, t, id)
}

// watch follows a transaction until it is over, and shows it as apply does.
func (c *client) watch(ctx context.Context, t *terminal, id string) error {
	there, transactions := c, api.NewTransactionServiceClient(c)
	m, err := transactions.GetTransaction(ctx, &api.GetTransactionRequest{Id: id})
	if err != nil {
		return there.failed(err)
	}
	if until := m.GetTransaction().GetHeldUntil(); until != nil {
		t.notef("unconfirmed until %s, then taken back\n", until.AsTime().Local().Format(time.TimeOnly))
	}
	stream, err := transactions.WatchTransaction(ctx, &api.WatchTransactionRequest{Id: id})
	if err != nil {
		return there.failed(err)
	}
	s := account{Began: m.GetTransaction().GetBegan().AsTime()}
	w := &watcher{t: t, id: id, progress: &progress{t: t}}
	for {
		m, err := stream.Recv()
		if errors.Is(err, io.EOF) || m.GetResult() != nil {
			return nil
		}
		if err != nil {
			return there.failed(err)
		}
		if p := m.GetProgress(); p != nil {
			w.progress.follow(lookOf(id, p))
			continue
		}
		s.Timeline = append(s.Timeline, momentOf(m.GetEvent()))
		w.tell(&s)
	}
}

// lookOf is how a transaction of a controller stands.
func lookOf(id string, p *api.TransactionProgress) look {
	v := transaction.View{
		ID: id, Began: p.GetBegan().AsTime(), At: p.GetAt().AsTime(), Phase: transaction.Phase(p.GetPhase()), Deciding: p.GetDeciding(), Why: p.GetWhy(),
		Saves: waveThere(p.GetSaves()), Wave: int(p.GetWave()), Part: int(p.GetPart()), Parts: int(p.GetParts()), Waits: transaction.Wait(p.GetWaits()),
		Timers: int(p.GetTimers()), FirstD: p.GetFirstDevice(), Interrupted: p.GetInterrupted(),
	}
	if p.GetUntil() != nil {
		v.Until = p.GetUntil().AsTime()
	}
	if p.GetFirstTimer() != nil {
		v.First = p.GetFirstTimer().AsTime()
	}
	for _, w := range p.GetWaves() {
		v.Waves = append(v.Waves, waveThere(w))
	}
	return look{v, p.GetGate()}
}

func waveThere(w *api.WaveProgress) transaction.WaveView {
	out := transaction.WaveView{Devices: int(w.GetDevices()), In: map[transaction.Status]int{}}
	for s, n := range w.GetStatuses() {
		out.In[transaction.Status(s)] = int(n)
	}
	return out
}

// resumeThere has a controller end what was left open.
func resumeThere(ctx context.Context, t *terminal, server, topology string, asJSON bool) error {
	there, err := reach(server)
	if err != nil {
		return err
	}
	defer there.Close()
	m, err := api.NewTransactionServiceClient(there).ResumeTransaction(ctx, &api.ResumeTransactionRequest{Topology: topology})
	if err != nil {
		return there.failed(err)
	}
	x := m.GetTransaction()
	if x == nil {
		return told(t, topology, nil, asJSON)
	}
	s := accountOf(x)
	res := transaction.Result{ID: s.ID, Outcome: s.Outcome, Devices: s.Devices, Errors: s.Errors}
	if s.Why != "" {
		res.Err = errors.New(s.Why)
	}
	return told(t, topology, &res, asJSON)
}

// pruneThere has a controller forget old transactions.
func pruneThere(ctx context.Context, server string, r retention) (forgotten, error) {
	there, err := reach(server)
	if err != nil {
		return forgotten{}, err
	}
	defer there.Close()
	q := &api.PruneTransactionsRequest{Topology: r.topology, Keep: int32(r.keep), DryRun: r.dry}
	if r.older > 0 {
		q.Older = durationpb.New(r.older)
	}
	m, err := api.NewTransactionServiceClient(there).PruneTransactions(ctx, q)
	return forgotten{Transactions: append([]string{}, m.GetTransactions()...), Configurations: int(m.GetConfigurations()), Kept: int(m.GetKept())}, there.failed(err)
}

// rollbackThere has a controller take a transaction back.
func (o *applyOptions) rollbackThere(ctx context.Context, t *terminal, server, id string, overwrite bool) error {
	if err := o.applyThere(ctx, t, server, what{undoes: id, overwrite: overwrite}); err != nil || *o.format == "json" {
		return err
	}
	s, err := accountThere(ctx, server, id)
	if err != nil {
		return err
	}
	there, err := reach(server)
	if err != nil {
		return err
	}
	defer there.Close()
	m, err := api.NewDeviceServiceClient(there).ListDevices(ctx, &api.ListDevicesRequest{Topology: s.Topology, PageSize: 1000})
	if err != nil {
		return there.failed(err)
	}
	var drained []string
	for _, d := range m.GetDevices() {
		if _, concerned := s.Devices[d.GetName()]; concerned && d.GetDrained() {
			drained = append(drained, d.GetName())
		}
	}
	if len(drained) > 0 {
		t.printf("still to be drained, and will be by the next apply: %s; loom undrain ends that\n", list(drained))
		return nil
	}
	t.printf("%s still asks for what was taken back; change it too, or go back with loom intent restore %[1]s\n", s.Topology)
	return nil
}

// drainThere has a controller drain devices, or let them carry traffic again.
func (o *applyOptions) drainThere(cmd *cobra.Command, t *terminal, server string, args []string, q *drainRequest) error {
	if len(args) < 2 {
		return fmt.Errorf("%s: name devices, and then the topology that they are of: with --server that is a name, as loom intent list shows it", cmd.Name())
	}
	last := len(args) - 1
	d := &api.Draining{Devices: strings.Join(args[:last], ","), Undrain: q.undrain, Reason: q.why}
	if q.span > 0 {
		d.Until = timestamppb.New(time.Now().Add(q.span))
	}
	return o.applyThere(cmd.Context(), t, server, what{topology: args[last], draining: d})
}
