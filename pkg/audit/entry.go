package audit

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"
	"unicode/utf8"
)

// Version is that of the encoding of entries.
const Version = 1

// Stage tells whether an entry is about something that is about to happen, or has happened.
type Stage string

// The stages. What changes something has two entries, the first of which is there before anything is changed.
const (
	Before Stage = "before" // about to happen; what became of it is told by an entry After. Where there is none it is not known
	After  Stage = "after"  // what became of an entry Before
	Whole  Stage = "whole"  // it has happened, and changed nothing
)

// Entry is one record: who did what to what, when, and what came of it. It has no values of configurations, and no secrets: of a
// request it has the digest.
type Entry struct {
	Version  int       `json:"v"`
	Sequence int64     `json:"seq"`               // from 0, without a gap
	At       time.Time `json:"at"`                // UTC, by the clock of Replica
	Replica  string    `json:"replica,omitempty"` // process that wrote it
	Who      Who       `json:"who"`
	What     string    `json:"what"`         // full name of an RPC ("/loom.v1.PlanService/ApplyPlan"), or Set
	Stage    Stage     `json:"stage"`        //
	ID       string    `json:"id,omitempty"` // of an entry Before, or of an entry After the one that it belongs to: unique in a log
	Subject  Subject   `json:"subject,omitzero"`
	Digest   string    `json:"digest,omitempty"` // SHA-256 of the request, in hex
	Outcome  Outcome   `json:"outcome,omitzero"` // of After and Whole
}

// Set is What of a request that changes a device (gNMI spec §3.4).
const Set = "gnmi.Set"

// Who is who did it.
type Who struct {
	Name       string `json:"name,omitempty"`
	Credential string `json:"credential,omitempty"` // how that is known: "certificate", "token", "process"
	Address    string `json:"address,omitempty"`    // host:port
}

// Subject is what it was done to. What is not known or does not apply is empty.
type Subject struct {
	Topology    string `json:"topology,omitempty"`
	Device      string `json:"device,omitempty"`
	Operation   string `json:"operation,omitempty"` // of a Set: "set", "confirm", "cancel", "extend", "save"
	Plan        string `json:"plan,omitempty"`      // id
	PlanHash    string `json:"plan_hash,omitempty"`
	Transaction string `json:"transaction,omitempty"`
}

// Outcome is what came of it.
type Outcome struct {
	Code    string `json:"code,omitempty"`    // of gRPC: "OK", "PermissionDenied"; of a Set that was not sent: NotSent
	Message string `json:"message,omitempty"` // words of Loom's own: never a value, and never what somebody else wrote
}

// NotSent is the code of a Set that never left.
const NotSent = "NotSent"

// mostText is how long a text of an entry may be, in bytes: what callers name is theirs to choose.
const mostText = 256

// Encode is the one encoding of an entry: JSON with the fields in their order, without space, with a UTC time, and no text longer than
// 256 bytes. It is what is hashed.
func (e Entry) Encode() []byte {
	e.Version = Version
	e.At = e.At.UTC().Round(0)
	for _, text := range []*string{
		&e.Replica, &e.Who.Name, &e.Who.Credential, &e.Who.Address, &e.What, &e.ID, &e.Digest, &e.Outcome.Code, &e.Outcome.Message,
		&e.Subject.Topology, &e.Subject.Device, &e.Subject.Operation, &e.Subject.Plan, &e.Subject.PlanHash, &e.Subject.Transaction,
	} {
		*text = short(*text)
	}
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(e); err != nil {
		panic(err) // of strings and numbers, and a time of a clock
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("\n"))
}

// short is a text in so many bytes, valid in UTF-8.
func short(s string) string {
	if s = strings.ToValidUTF8(s, "\uFFFD"); len(s) <= mostText {
		return s
	}
	cut := mostText - len("…")
	for !utf8.RuneStart(s[cut]) {
		cut--
	}
	return s[:cut] + "…"
}

// Decode reads what Encode wrote, and nothing else: another spelling of the same is an error.
func Decode(data []byte) (Entry, error) {
	var e Entry
	if err := json.Unmarshal(data, &e); err != nil {
		return e, err
	}
	if e.Version != Version {
		return e, fmt.Errorf("it has version %d; this program reads %d: use the release that wrote it", e.Version, Version)
	}
	if !bytes.Equal(e.Encode(), data) {
		return e, errors.New("it is not written as Loom writes it")
	}
	return e, nil
}

// DigestOf is the SHA-256 of some bytes as entries have it.
func DigestOf(data []byte) string {
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:])
}
