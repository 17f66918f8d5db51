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
