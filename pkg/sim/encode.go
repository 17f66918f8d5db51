package sim

import (
	"encoding/base64"
	"slices"
	"strconv"

	"github.com/openconfig/gnmi/proto/gnmi"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/loomfabric/loom/pkg/config"
)

// encodings are what a device can send. SR Linux lists ASCII as well, which is the text of its command
// line: a simulated device has none.
var encodings = []gnmi.Encoding{gnmi.Encoding_JSON_IETF, gnmi.Encoding_PROTO}

// checkEncoding refuses the encodings that a device cannot send (gNMI spec §3.3.1); plain JSON, which is
// what a request has that names none, is refused by SR Linux too.
func checkEncoding(e gnmi.Encoding) error {
	if !slices.Contains(encodings, e) {
		return status.Errorf(codes.Unimplemented, "Unsupported encoding, received encoding: %d", e)
	}
	return nil
}

// leafUpdate returns the update of one leaf or leaf-list, at its absolute path. The encoding is one that
// checkEncoding lets pass.
func (d *Device) leafUpdate(c config.Cursor, enc gnmi.Encoding) *gnmi.Update {
	return &gnmi.Update{Path: c.Path().GNMI(), Val: typed(c, enc)}
}

// typed returns the value of a leaf or leaf-list.
func typed(c config.Cursor, enc gnmi.Encoding) *gnmi.TypedValue {
	switch {
	case enc != gnmi.Encoding_PROTO:
		return jsonValue(c.AppendJSON(nil))
	case c.Node().Kind == config.LeafList && !c.IsValue():
		var array gnmi.ScalarArray
		for v := range c.Children() {
			array.Element = append(array.Element, native(v))
		}
		return &gnmi.TypedValue{Value: &gnmi.TypedValue_LeaflistVal{LeaflistVal: &array}}
	}
	return native(c)
}

// jsonValue wraps a value that is JSON already.
func jsonValue(json []byte) *gnmi.TypedValue {
	return &gnmi.TypedValue{Value: &gnmi.TypedValue_JsonIetfVal{JsonIetfVal: json}}
}

// native returns a single value as the scalar that its type has in protobuf (gNMI spec §2.2.3). Identities
// and enumerations are strings; an empty leaf, which the specification leaves out, is true.
func native(c config.Cursor) *gnmi.TypedValue {
	s, text := c.Tree().Schema(), c.Value()
	switch base(s, s.Types[c.Node().Type], c) {
	case config.Bool:
		return &gnmi.TypedValue{Value: &gnmi.TypedValue_BoolVal{BoolVal: text == "true"}}
	case config.Empty:
		return &gnmi.TypedValue{Value: &gnmi.TypedValue_BoolVal{BoolVal: true}}
	case config.Int8, config.Int16, config.Int32, config.Int64:
		v, _ := strconv.ParseInt(text, 10, 64) // a tree holds canonical values only
		return &gnmi.TypedValue{Value: &gnmi.TypedValue_IntVal{IntVal: v}}
	case config.Uint8, config.Uint16, config.Uint32, config.Uint64:
		v, _ := strconv.ParseUint(text, 10, 64)
		return &gnmi.TypedValue{Value: &gnmi.TypedValue_UintVal{UintVal: v}}
	case config.Decimal64:
		v, _ := strconv.ParseFloat(text, 64)
		return &gnmi.TypedValue{Value: &gnmi.TypedValue_DoubleVal{DoubleVal: v}}
	case config.Binary:
		v, _ := base64.StdEncoding.DecodeString(text)
		return &gnmi.TypedValue{Value: &gnmi.TypedValue_BytesVal{BytesVal: v}}
	}
	return &gnmi.TypedValue{Value: &gnmi.TypedValue_StringVal{StringVal: text}}
}

// base returns the built-in type of a value: of a leafref, that of the leaf it points at; of a union, that
// of the first member that could have written it.
func base(s *config.Schema, t config.Type, c config.Cursor) config.Base {
	switch t.Base {
	case config.Leafref:
		return base(s, s.Types[t.Members[0]], c)
	case config.Union:
		form := c.AppendJSON(nil)[0]
		for _, m := range t.Members {
			if b := base(s, s.Types[m], c); wrote(b, c.Value(), form) {
				return b
			}
		}
	}
	return t.Base
}

// width is the number of bits of the integer types.
var width = map[config.Base]int{
	config.Int8: 8, config.Int16: 16, config.Int32: 32, config.Int64: 64,
	config.Uint8: 8, config.Uint16: 16, config.Uint32: 32, config.Uint64: 64,
}

// wrote tells whether a value may be one of a type, by the byte that it begins with in JSON: integers up to
// 32 bits and booleans have no quotes (RFC 7951 §6).
func wrote(b config.Base, text string, form byte) bool {
	var err error
	quoted := form == '"'
	switch b {
	case config.Bool:
		return form == 't' || form == 'f'
	case config.Empty:
		return form == '['
	case config.Int8, config.Int16, config.Int32, config.Int64:
		_, err = strconv.ParseInt(text, 10, width[b])
	case config.Uint8, config.Uint16, config.Uint32, config.Uint64:
		_, err = strconv.ParseUint(text, 10, width[b])
	case config.Decimal64:
		_, err = strconv.ParseFloat(text, 64)
	case config.Binary:
		_, err = base64.StdEncoding.DecodeString(text)
	default:
		return quoted
	}
	return err == nil && quoted == (width[b] == 0 || width[b] == 64)
}
