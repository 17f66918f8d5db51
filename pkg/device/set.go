package device

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/openconfig/gnmi/proto/gnmi"
	"github.com/openconfig/gnmi/proto/gnmi_ext"
	"google.golang.org/grpc"
	"google.golang.org/protobuf/types/known/durationpb"

	"github.com/loomfabric/loom/pkg/config"
)

// Commit makes a Set take itself back unless it is confirmed in time (gNMI commit-confirmed extension).
type Commit struct {
	ID       string        // names the commit towards Confirm, Cancel and Extend
	Rollback time.Duration // 0 means the device's own default, ten minutes
}

// Announce is told of each Set before it leaves, with the operation ("set", "confirm", "cancel", "extend", "save") and all of the
// request. After an error the Set does not leave. What it returns is told what came of the Set.
type Announce func(ctx context.Context, op string, req *gnmi.SetRequest) (func(error), error)

// Set sends one transaction: all of it takes effect, or nothing (gNMI spec §3.4.3). commit nil makes
// it final. An ErrUnknown leaves open which: read back.
func (d *Device) Set(ctx context.Context, req *gnmi.SetRequest, commit *Commit) error {
	if commit == nil {
		return d.set(ctx, "set", req, nil)
	}
	return d.commit(ctx, "set", req, commit.begins())
}

// Leaving is the request as Set would send it.
func (d *Device) Leaving(req *gnmi.SetRequest, commit *Commit) *gnmi.SetRequest {
	if commit == nil {
		return d.leaving(req, nil)
	}
	return d.leaving(req, extension(commit.begins()))
}

// begins is the extension of a Set that has to be confirmed.
func (c *Commit) begins() *gnmi_ext.Commit {
	r := &gnmi_ext.CommitRequest{}
	if c.Rollback > 0 {
		r.RollbackDuration = durationpb.New(c.Rollback)
	}
	return &gnmi_ext.Commit{Id: c.ID, Action: &gnmi_ext.Commit_Commit{Commit: r}}
}

// Confirm makes the open commit final.
func (d *Device) Confirm(ctx context.Context, id string) error {
	return d.commit(ctx, "confirm", &gnmi.SetRequest{}, confirms(id))
}

// Confirming is the request as Confirm would send it.
func (d *Device) Confirming(id string) *gnmi.SetRequest {
	return d.leaving(&gnmi.SetRequest{}, extension(confirms(id)))
}

func confirms(id string) *gnmi_ext.Commit {
	return &gnmi_ext.Commit{Id: id, Action: &gnmi_ext.Commit_Confirm{Confirm: &gnmi_ext.CommitConfirm{}}}
}

// Cancel takes the open commit back.
func (d *Device) Cancel(ctx context.Context, id string) error {
	return d.commit(ctx, "cancel", &gnmi.SetRequest{}, cancels(id))
}

// Cancelling is the request as Cancel would send it.
func (d *Device) Cancelling(id string) *gnmi.SetRequest {
	return d.leaving(&gnmi.SetRequest{}, extension(cancels(id)))
}

func cancels(id string) *gnmi_ext.Commit {
	return &gnmi_ext.Commit{Id: id, Action: &gnmi_ext.Commit_Cancel{Cancel: &gnmi_ext.CommitCancel{}}}
}

// Extend starts the timer of the open commit again, with a new duration.
func (d *Device) Extend(ctx context.Context, id string, rollback time.Duration) error {
	action := &gnmi_ext.CommitSetRollbackDuration{RollbackDuration: durationpb.New(rollback)}
	return d.commit(ctx, "extend", &gnmi.SetRequest{}, &gnmi_ext.Commit{Id: id, Action: &gnmi_ext.Commit_SetRollbackDuration{SetRollbackDuration: action}})
}

// commit sends a Set that carries the extension. A release without it would take the extension for
// an unknown field and make the change final, so it is asked first.
func (d *Device) commit(ctx context.Context, op string, req *gnmi.SetRequest, c *gnmi_ext.Commit) error {
	timed, err := d.released(), error(nil)
	if !timed {
		timed, err = d.Timed(ctx)
	}
	switch {
	case err != nil:
		return err
	case !timed:
		return d.errorf(op, Refused, "%s %s has no commit-confirmed extension", d.target.Driver.OS, d.target.Release)
	case c.Id == "":
		return d.errorf(op, Refused, "a commit needs an id")
	}
	return d.extended(ctx, op, req, c)
}

