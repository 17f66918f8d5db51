package api

import (
	"context"
	"slices"
	"time"

	"github.com/loomfabric/loom/models/api"
	"github.com/loomfabric/loom/pkg/auth"
	"github.com/loomfabric/loom/pkg/controller"
	"github.com/loomfabric/loom/pkg/transaction"
	"google.golang.org/grpc"
	"google.golang.org/protobuf/types/known/timestamppb"
)

// transactionService implements loom.v1.TransactionService.
type transactionService struct {
	api.UnimplementedTransactionServiceServer
	*Server
}

func (s *transactionService) ListTransactions(ctx context.Context, r *api.ListTransactionsRequest) (*api.ListTransactionsResponse, error) {
	all, err := s.Operations.Transactions(ctx, r.GetTopology())
	if err != nil {
		return nil, failure(err)
	}
	sight := s.sight(ctx)
	all = slices.DeleteFunc(all, func(t controller.TransactionView) bool { return !sight.transaction(&t) })
	page, next, err := paged(all, func(t controller.TransactionView) string { return backwards(t.ID) }, r.GetPageSize(), r.GetPageToken())
	if err != nil {
		return nil, err
	}
	out := &api.ListTransactionsResponse{NextPageToken: next}
	for i := range page {
		page[i].Timeline = nil
		out.Transactions = append(out.Transactions, carriedOut(&page[i]))
	}
	return out, nil
}

func (s *transactionService) GetTransaction(ctx context.Context, r *api.GetTransactionRequest) (*api.GetTransactionResponse, error) {
	t, err := s.Operations.Transaction(ctx, r.GetId())
	if err != nil {
		return nil, failure(err)
	}
	return &api.GetTransactionResponse{Transaction: carriedOut(t)}, nil
}

func (s *transactionService) WatchTransaction(r *api.WatchTransactionRequest, to grpc.ServerStreamingServer[api.WatchTransactionResponse]) error {
	t, err := s.Operations.WatchTransaction(to.Context(), r.GetId(), func(m controller.Moment) error {
		return to.Send(&api.WatchTransactionResponse{Event: moment(m)})
	}, func(p controller.Progress) error {
		return to.Send(&api.WatchTransactionResponse{Progress: progress(p)})
	})
	if err != nil {
		return failure(err)
	}
	return to.Send(&api.WatchTransactionResponse{Result: ending(t)})
}

func (s *transactionService) ConfirmTransaction(ctx context.Context, r *api.ConfirmTransactionRequest) (*api.ConfirmTransactionResponse, error) {
	t, err := s.Operations.Decide(ctx, r.GetId(), true, s.caller(ctx))
	if err != nil {
		return nil, failure(err)
	}
	return &api.ConfirmTransactionResponse{Transaction: carriedOut(t)}, nil
}

func (s *transactionService) CancelTransaction(ctx context.Context, r *api.CancelTransactionRequest) (*api.CancelTransactionResponse, error) {
	t, err := s.Operations.Decide(ctx, r.GetId(), false, s.caller(ctx))
	if err != nil {
		return nil, failure(err)
	}
	return &api.CancelTransactionResponse{Transaction: carriedOut(t)}, nil
}

func (s *transactionService) RollbackTransaction(ctx context.Context, r *api.RollbackTransactionRequest) (*api.RollbackTransactionResponse, error) {
	if r.GetId() == "" {
		return nil, invalid("id: is empty; name the transaction that is to be taken back")
	}
	p, err := s.Operations.CreatePlan(ctx, rolledOut(controller.PlanRequest{Undoes: r.GetId(), Overwrite: r.GetOverwrite(), By: s.caller(ctx)}, r.GetRollout()))
	if err == nil {
		err = s.sight(ctx).may(auth.Plan, p)
	}
	if err != nil {
		return nil, failure(err)
	}
	return &api.RollbackTransactionResponse{Plan: planned(p)}, nil
}

