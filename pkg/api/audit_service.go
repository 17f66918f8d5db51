package api

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/loomfabric/loom/models/api"
	"github.com/loomfabric/loom/pkg/audit"
	"golang.org/x/mod/sumdb/tlog"
	"google.golang.org/protobuf/types/known/timestamppb"
)

// ErrNoRecord is that the audit log has no such record.
var ErrNoRecord = errors.New("there is no such record in the audit log")

// AuditLog is where the audit log is kept.
type AuditLog interface {
	// Checkpoint is the newest, signed, and how many records it has. Where there are none it is empty.
	Checkpoint(ctx context.Context) (signed []byte, size int64, err error)
	// Lines reads records of the log.
	Lines(ctx context.Context) audit.Lines
}

// auditService implements loom.v1.AuditService.
type auditService struct {
	api.UnimplementedAuditServiceServer
	*Server
}

// mostLooked is how many records one call looks at.
const mostLooked = 20_000

func (s *auditService) ListEntries(ctx context.Context, r *api.ListEntriesRequest) (*api.ListEntriesResponse, error) {
	most, err := pageSize(r.GetPageSize())
	if err != nil {
		return nil, err
	}
	_, size, err := s.Audit.Checkpoint(ctx)
	if err != nil {
		return nil, failure(err)
	}
	at, step := int64(0), int64(1)
	if r.GetNewestFirst() {
		at, step = size-1, -1
	}
	if t := r.GetPageToken(); t != "" {
		if at, err = strconv.ParseInt(t, 10, 64); err != nil || at < 0 {
			return nil, invalid("page_token: is none; use next_page_token of the answer before")
		}
	}
	out := &api.ListEntriesResponse{}
	read := s.Audit.Lines(ctx)
	for looked := 0; at >= 0 && at < size; at += step {
		if looked++; len(out.GetEntries()) == most || looked > mostLooked {
			out.NextPageToken = strconv.FormatInt(at, 10)
			break
		}
		if err := ctx.Err(); err != nil {
			return nil, failure(err)
		}
		e, err := recordAt(read, at)
		if err != nil {
			return nil, failure(err)
		}
		if wantedEntry(r, &e) {
			out.Entries = append(out.Entries, auditEntry(&e))
		}
	}
	return out, nil
}

func wantedEntry(r *api.ListEntriesRequest, e *audit.Entry) bool {
	is := func(want, has string) bool { return want == "" || want == has }
	return is(r.GetTopology(), e.Subject.Topology) && is(r.GetDevice(), e.Subject.Device) && is(r.GetTransaction(), e.Subject.Transaction) &&
		is(r.GetWho(), e.Who.Name) && strings.Contains(e.What, r.GetWhat()) &&
		(r.GetSince() == nil || !e.At.Before(r.GetSince().AsTime())) && (r.GetUntil() == nil || e.At.Before(r.GetUntil().AsTime()))
}

func recordAt(read audit.Lines, n int64) (audit.Entry, error) {
	l, err := read(n)
	if err != nil {
		return audit.Entry{}, err
	}
	return audit.Decode(l.Record)
}

func auditEntry(e *audit.Entry) *api.AuditEntry {
	return &api.AuditEntry{
		Sequence: e.Sequence, At: timestamppb.New(e.At), Replica: e.Replica, Who: e.Who.Name, Credential: e.Who.Credential, Address: e.Who.Address,
		What: e.What, Stage: string(e.Stage), Id: e.ID, Topology: e.Subject.Topology, Device: e.Subject.Device, Operation: e.Subject.Operation,
		Plan: e.Subject.Plan, PlanHash: e.Subject.PlanHash, Transaction: e.Subject.Transaction, Digest: e.Digest, Code: e.Outcome.Code, Message: e.Outcome.Message,
	}
}

// within is a checkpoint that has a record.
func (s *auditService) within(ctx context.Context, n int64) (signed []byte, size int64, err error) {
	if signed, size, err = s.Audit.Checkpoint(ctx); err != nil {
		return nil, 0, failure(err)
	}
	if n < 0 || n >= size {
		return nil, 0, failure(fmt.Errorf("record %d: %w; it has %d", n, ErrNoRecord, size))
	}
	return signed, size, nil
}

func (s *auditService) GetEntry(ctx context.Context, r *api.GetEntryRequest) (*api.GetEntryResponse, error) {
	if _, _, err := s.within(ctx, r.GetSequence()); err != nil {
		return nil, err
	}
	e, err := recordAt(s.Audit.Lines(ctx), r.GetSequence())
	if err != nil {
		return nil, failure(err)
	}
	return &api.GetEntryResponse{Entry: auditEntry(&e)}, nil
}

func (s *auditService) GetCheckpoint(ctx context.Context, _ *api.GetCheckpointRequest) (*api.GetCheckpointResponse, error) {
	signed, size, err := s.Audit.Checkpoint(ctx)
	if err != nil {
		return nil, failure(err)
	}
	return &api.GetCheckpointResponse{Checkpoint: signed, Size: size}, nil
}

func (s *auditService) GetProof(ctx context.Context, r *api.GetProofRequest) (*api.GetProofResponse, error) {
	signed, size, err := s.within(ctx, r.GetSequence())
	if err != nil {
		return nil, err
	}
	if r.GetOlderSize() < 0 || r.GetOlderSize() > size {
		return nil, invalid(fmt.Sprintf("older_size: %d; the newest checkpoint has %d records", r.GetOlderSize(), size))
	}
	read := s.Audit.Lines(ctx)
	line, err := read(r.GetSequence())
	if err != nil {
		return nil, failure(err)
	}
	out := &api.GetProofResponse{Record: line.Record, Checkpoint: signed}
	in, err := audit.ProveRecord(size, r.GetSequence(), read)
	if err != nil {
		return nil, failure(err)
	}
	out.RecordProof = hashes(in)
	if r.GetOlderSize() > 0 {
		older, err := audit.ProveTree(size, r.GetOlderSize(), read)
		if err != nil {
			return nil, failure(err)
		}
		out.TreeProof = hashes(older)
	}
	return out, nil
}

func hashes(of []tlog.Hash) (out [][]byte) {
	for _, h := range of {
		out = append(out, h[:])
	}
	return out
}
