package northbound

import (
	"encoding/json"
	"strconv"
	"time"

	"github.com/openconfig/gnmi/proto/gnmi"
)

// Meta is how the controller stands to a device, as gNMI caches tell it below each target (github.com/openconfig/gnmi, metadata):
//
//	/meta/connected     whether there is a connection
//	/meta/sync          whether all that collectors have subscribed to is as the device has it
//	/meta/connectError  why there is none
type Meta struct {
	Connected, Sync bool
	Why             string
}

const metaRoot = "meta"

// MetaOf tells what a path asks for: what a device has, how the controller stands to it, or both.
func MetaOf(path *gnmi.Path) (device, meta bool) {
	switch {
	case path.GetOrigin() != "":
		return true, false
	case len(path.GetElem()) == 0:
		return true, true
	}
	meta = path.GetElem()[0].GetName() == metaRoot
	return !meta, meta
}

// Notification is what of it is at and below a path.
func (m Meta) Notification(path *gnmi.Path, e gnmi.Encoding, now time.Time) *gnmi.Notification {
	n := &gnmi.Notification{Timestamp: now.UnixNano()}
	add := func(name string, there bool, v *gnmi.TypedValue) {
		p := &gnmi.Path{Elem: []*gnmi.PathElem{{Name: metaRoot}, {Name: name}}}
		if there && Covers(path, p) {
			n.Update = append(n.Update, &gnmi.Update{Path: p, Val: v})
		}
	}
	add("connected", true, valueOf(e, m.Connected))
	add("sync", true, valueOf(e, m.Sync))
	add("connectError", !m.Connected && m.Why != "", textValue(e, m.Why))
	return n
}

func valueOf(e gnmi.Encoding, v bool) *gnmi.TypedValue {
	if e == gnmi.Encoding_PROTO {
		return &gnmi.TypedValue{Value: &gnmi.TypedValue_BoolVal{BoolVal: v}}
	}
	return encoded(e, strconv.FormatBool(v))
}

func textValue(e gnmi.Encoding, v string) *gnmi.TypedValue {
	switch e {
	case gnmi.Encoding_PROTO:
		return &gnmi.TypedValue{Value: &gnmi.TypedValue_StringVal{StringVal: v}}
	case gnmi.Encoding_ASCII:
		return encoded(e, v)
	}
	return encoded(e, quoted(v))
}

func encoded(e gnmi.Encoding, text string) *gnmi.TypedValue {
	switch e {
	case gnmi.Encoding_JSON:
		return &gnmi.TypedValue{Value: &gnmi.TypedValue_JsonVal{JsonVal: []byte(text)}}
	case gnmi.Encoding_ASCII:
		return &gnmi.TypedValue{Value: &gnmi.TypedValue_AsciiVal{AsciiVal: text}}
	}
	return &gnmi.TypedValue{Value: &gnmi.TypedValue_JsonIetfVal{JsonIetfVal: []byte(text)}}
}

// quoted is a text as JSON.
func quoted(text string) string {
	out, _ := json.Marshal(text) // a string has JSON
	return string(out)
}
