package device

import (
	"context"
	"encoding/json"

	"github.com/openconfig/gnmi/proto/gnmi"

	"github.com/loomfabric/loom/pkg/config"
)

// Document reads the whole running configuration, inside and outside of what the profile knows, as
// one RFC 7951 document: what a backup keeps.
func (d *Device) Document(ctx context.Context) ([]byte, error) {
	const op = "get"
	resp, err := d.ask(ctx, op, gnmi.GetRequest_CONFIG, []config.Path{nil})
	if err != nil {
		return nil, err
	}
	data, err := d.document(resp)
	if err == nil && !json.Valid(data) { // nobody parses it before it is needed
		err = errNotJSON
	}
	if err != nil {
		return nil, d.errorf(op, Refused, "answer: %w", err)
	}
	return data, nil
}
