package controller

import "time"

// EventKind is what an event is about.
type EventKind string

// The kinds of events.
const (
	IntentEvent      EventKind = "intent"
	PlanEvent        EventKind = "plan"
	TransactionEvent EventKind = "transaction"
	DeviceEvent      EventKind = "device"
	DriftEvent       EventKind = "drift"
	FindingEvent     EventKind = "finding"
	SourceEvent      EventKind = "source"
	ControllerEvent  EventKind = "controller"
	AccessEvent      EventKind = "access"
)

// Event is something that has happened, for people and programs that watch. Nothing in Loom depends on seeing it.
type Event struct {
	Sequence int64     `json:"-"` // rises with every event; given by who keeps it
	At       time.Time `json:"at"`
	Kind     EventKind `json:"kind"`
	Topology string    `json:"topology,omitempty"`
	Device   string    `json:"device,omitempty"`
	By       string    `json:"by,omitempty"`
	Message  string    `json:"message"`
	Subject  string    `json:"subject,omitempty"` // number of a revision, or id of a plan, transaction, drift or finding
	Revision int64     `json:"revision,omitempty"`
}
