package controller

import (
	"errors"
	"fmt"
	"slices"

	"github.com/loomfabric/loom/pkg/config"
	"github.com/openconfig/gnmi/proto/gnmi"
)

// Without is what a device would have without some drifts: the rest it keeps. has is what Loom owns of what it has.
func Without(has, intended *config.Tree, ids []string, device string) (*config.Tree, error) {
	req := &gnmi.SetRequest{}
	var errs []error
	for _, d := range config.Diff(intended, has) {
		path := d.At.String()
		if !slices.Contains(ids, driftID(device, path)) {
			continue
		}
		switch {
		case d.Op == config.Create:
			req.Delete = append(req.Delete, d.At.GNMI())
		case d.From.Valid():
			req.Replace = append(req.Replace, &gnmi.Update{Path: d.At.GNMI(), Val: jsonOf(d.From)})
		default:
			errs = append(errs, fmt.Errorf("%s: %s: the order of entries is taken back with the whole device only", device, path))
		}
	}
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	out, err := config.Apply(has, req)
	if err != nil {
		return nil, fmt.Errorf("%s: without these drifts it would not be valid; take back more of them: %w", device, err)
	}
	return out, nil
}

func jsonOf(c config.Cursor) *gnmi.TypedValue {
	return &gnmi.TypedValue{Value: &gnmi.TypedValue_JsonIetfVal{JsonIetfVal: c.AppendJSON(nil)}}
}
