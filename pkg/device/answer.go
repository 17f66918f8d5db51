package device

import (
	"context"
	"crypto/sha256"
	"encoding/binary"

	"github.com/openconfig/gnmi/proto/gnmi"
	"google.golang.org/protobuf/proto"

	"github.com/loomfabric/loom/pkg/config"
)

// Answer is what a device answered to a Get, not parsed yet.
type Answer struct {
	device *Device
	resp   *gnmi.GetResponse
}

// Ask is Get without parsing the answer: for somebody who may know by its digest what it says.
func (d *Device) Ask(ctx context.Context, paths []config.Path) (Answer, error) {
	resp, err := d.ask(ctx, "get", gnmi.GetRequest_CONFIG, paths)
	return Answer{d, resp}, err
}

// Tree is what Get returns.
func (a Answer) Tree() (*config.Tree, []config.Unknown, error) {
	return a.device.parseAnswer("get", a.resp, config.ParseOptions{})
}

// Beside is what the device has beside a tree, where the answer says all that the tree says as plainly as config.Beside wants
// it. ok is false where it does not, or where that does not parse: Tree tells.
func (a Answer) Beside(t *config.Tree) (rest Configuration, ok bool) {
	text, err := a.device.document(a.resp)
	if err != nil {
		return rest, false
	}
	return a.device.beside(t, text, a.device.parseText)
}

// beside reads what a document says beside a tree.
func (d *Device) beside(t *config.Tree, text []byte, parse func([]byte) (*config.Tree, []config.Unknown, error)) (rest Configuration, ok bool) {
	if t == nil || t.Schema() != d.target.Driver.Schema || t.Release() != d.target.Release {
		return rest, false
	}
	left, ok := config.Beside(t, text)
	if !ok {
		return rest, false
	}
	var err error
	rest.Tree, rest.Unknown, err = parse(left)
	return rest, err == nil
}

// parseText reads the document of an answer to a Get of configuration.
func (d *Device) parseText(text []byte) (*config.Tree, []config.Unknown, error) {
	return d.parse("get", "answer", text, config.ParseOptions{})
}

// Digest is a SHA-256 of paths and values, in the order in which they came. Answers of one device to the same
// question that have the same digest say the same; a device that says the same in another order has another digest.
func (a Answer) Digest() [sha256.Size]byte {
	h := sha256.New()
	var buf []byte
	add := func(m proto.Message) {
		// The keys of a path are a map. What cannot be marshalled was not received.
		buf, _ = proto.MarshalOptions{Deterministic: true}.MarshalAppend(buf[:0], m)
		var length [8]byte
		binary.BigEndian.PutUint64(length[:], uint64(len(buf)))
		h.Write(length[:])
		h.Write(buf)
	}
	for _, n := range a.resp.GetNotification() {
		add(n.GetPrefix())
		for _, u := range n.GetUpdate() {
			add(u.GetPath())
			add(u.GetVal())
		}
	}
	var sum [sha256.Size]byte
	h.Sum(sum[:0])
	return sum
}
