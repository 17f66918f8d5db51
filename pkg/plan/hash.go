package plan

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"slices"

	"github.com/openconfig/gnmi/proto/gnmi"
	"google.golang.org/protobuf/proto"
)

// ShortHash is how many hex digits of a plan's hash people are shown, and have to give at least.
const ShortHash = 12

// done is everything that a plan will do, and what was asked of it: what its hash is made of.
type done struct {
	Risks      int // RisksVersion: another set of checks may find what this one did not
	Topology   string
	Devices    []doneDevice
	Unsaved    []string
	Waves      [][]string
	Rollout    Rollout
	MaxDevices int
}

type doneDevice struct {
	Name, Base, Target, Sent string
	Steps                    []Step `json:",omitempty"`
}

// Hash is the SHA-256, in hex, of everything that the plan will do: on which devices, from which
// base to which target, by which request, in which waves, under which options. Two plans with one
// hash do the same, so who approves a hash approves what will be done. What the plan was compared
// with is no part of it: a plan against a revision has the hash of the one against devices that have
// what the revision says.
func (p *Plan) Hash() string {
	d := done{
		Risks: RisksVersion, Topology: p.Topology, Unsaved: slices.Sorted(slices.Values(p.Unsaved)),
		Waves: p.Waves, Rollout: p.Rollout, MaxDevices: p.MaxDevices,
	}
	for i := range p.Devices {
		x := &p.Devices[i]
		d.Devices = append(d.Devices, doneDevice{x.Name, x.Base, x.Target, x.Sent, x.Steps})
	}
	text, err := json.Marshal(d)
	if err != nil {
		panic(err) // strings, numbers and lists of them
	}
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:])
}

// MarshalJSON writes the plan with its hash, if it has one.
func (p *Plan) MarshalJSON() ([]byte, error) {
	type members Plan
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	hash := ""
	if p.Unfinished == nil {
		hash = p.Hash()
	}
	err := e.Encode(struct {
		Hash string `json:"hash,omitempty"`
		*members
	}{hash, (*members)(p)})
	return b.Bytes(), err
}

// sent is the SHA-256 of a request. Only the keys of paths are maps; sorted, equal requests are equal bytes.
func sent(req *gnmi.SetRequest) string {
	data, err := proto.MarshalOptions{Deterministic: true}.Marshal(req)
	if err != nil {
		data = []byte(err.Error()) // text that is no UTF-8: it cannot be sent either
	}
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:])
}
