package controller

import (
	"context"
	"fmt"
	"time"
)

// Maintenance is that people work on a device: the controller changes nothing on it, and tells nothing that is wrong with it.
type Maintenance struct {
	By    string    `json:"by"`
	Why   string    `json:"why,omitempty"`
	Since time.Time `json:"since"`
	Until time.Time `json:"until,omitzero"` // zero: until somebody ends it
}

// Over tells whether its time has passed.
func (m Maintenance) Over(now time.Time) bool { return !m.Until.IsZero() && !now.Before(m.Until) }

// String is a sentence without its subject.
func (m Maintenance) String() string {
	out := fmt.Sprintf("in maintenance by %s since %s", m.By, m.Since.Local().Format(time.DateTime))
	if !m.Until.IsZero() {
		out += ", until " + m.Until.Local().Format(time.DateTime)
	}
	if m.Why != "" {
		out += ": " + m.Why
	}
	return out
}

// Maintainer begins and ends maintenance.
type Maintainer interface {
	// SetMaintenance begins maintenance of a device, or changes it; nil ends it. Errors: ErrNoTopology, ErrNoDevice; ErrNotNow, as a
	// transaction changes devices; ErrInvalid, as its time has passed.
	SetMaintenance(ctx context.Context, topology, device string, m *Maintenance, by string) (DeviceView, error)
}
