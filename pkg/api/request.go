package api

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"

	"github.com/loomfabric/loom/pkg/controller"
	"google.golang.org/protobuf/proto"
)

// repeatable is a message that its caller may send again with the same key.
type repeatable interface {
	proto.Message
	GetRequestId() string
}

// asked is a message as what its caller asks for: the same key, and all that it says.
func asked(m repeatable) (controller.Request, error) {
	key := m.GetRequestId()
	if len(key) > mostKey {
		return controller.Request{}, invalid(fmt.Sprintf("request_id: %d bytes; use at most %d", len(key), mostKey))
	}
	if key == "" {
		return controller.Request{}, nil
	}
	says := proto.Clone(m).ProtoReflect()
	says.Clear(says.Descriptor().Fields().ByName("request_id"))
	data, err := proto.MarshalOptions{Deterministic: true}.Marshal(says.Interface())
	if err != nil {
		return controller.Request{}, invalid(err.Error())
	}
	sum := sha256.Sum256(append([]byte(says.Descriptor().FullName()+" "), data...))
	return controller.Request{Key: key, Digest: hex.EncodeToString(sum[:])}, nil
}