// extended sends a Set with the extension, whatever is known of it.
func (d *Device) extended(ctx context.Context, op string, req *gnmi.SetRequest, c *gnmi_ext.Commit) error {
	return d.set(ctx, op, req, extension(c))
}

func extension(c *gnmi_ext.Commit) *gnmi_ext.Extension {
	return &gnmi_ext.Extension{Ext: &gnmi_ext.Extension_Commit{Commit: c}}
}

// set sends a request, with an extension if there is one.
func (d *Device) set(ctx context.Context, op string, req *gnmi.SetRequest, ext *gnmi_ext.Extension) error {
	out := d.leaving(req, ext)
	limit := d.target.Driver.Manners.SetTimeout
	if limit == 0 {
		limit = defaultSetTimeout
	}
	answered := func(error) {}
	err := d.call(ctx, op, true, limit, func(ctx context.Context, conn *grpc.ClientConn) (err error) {
		if d.target.Announce != nil {
			var tell func(error)
			if tell, err = d.target.Announce(ctx, op, out); err != nil {
				return err
			}
			answered = tell
		}
		_, err = gnmi.NewGNMIClient(conn).Set(ctx, out)
		return err
	})
	answered(err)
	return err
}

// leaving is a request with what goes with it. The request stays as it is.
func (d *Device) leaving(req *gnmi.SetRequest, ext *gnmi_ext.Extension) *gnmi.SetRequest {
	out := &gnmi.SetRequest{
		Prefix: req.GetPrefix(), Delete: req.GetDelete(), Replace: req.GetReplace(), Update: req.GetUpdate(),
		UnionReplace: req.GetUnionReplace(), Extension: req.GetExtension(),
	}
	if ext != nil {
		out.Extension = append([]*gnmi_ext.Extension{ext}, out.Extension...)
	}
	if d.arbitrates() {
		out.Extension = append(out.Extension, &gnmi_ext.Extension{Ext: &gnmi_ext.Extension_MasterArbitration{
			MasterArbitration: &gnmi_ext.MasterArbitration{ElectionId: &gnmi_ext.Uint128{Low: d.target.Election}},
		}})
	}
	return out
}

// arbitrates tells whether Sets carry an election, so that a writer that has lost its turn is refused.
func (d *Device) arbitrates() bool {
	honours := d.target.Driver.Manners.Arbitrate
	return d.target.Election > 0 && honours != nil && honours(d.target.Release)
}

// Save makes the startup configuration follow the running one, by the leaf that the operating
// system has for it. It changes nothing else. While a commit is open the device refuses it.
func (d *Device) Save(ctx context.Context) error {
	req, err := d.saves()
	if err != nil {
		return d.errorf("save", Refused, "%w", err)
	}
	return d.set(ctx, "save", req, nil)
}

// Saving is the request as Save would send it; nil where the driver knows no way.
func (d *Device) Saving() *gnmi.SetRequest {
	req, err := d.saves()
	if err != nil {
		return nil
	}
	return d.leaving(req, nil)
}

func (d *Device) saves() (*gnmi.SetRequest, error) {
	leaf, err := d.saveLeaf()
	if err != nil {
		return nil, err
	}
	yes := &gnmi.TypedValue{Value: &gnmi.TypedValue_JsonIetfVal{JsonIetfVal: []byte("true")}}
	return &gnmi.SetRequest{Update: []*gnmi.Update{{Path: leaf.GNMI(), Val: yes}}}, nil
}

// saveLeaf returns the path of the leaf that makes commits reach startup.
func (d *Device) saveLeaf() (config.Path, error) {
	text := d.target.Driver.Manners.SaveOn
	if text == "" {
		return nil, errors.New("the driver knows no way")
	}
	p, err := config.ParsePath(text)
	if err != nil {
		return nil, fmt.Errorf("driver: %w", err)
	}
	return p, nil
}
