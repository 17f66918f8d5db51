package controller

import (
	"context"

	"github.com/loomfabric/loom/pkg/plan"
	"github.com/loomfabric/loom/pkg/topology"
)

// Subject is what a question is about: a revision of a topology, or files that nobody has put.
type Subject struct {
	Topology string
	Revision int64             // 0: the newest
	Files    []topology.Source // instead of a revision; none: the revision
	Releases map[string]string // instead of those that the topology names, by operating system
	Drained  string            // selector of devices that are taken for drained
}

// Queries are answers that are computed from what is intended; no device is asked. cmd/loom provides them.
type Queries interface {
	// Explain says what asks for the leaves at and below a path of a device. Errors: ErrNoDevice, ErrInvalid.
	Explain(ctx context.Context, of Subject, device, path string) ([]Explained, error)
	// Render calls each with the configurations of devices that a selector matches, in the order of the design.
	Render(ctx context.Context, of Subject, limit string, each func(Rendered) error) error
	// Query is a table by its name, or the leaves at and below a path. Errors: ErrInvalid.
	Query(ctx context.Context, of Subject, what, limit string) (Table, error)
	// Optics are the channels of light.
	Optics(ctx context.Context, of Subject) (Light, error)
	// Validate compiles as far as configuration. What is wrong is in the answer, and is no error.
	Validate(ctx context.Context, of Subject) (Validation, error)
	// Diff is what two revisions make different; from 0 is the one before to, to 0 the newest.
	Diff(ctx context.Context, topology string, from, to int64, limit string) (*Difference, error)
}

// Explained is one leaf with what asks for it.
type Explained struct {
	Path, Value string
	Cause       plan.Cause
}

// Rendered is the configuration of one device.
type Rendered struct {
	Topology                                    string
	Name, Driver, Release, Platform, Site, Role string
	JSON                                        []byte // RFC 7951, canonical
	Hash                                        string // as plans have it
}

// Table is rows under a header.
type Table struct {
	Header []string
	Rows   [][]string
}

// Light is the optical part of a topology.
type Light struct {
	Topology string
	Lines    []string
	Channels []Channel
}

// Channel is one channel of light. Ratios are in dB, each the less of both directions.
type Channel struct {
	Name, DCI  string
	Lines      []string
	Mode       string
	Frequency  uint32  // MHz
	Width      uint32  // MHz
	Rate       int     // Gb/s
	Asked      float64 // margin that it is to keep
	Margins    []Margin
	Limit      string  // what limits the last of Margins
	GSNR       float64 // today, in 0.1 nm
	Power      float64 // dBm, as received today
	Dispersion float64 // ps/nm
	Latency    float64 // ms, one way
}

// Margin is what a channel keeps in one state of its lines.
type Margin struct {
	State string
	DB    float64
}

// Validation is what came of compiling.
type Validation struct {
	Topology                                   string // empty where it could not be read
	Diagnostics                                topology.Diagnostics
	Devices, Cables, Tenants, Segments, Leaves int // of what is valid; leaves of configuration
}

// Difference is what two revisions make different.
type Difference struct {
	From, To  Revision
	Resources []ResourceChange
	Devices   []DeviceDifference // by name; those that To does not have are among Resources only
}

// DeviceDifference is what differs in the configuration of one device.
type DeviceDifference struct {
	Device  string
	Changes []plan.Change
}
