package device

import (
	"context"
	"errors"
	"io"

	"github.com/openconfig/gnmi/proto/gnmi"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/loomfabric/loom/pkg/config"
)

// Get reads the running configuration at and below the given paths into one tree of the driver's
// schema. What the device has and the schema has not comes beside it. Leaves with their default
// value may be missing: SR Linux leaves them out.
func (d *Device) Get(ctx context.Context, paths []config.Path) (*config.Tree, []config.Unknown, error) {
	return d.get(ctx, "get", gnmi.GetRequest_CONFIG, paths)
}

// State reads one leaf, state or configuration; ok is false where the device has no value for it.
func (d *Device) State(ctx context.Context, path config.Path) (value string, ok bool, err error) {
	tree, _, err := d.get(ctx, "get "+path.String(), gnmi.GetRequest_ALL, []config.Path{path})
	if err != nil {
		return "", false, err
	}
	c := tree.Find(path)
	return c.Value(), c.Valid(), nil
}

// Observe reads state and configuration at and below the given paths into one tree of the driver's schema,
// defaults in use included. Wildcards are allowed. What the schema has not is left out.
func (d *Device) Observe(ctx context.Context, paths []config.Path) (*config.Tree, error) {
	tree, _, err := d.get(ctx, "observe", gnmi.GetRequest_ALL, paths)
	return tree, err
}

// get runs one Get and parses its answer.
func (d *Device) get(ctx context.Context, op string, what gnmi.GetRequest_DataType, paths []config.Path) (*config.Tree, []config.Unknown, error) {
	resp, err := d.ask(ctx, op, what, paths)
	if err != nil {
		return nil, nil, err
	}
	return d.parseAnswer(op, resp, config.ParseOptions{State: what != gnmi.GetRequest_CONFIG})
}

// ask sends one Get.
func (d *Device) ask(ctx context.Context, op string, what gnmi.GetRequest_DataType, paths []config.Path) (*gnmi.GetResponse, error) {
	req := &gnmi.GetRequest{Type: what, Encoding: gnmi.Encoding_JSON_IETF}
	for _, p := range paths {
		req.Path = append(req.Path, p.GNMI())
	}
	var resp *gnmi.GetResponse
	err := d.call(ctx, op, false, d.target.Timeout, func(ctx context.Context, conn *grpc.ClientConn) (err error) {
		resp, err = gnmi.NewGNMIClient(conn).Get(ctx, req)
		return err
	})
	return resp, err
}

// parseAnswer merges the notifications of an answer into one tree.
func (d *Device) parseAnswer(op string, resp *gnmi.GetResponse, o config.ParseOptions) (*config.Tree, []config.Unknown, error) {
	data, err := d.document(resp)
	if err != nil {
		return nil, nil, d.errorf(op, Refused, "answer: %w", err)
	}
	return d.parse(op, "answer", data, o)
}

// parse reads a document of the device; what names it in errors.
func (d *Device) parse(op, what string, data []byte, o config.ParseOptions) (*config.Tree, []config.Unknown, error) {
	tree, unknown, err := config.Parse(d.target.Driver.Schema, d.target.Release, data, o)
	if err != nil {
		return nil, nil, d.errorf(op, Refused, "%s: %w", what, err)
	}
	return tree, unknown, nil
}

// document merges the notifications of an answer into one RFC 7951 document.
func (d *Device) document(resp *gnmi.GetResponse) ([]byte, error) {
	doc := newDocument(d.target.Driver.Schema)
	for _, n := range resp.GetNotification() {
		for _, u := range n.GetUpdate() {
			if err := doc.add(n.GetPrefix(), u); err != nil {
				return nil, err
			}
		}
	}
	return doc.json()
}

