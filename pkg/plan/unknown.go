package plan

import (
	"github.com/loomfabric/loom/pkg/config"
	"github.com/openconfig/gnmi/proto/gnmi"
)

// unknownInScope lists configuration that the profile has no name for and that lies inside
// something Loom owns whole: it is not intended, so it goes like any other drift.
func unknownInScope(in Input) []Change {
	var out []Change
	for _, u := range owned(in) {
		out = append(out, Change{Op: Delete, Path: u.Path.String(), Old: string(u.JSON)})
	}
	return out
}

func addUnknownDeletes(req *gnmi.SetRequest, in Input) {
	for _, u := range owned(in) {
		req.Delete = append(req.Delete, u.Path.GNMI())
	}
}

// addUnknownRestores makes the way back give again what the way forth deletes, as it was found.
func addUnknownRestores(req *gnmi.SetRequest, in Input) {
	for _, u := range owned(in) {
		val := &gnmi.TypedValue{Value: &gnmi.TypedValue_JsonIetfVal{JsonIetfVal: u.JSON}}
		req.Update = append(req.Update, &gnmi.Update{Path: u.Path.GNMI(), Val: val})
	}
}

// owned are the unknown nodes whose nearest known ancestor is Loom's, and stays.
func owned(in Input) []config.Unknown {
	var out []config.Unknown
	for _, u := range in.Unknown {
		at := in.Running.Find(parent(u.Path))
		stays := in.Intended.Find(parent(u.Path)).Valid()
		if at.Valid() && stays && in.Scope.Covers(at, in.Intended) {
			out = append(out, u)
		}
	}
	return out
}

func parent(p config.Path) config.Path { return p[:max(len(p)-1, 0)] }
