package plan

import (
	"encoding/json"
	"regexp"

	"github.com/loomfabric/loom/pkg/config"
	"github.com/openconfig/gnmi/proto/gnmi"
)

// unknownInScope lists configuration that the profile has no name or no value for and that lies inside
// something Loom owns whole: it is not intended, so it goes like any other drift. Where a leaf is intended
// to have another value it is both deleted and set: deletes come first (gNMI spec §3.4.3).
func unknownInScope(in Input) []Change {
	var out []Change
	for _, u := range in.Strange() {
		out = append(out, Change{Op: Delete, Path: u.Path.String(), Old: shown(u)})
	}
	return out
}

// secretName is what names of secrets look like: of what the profile has no name for, names are all there is.
var secretName = regexp.MustCompile(`(?i)passw|secret|passphrase|community|token|(^|[-_:])(auth|private|pre-shared|authentication)?[-_]?key$`)

// shown is an unknown part without the values of what looks like a secret.
func shown(u config.Unknown) string {
	var value any
	if err := json.Unmarshal(u.JSON, &value); err != nil {
		return hidden
	}
	without, changed := conceal(value, len(u.Path) > 0 && secretName.MatchString(u.Path[len(u.Path)-1].Name))
	if !changed {
		return string(u.JSON)
	}
	text, err := json.Marshal(without)
	if err != nil {
		return hidden
	}
	return string(text)
}

const hidden = "(secret)"

// conceal replaces the leaves of a JSON value that are secret, by the name that they or what they lie in has.
func conceal(value any, secret bool) (without any, changed bool) {
	switch v := value.(type) {
	case map[string]any:
		for name, member := range v {
			without, hid := conceal(member, secret || secretName.MatchString(name))
			v[name], changed = without, changed || hid
		}
		return v, changed
	case []any:
		for i := range v {
			without, hid := conceal(v[i], secret)
			v[i], changed = without, changed || hid
		}
		return v, changed
	}
	if secret {
		return hidden, true
	}
	return value, false
}

func addUnknownDeletes(req *gnmi.SetRequest, in Input) {
	for _, u := range in.Strange() {
		req.Delete = append(req.Delete, u.Path.GNMI())
	}
}

// addUnknownRestores makes the way back give again what the way forth deletes, as it was found.
func addUnknownRestores(req *gnmi.SetRequest, in Input) {
	for _, u := range in.Strange() {
		val := &gnmi.TypedValue{Value: &gnmi.TypedValue_JsonIetfVal{JsonIetfVal: u.JSON}}
		req.Update = append(req.Update, &gnmi.Update{Path: u.Path.GNMI(), Val: val})
	}
}

// Unnamed are the paths of what the request deletes that no tree has: the profile has no name or value for it.
func (d *Device) Unnamed() []config.Path { return d.unnamed }

// Strange are the unknown parts that are Loom's to delete and do not go with what they lie in.
func (in Input) Strange() []config.Unknown {
	var out []config.Unknown
	for _, u := range in.Unknown {
		if in.Scope.Owns(u.Path, in.Intended) && in.Intended.Find(nearest(in.Running, u.Path)).Valid() {
			out = append(out, u)
		}
	}
	return out
}

// nearest is the path of what a node of another tree would lie in.
func nearest(t *config.Tree, p config.Path) config.Path {
	for p = parent(p); len(p) > 0 && !t.Find(p).Valid(); p = parent(p) {
	}
	return p
}

func parent(p config.Path) config.Path { return p[:max(len(p)-1, 0)] }
