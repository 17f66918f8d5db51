package config

import (
	"bytes"

	"github.com/openconfig/gnmi/proto/gnmi"
)

// Says tells whether a tree has a leaf at a path with a value, as plainly as that can be seen: false may mean that the value is
// spelt in another way, or is none. It is much cheaper than Apply.
func (t *Tree) Says(p Path, v *gnmi.TypedValue) bool {
	c := t.Find(p)
	if !c.IsLeaf() {
		return false
	}
	text, ok := plainText(v)
	return ok && c.Value() == text
}

// plainText is the text of a scalar, also of one in JSON, where nothing has to be unescaped for it.
func plainText(v *gnmi.TypedValue) (string, bool) {
	json := v.GetJsonIetfVal()
	if json == nil {
		json = v.GetJsonVal()
	}
	if json == nil {
		text, err := scalarText(v)
		return text, err == nil
	}
	json = bytes.TrimSpace(json)
	switch {
	case len(json) >= 2 && json[0] == '"' && json[len(json)-1] == '"':
		text := json[1 : len(json)-1]
		return string(text), !bytes.ContainsAny(text, `"\`)
	case len(json) == 0 || bytes.ContainsAny(json, "\"[]{}"):
		return "", false
	}
	return string(json), true
}
