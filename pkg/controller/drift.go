package controller

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"slices"
	"time"

	"github.com/loomfabric/loom/pkg/config"
)

// Drift is one thing that a device has and that nobody intended.
type Drift struct {
	ID       string // the same as long as it is there: of device and path
	Device   string
	Path     string
	Op       config.Op // what was done to what is intended
	Intended string    // canonical text; empty where nothing is, or where it is more than a leaf
	Has      string    // the same of what the device has
	Since    time.Time
}

// driftID names the drift at a path of a device.
func driftID(device, path string) string {
	sum := sha256.Sum256([]byte(device + " " + path))
	return hex.EncodeToString(sum[:8])
}

// drifts are the differences between what is intended of a device and what Loom owns of what it has, by path.
func drifts(device string, intended, has *config.Tree, now time.Time) []Drift {
	var out []Drift
	for _, c := range config.Diff(intended, has) {
		d := Drift{Device: device, Path: c.At.String(), Op: c.Op, Since: now}
		if c.From.Valid() && (c.From.IsLeaf() || c.From.IsValue()) {
			d.Intended = c.From.Shown()
		}
		if c.To.Valid() && (c.To.IsLeaf() || c.To.IsValue()) {
			d.Has = c.To.Shown()
		}
		d.ID = driftID(device, d.Path)
		out = append(out, d)
	}
	slices.SortFunc(out, func(a, b Drift) int { return cmp.Compare(a.Path, b.Path) })
	return out
}

// news compares the drifts of two moments: what has come or has another value, and what is gone. What stays keeps its time.
func news(before, after []Drift) (came, gone []Drift) {
	old := make(map[string]*Drift, len(before))
	for i := range before {
		old[before[i].ID] = &before[i]
	}
	for i := range after {
		d := &after[i]
		was, there := old[d.ID]
		delete(old, d.ID)
		switch {
		case !there:
			came = append(came, *d)
		case was.Has != d.Has || was.Intended != d.Intended || was.Op != d.Op:
			d.Since = was.Since
			came = append(came, *d)
		default:
			d.Since = was.Since
		}
	}
	for i := range before {
		if old[before[i].ID] != nil {
			gone = append(gone, before[i])
		}
	}
	return came, gone
}
