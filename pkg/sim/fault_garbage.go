package sim

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"math"
	"strings"

	"github.com/openconfig/gnmi/proto/gnmi"
	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"

	"github.com/loomfabric/loom/pkg/config"
)

// garbageKinds are messages that no sound device sends, and too many of those that it does.
var garbageKinds = []*Kind{
	{
		Name: "garbage", At: AtDevice, Help: "subscribers get messages that are broken or hostile, rate a second; count is the size or the number",
		Takes: []string{"rate", "count", "seed"}, Default: Fault{Rate: 1}, judge: hasTextLeaf, pump: garbage, Forms: garbageForms,
	},
	{
		Name: "firehose", At: AtDevice, Help: "subscribers get rate updates a second of the leaf at path, where * is a number below count: each says which one of the stream it is, unless value is given",
		Takes: []string{"rate", "count", "path", "value"}, Default: Fault{Rate: 10000, Count: 1000}, seat: textLeaf, pump: firehose,
	},
}

// garbageForms are the forms of garbage.
var garbageForms = []Form{
	{"random", "1,024 random bytes, or count of them, in place of a message"},
	{"truncated", "a message that ends in the middle"},
	{"huge", "one value of 64 MiB, or count bytes"},
	{"deep", "a path of 10,000 elements, or count of them"},
	{"utf8", "names and values that are not UTF-8"},
	{"huge-key", "a key of 1 MiB, or count bytes"},
	{"nan", "a number that is none"},
	{"distinct", "a million updates of different paths, or count of them, 1,000 in a message"},
	{"no-value", "an update without a path and without a value"},
	{"no-json", "a value that is not JSON"},
	{"unknown", "a path that no schema has"},
	{"empty", "a message that says nothing"},
}

// sizes are the counts of garbage where none is given.
var garbageSizes = map[string]int{"random": 1 << 10, "huge": 64 << 20, "deep": 10_000, "huge-key": 1 << 20, "distinct": 1_000_000}

// garbage returns the n-th message.
func garbage(f *injected, n int) *gnmi.SubscribeResponse {
	size := f.Count
	if size == 0 {
		size = garbageSizes[f.Form]
	}
	switch f.Form {
	case "random":
		return raw(f.noise(size))
	case "truncated":
		whole, _ := proto.Marshal(f.update(n))
		return raw(whole[:len(whole)-1-f.pick(len(whole)/2)])
	case "huge":
		return f.says(quote(strings.Repeat("x", size)))
	case "deep":
		return f.notification(&gnmi.Notification{Update: []*gnmi.Update{{Path: deepPath(size), Val: jsonValue([]byte("1"))}}})
	case "utf8":
		return raw(notUTF8())
	case "huge-key":
		at := config.Path{{Name: "interface", Keys: []config.KeyValue{{Name: "name", Value: strings.Repeat("k", size)}}}}
		return f.notification(&gnmi.Notification{Update: []*gnmi.Update{update(at.Child("description"), []byte(`"x"`))}})
	case "nan":
		nan := &gnmi.TypedValue{Value: &gnmi.TypedValue_DoubleVal{DoubleVal: math.NaN()}}
		return f.notification(&gnmi.Notification{Update: []*gnmi.Update{{Path: numbered(f.flooded(), 0).GNMI(), Val: nan}}})
	case "distinct":
		return f.distinct(n, size)
	case "no-value":
		return f.notification(&gnmi.Notification{Update: []*gnmi.Update{{}}})
	case "no-json":
		return f.says(`{"`)
	case "unknown":
		return f.notification(&gnmi.Notification{Update: []*gnmi.Update{update(pathOf("/no/such[thing=at]/all"), []byte(`"x"`))}})
	}
	return &gnmi.SubscribeResponse{}
}

// raw returns a message that is sent as these bytes, whatever they are: unknown fields are not looked at.
func raw(data []byte) *gnmi.SubscribeResponse {
	m := &gnmi.SubscribeResponse{}
	m.ProtoReflect().SetUnknown(data)
	return m
}

// noise returns random bytes. The first says that what follows is a notification, so that none of them pass
// for a field that is only unknown.
func (f *injected) noise(size int) []byte {
	out := protowire.AppendTag(nil, 1, protowire.BytesType)
	out = protowire.AppendVarint(out, uint64(size)+1) // one more than there is
	for len(out) < size {
		out = binary.LittleEndian.AppendUint64(out, f.bits())
	}
	return out[:size]
}

// bits returns 64 random bits.
func (f *injected) bits() uint64 {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.random.Uint64()
}

// deepPath returns a path of n elements.
func deepPath(n int) *gnmi.Path {
	p := &gnmi.Path{}
	for range n {
		p.Elem = append(p.Elem, &gnmi.PathElem{Name: "d"})
	}
	return p
}

// notUTF8 returns a message whose path and value are not UTF-8, which package proto refuses to write.
func notUTF8() []byte {
	bad := "\xff\xfe\xc0"
	inside := func(field protowire.Number, b []byte) []byte {
		return protowire.AppendBytes(protowire.AppendTag(nil, field, protowire.BytesType), b)
	}
	path := inside(1, inside(3, inside(1, []byte(bad)))) // Update.path, Path.elem, PathElem.name
	value := inside(3, inside(1, []byte(bad)))           // Update.val, TypedValue.string_val
	return inside(1, inside(4, append(path, value...)))  // SubscribeResponse.update, Notification.update
}

// distinct returns the n-th message of a million paths. After the last one it begins again.
func (f *injected) distinct(n, size int) *gnmi.SubscribeResponse {
	const each = 1000
	first := n * each % size
	path, note := f.flooded(), &gnmi.Notification{}
	for i := first; i < min(first+each, size); i++ {
		note.Update = append(note.Update, update(numbered(path, i), []byte(`"x"`)))
	}
	return f.notification(note)
}

// firehose returns the n-th update of a stream.
func firehose(f *injected, n int) *gnmi.SubscribeResponse { return f.update(n) }

// says returns an update of a leaf of text.
func (f *injected) says(value string) *gnmi.SubscribeResponse {
	return f.notification(&gnmi.Notification{Update: []*gnmi.Update{update(numbered(f.flooded(), 0), []byte(value))}})
}

// pathOf returns a path that was checked before.
func pathOf(s string) config.Path {
	p, err := config.ParsePath(s)
	if err != nil {
		panic(err)
	}
	return p
}

// quote writes a string as JSON.
func quote(s string) string {
	var b bytes.Buffer
	_ = json.NewEncoder(&b).Encode(s) // a string never fails
	return strings.TrimSuffix(b.String(), "\n")
}