func (s *transactionService) ResumeTransaction(ctx context.Context, r *api.ResumeTransactionRequest) (*api.ResumeTransactionResponse, error) {
	t, err := s.Operations.Resume(ctx, r.GetTopology())
	if err != nil || t == nil {
		return &api.ResumeTransactionResponse{}, failure(err)
	}
	return &api.ResumeTransactionResponse{Transaction: carriedOut(t)}, nil
}

func (s *transactionService) PruneTransactions(ctx context.Context, r *api.PruneTransactionsRequest) (*api.PruneTransactionsResponse, error) {
	q := controller.PruneRequest{Topology: r.GetTopology(), Keep: int(r.GetKeep()), Older: r.GetOlder().AsDuration(), DryRun: r.GetDryRun()}
	switch {
	case q.Keep < 0:
		return nil, invalid("keep: use 1 or more, or 0 for what is kept anyway")
	case q.Older < 0 || r.GetOlder() != nil && q.Older == 0:
		return nil, invalid("older: use more than 0 s, or leave it out")
	}
	gone, err := s.Operations.Prune(ctx, q)
	if err != nil {
		return nil, failure(err)
	}
	return &api.PruneTransactionsResponse{Transactions: gone.Transactions, Configurations: int32(gone.Configurations), Kept: int32(gone.Kept)}, nil
}

func progress(p controller.Progress) *api.TransactionProgress {
	out := &api.TransactionProgress{
		At: timestamppb.New(p.At), Began: timestamppb.New(p.Began), Phase: string(p.Phase), Deciding: p.Deciding, Why: p.Why, Saves: waveProgress(p.Saves),
		Wave: int32(p.Wave), Part: int32(p.Part), Parts: int32(p.Parts), Waits: string(p.Waits), Until: stamp(p.Until), Gate: p.Gate,
		Timers: int32(p.Timers), FirstTimer: stamp(p.First), FirstDevice: p.FirstD, Interrupted: p.Interrupted,
	}
	for _, w := range p.Waves {
		out.Waves = append(out.Waves, waveProgress(w))
	}
	return out
}

func waveProgress(w transaction.WaveView) *api.WaveProgress {
	out := &api.WaveProgress{Devices: int32(w.Devices), Statuses: map[string]int32{}}
	for s, n := range w.In {
		out.Statuses[string(s)] = int32(n)
	}
	return out
}

func carriedOut(t *controller.TransactionView) *api.Transaction {
	out := &api.Transaction{
		Id: t.ID, Topology: t.Topology, Revision: t.Revision, Plan: t.Plan, By: t.By, Began: timestamppb.New(t.Began), Phase: string(t.Phase),
		HeldUntil: stamp(t.HeldUntil), Undoes: t.Undoes, Ended: stamp(t.Ended), Devices: map[string]string{},
	}
	for name, s := range t.Devices {
		out.Devices[name] = string(s)
	}
	if t.Outcome != "" {
		out.Result = ending(t)
	}
	for _, m := range t.Timeline {
		out.Timeline = append(out.Timeline, moment(m))
	}
	return out
}

func ending(t *controller.TransactionView) *api.TransactionResult {
	out := &api.TransactionResult{Outcome: string(t.Outcome), Devices: map[string]string{}, Errors: t.Errors, Error: t.Why}
	for name, s := range t.Devices {
		out.Devices[name] = string(s)
	}
	return out
}

func moment(m controller.Moment) *api.TransactionEvent {
	return &api.TransactionEvent{At: timestamppb.New(m.At), Device: m.Device, Status: string(m.Status), Message: m.Message}
}

// stamp is a time; absent where it is zero.
func stamp(t time.Time) *timestamppb.Timestamp {
	if t.IsZero() {
		return nil
	}
	return timestamppb.New(t)
}

// instant is a time of a request; zero where it is absent.
func instant(t *timestamppb.Timestamp) time.Time {
	if t == nil {
		return time.Time{}
	}
	return t.AsTime()
}
