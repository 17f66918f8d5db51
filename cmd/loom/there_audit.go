package main

import (
	"context"
	"slices"
	"time"

	"github.com/loomfabric/loom/models/api"
	"github.com/loomfabric/loom/pkg/audit"
	"google.golang.org/protobuf/types/known/timestamppb"
)

// auditThere asks a controller for its audit log, the oldest first.
func auditThere(ctx context.Context, server string, want auditFilter, since time.Time) ([]audit.Entry, error) {
	there, err := reach(server)
	if err != nil {
		return nil, err
	}
	defer there.Close()
	r := &api.ListEntriesRequest{
		Topology: want.topology, Device: want.device, Transaction: want.transaction, Who: want.who, What: want.what, NewestFirst: true, PageSize: 1000,
	}
	if !since.IsZero() {
		r.Since = timestamppb.New(since)
	}
	out := []audit.Entry{}
	for {
		if left := want.last - len(out); want.last > 0 {
			r.PageSize = int32(min(left, 1000))
		}
		m, err := api.NewAuditServiceClient(there).ListEntries(ctx, r)
		if err != nil {
			return nil, there.failed(err)
		}
		for _, e := range m.GetEntries() {
			out = append(out, entryFrom(e))
		}
		if r.PageToken = m.GetNextPageToken(); r.PageToken == "" || want.last > 0 && len(out) >= want.last {
			slices.Reverse(out)
			return out, nil
		}
	}
}

// entryFrom is an entry as a controller tells it.
func entryFrom(e *api.AuditEntry) audit.Entry {
	return audit.Entry{
		Version: audit.Version, Sequence: e.GetSequence(), At: e.GetAt().AsTime(), Replica: e.GetReplica(),
		Who:  audit.Who{Name: e.GetWho(), Credential: e.GetCredential(), Address: e.GetAddress()},
		What: e.GetWhat(), Stage: audit.Stage(e.GetStage()), ID: e.GetId(),
		Subject: audit.Subject{
			Topology: e.GetTopology(), Device: e.GetDevice(), Operation: e.GetOperation(), Plan: e.GetPlan(), PlanHash: e.GetPlanHash(), Transaction: e.GetTransaction(),
		},
		Digest: e.GetDigest(), Outcome: audit.Outcome{Code: e.GetCode(), Message: e.GetMessage()},
	}
}

// showThere prints one record of a controller's log.
func showThere(ctx context.Context, t *terminal, server string, n int64) error {
	there, err := reach(server)
	if err != nil {
		return err
	}
	defer there.Close()
	m, err := api.NewAuditServiceClient(there).GetEntry(ctx, &api.GetEntryRequest{Sequence: n})
	if err != nil {
		return there.failed(err)
	}
	return t.json(entryFrom(m.GetEntry()))
}