// Subscribe asks for what lies at and below the paths and hands on each notification, in the order
// in which the device sends them. It calls on with nil when the device has sent everything it has
// (sync_response): until then the absence of a leaf means nothing (gNMI spec §3.5.1.5.2). With mode ONCE it
// returns then; with STREAM it goes on, change by change, until ctx ends, and returns nil.
func (d *Device) Subscribe(ctx context.Context, paths []config.Path, mode gnmi.SubscriptionList_Mode, on func(*gnmi.Notification)) error {
	const op = "subscribe"
	if mode == gnmi.SubscriptionList_POLL {
		return d.errorf(op, Refused, "mode POLL is not built")
	}
	return d.subscribe(ctx, subscription(paths, mode), on)
}

// Follow asks to be told of what changes at and below the paths, and hands on each notification, in the order in which the device
// sends them, until ctx ends; it returns nil then. It calls on with nil once the device listens (sync_response). What is there already is
// not asked for (updates_only, gNMI spec §3.5.1.2): some devices have a lot to say. One that does not honour that tells it first, and so
// does one that refuses to be asked like this: it is asked again, for everything.
func (d *Device) Follow(ctx context.Context, paths []config.Path, on func(*gnmi.Notification)) error {
	said := false
	err := d.subscribe(ctx, changes(paths), func(n *gnmi.Notification) {
		said = true
		on(n)
	})
	if said || !unheardOf(err) {
		return err
	}
	return d.subscribe(ctx, subscription(paths, gnmi.SubscriptionList_STREAM), on)
}

// changes makes the request of a subscription to what changes from now on.
func changes(paths []config.Path) *gnmi.SubscribeRequest {
	req := subscription(paths, gnmi.SubscriptionList_STREAM)
	req.GetSubscribe().UpdatesOnly = true
	return req
}

// unheardOf tells whether a device refuses what a request asks for, whatever it is about.
func unheardOf(err error) bool {
	e := (*Error)(nil)
	if !errors.As(err, &e) {
		return false
	}
	code := status.Code(e.Err)
	return code == codes.Unimplemented || code == codes.InvalidArgument
}

// subscribe runs one Subscribe. The request is nobody's once it is sent: a stream lasts long, and there are many.
func (d *Device) subscribe(ctx context.Context, req *gnmi.SubscribeRequest, on func(*gnmi.Notification)) error {
	const op = "subscribe"
	l, err := d.connect(ctx, op)
	if err != nil {
		return err
	}
	defer l.release()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	mode := req.GetSubscribe().GetMode()
	stream, err := gnmi.NewGNMIClient(l.conn).Subscribe(ctx)
	if err == nil {
		err = stream.Send(req)
	}
	if err == nil {
		err = receive(stream, mode, on)
	}
	if ctx.Err() != nil && mode == gnmi.SubscriptionList_STREAM {
		return nil
	}
	return d.rpcError(op, err, false, true)
}

// subscription makes the request of a subscription.
func subscription(paths []config.Path, mode gnmi.SubscriptionList_Mode) *gnmi.SubscribeRequest {
	list := &gnmi.SubscriptionList{Mode: mode, Encoding: gnmi.Encoding_JSON_IETF}
	for _, p := range paths {
		list.Subscription = append(list.Subscription, &gnmi.Subscription{Path: p.GNMI(), Mode: gnmi.SubscriptionMode_ON_CHANGE})
	}
	return &gnmi.SubscribeRequest{Request: &gnmi.SubscribeRequest_Subscribe{Subscribe: list}}
}

// receive hands on the answers of a subscription.
func receive(stream gnmi.GNMI_SubscribeClient, mode gnmi.SubscriptionList_Mode, on func(*gnmi.Notification)) error {
	for {
		resp, err := stream.Recv()
		if err == io.EOF {
			return errors.New("the device ended the stream")
		}
		if err != nil {
			return err
		}
		switch r := resp.GetResponse().(type) {
		case *gnmi.SubscribeResponse_Update:
			on(r.Update)
		case *gnmi.SubscribeResponse_SyncResponse:
			on(nil)
			if mode == gnmi.SubscriptionList_ONCE {
				return nil
			}
		}
	}
}
