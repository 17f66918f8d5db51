package controller

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"time"

	"github.com/loomfabric/loom/models/intent"
	"github.com/loomfabric/loom/pkg/topology"
	"google.golang.org/protobuf/proto"
)

// Revision is one state of what is intended of a topology. Numbers rise by one with every write of the topology, from 1.
type Revision struct {
	Topology string    `json:"topology"`
	Number   int64     `json:"number"`
	At       time.Time `json:"at"`
	By       string    `json:"by"`
	Message  string    `json:"message,omitempty"`
	Hash     string    `json:"hash"`               // see Hash
	Restores int64     `json:"restores,omitempty"` // the revision that it says again; 0: none
	Commit   string    `json:"commit,omitempty"`   // of the source that it was followed from
	Deleted  bool      `json:"deleted,omitempty"`  // the topology ends with it
}

// Intent is what is intended as of one revision: files, and resources that were put or deleted since, in their order.
type Intent struct {
	Revision
	Files []topology.Source
	Edits []Edit
}

// Edit is one resource that was put or deleted after the files.
type Edit struct {
	Name  string        // as Resource
	Value proto.Message // nil: it was deleted
}

// Expand is what files and edits come to. An intent with edits is checked by the rules of the language, as if a file said it; what
// is wrong with it then is told by the line of that text.
func (i *Intent) Expand() (*topology.Topology, topology.Diagnostics) {
	topo, diags := topology.Parse(i.Files...)
	if diags.HasErrors() || len(i.Edits) == 0 {
		return topo, diags
	}
	in := proto.CloneOf(topo.Intent)
	edited := make([]string, 0, len(i.Edits))
	for _, e := range i.Edits {
		if err := e.apply(in); err != nil {
			return nil, append(diags, topology.Diagnostic{Ref: e.Name, Severity: topology.Error, Message: err.Error()})
		}
		edited = append(edited, e.Name)
	}
	checked, more := topology.Parse(topology.Source{Name: "the expanded intent of " + in.GetName(), Data: topology.Expand(topology.New(in))})
	if more.HasErrors() {
		return nil, more
	}
	return topo.With(checked.Intent, edited...), diags
}

// With is the intent with one more edit. An earlier one of the same resource is forgotten, as are those of what is below one that goes.
func (i *Intent) With(e Edit) *Intent {
	out := *i
	out.Edits = slices.DeleteFunc(slices.Clone(i.Edits), func(old Edit) bool {
		return old.Name == e.Name || e.Value == nil && within(old.Name, e.Name)
	})
	out.Edits = append(out.Edits, e)
	return &out
}

// Hash is the SHA-256, in hex, of what is intended: of the expanded form, whatever files and edits it came from.
func Hash(in *intent.Topology) (string, error) {
	data, err := proto.MarshalOptions{Deterministic: true}.Marshal(in)
	if err != nil {
		return "", fmt.Errorf("%s: %w", in.GetName(), err)
	}
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:]), nil
}
