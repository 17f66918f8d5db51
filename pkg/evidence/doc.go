// Package evidence judges what a run of the controller has left behind: four records that were written
// independently of each other, held against each other.
//
// The rule that matters most: it shares no code with what it judges. Of the controller it knows the types of the records
// in its journal, and of simulated devices the format of theirs. Each Rule says what must hold in any run, whatever
// went wrong in it, and has a test in which one record is tampered with and that rule alone complains.
package evidence

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/loomfabric/loom/pkg/transaction"
)

// Run is the four records of one run.
type Run struct {
	Calls   []Call  // what clients asked for, and what they were told; in the order in which they began
	Devices []Entry // what each simulated device got, as the simulation wrote it down; in its order
	Journal []Line  // what the controller wrote down, read from its store; of each transaction in order
	Faults  []Fault // what was done to the devices
}

// Call is one run of a command that may change devices.
type Call struct {
	Number   int       `json:"number"`
	Command  []string  `json:"command"`
	Invoked  time.Time `json:"invoked"`
	Returned time.Time `json:"returned"`
	Result   Result    `json:"result"`
	Exit     int       `json:"exit"` // of a command that was not killed

	Transaction string              `json:"transaction,omitempty"` // that it said it has carried out
	Outcome     transaction.Outcome `json:"outcome,omitempty"`     // that it said
}

// Result is what a client knows afterwards.
type Result string

// The results of calls.
const (
	OK      Result = "ok"
	Failed  Result = "failed"
	Unknown Result = "unknown" // it was killed, and said nothing
)

// Entry is a line of the simulation's journal; pkg/sim documents its fields.
type Entry struct {
	Number  uint64    `json:"number"`
	Time    time.Time `json:"time"`
	Event   string    `json:"event"` // "set", "inject", "strike", "clear", "state"
	Device  string    `json:"device"`
	Fault   string    `json:"fault,omitempty"`
	Request []byte    `json:"request,omitempty"`
	Code    string    `json:"code,omitempty"`
	Message string    `json:"message,omitempty"`
	Order   uint64    `json:"order,omitempty"`
	From    string    `json:"from,omitempty"`
	To      string    `json:"to,omitempty"`
	Startup string    `json:"startup,omitempty"`
	Pending string    `json:"pending,omitempty"`
}

// Line is a record of a transaction, or says what a configuration of the journal means to a device: the digest by
// which the simulation would name it.
type Line struct {
	Transaction string              `json:"transaction,omitempty"`
	Number      int                 `json:"number,omitempty"` // from 0, in its transaction
	Record      *transaction.Record `json:"record,omitempty"`

	Configuration string `json:"configuration,omitempty"` // as the places of jobs name it
	Digest        string `json:"digest,omitempty"`
}

// Fault is what somebody did to a device.
type Fault struct {
	At     time.Time `json:"at"`
	ID     string    `json:"id"`
	Device string    `json:"device"`
	Kind   string    `json:"kind"` // as the simulation calls it
}

// Names of the files of a run.
const (
	callsFile   = "calls.jsonl"
	devicesFile = "devices.jsonl"
	journalFile = "journal.jsonl"
	faultsFile  = "faults.jsonl"
)

// Load reads the records of a run from a directory. A file that is missing is an error: what is not there proves nothing.
func Load(dir string) (*Run, error) {
	var r Run
	err := errors.Join(load(dir, callsFile, &r.Calls), load(dir, devicesFile, &r.Devices), load(dir, journalFile, &r.Journal), load(dir, faultsFile, &r.Faults))
	return &r, err
}

// Save writes the records of a run into a directory, which it makes.
func (r *Run) Save(dir string) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	return errors.Join(save(dir, callsFile, r.Calls), save(dir, devicesFile, r.Devices), save(dir, journalFile, r.Journal), save(dir, faultsFile, r.Faults))
}

func load[T any](dir, name string, to *[]T) error {
	f, err := os.Open(filepath.Join(dir, name))
	if errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("%w; a run has %s, %s, %s and %s", err, callsFile, devicesFile, journalFile, faultsFile)
	}
	if err != nil {
		return err
	}
	defer f.Close()
	dec := json.NewDecoder(bufio.NewReader(f))
	for dec.More() {
		var v T
		if err := dec.Decode(&v); err != nil {
			return fmt.Errorf("%s: record %d: %w", f.Name(), len(*to)+1, err)
		}
		*to = append(*to, v)
	}
	return nil
}

func save[T any](dir, name string, all []T) error {
	f, err := os.Create(filepath.Join(dir, name))
	if err != nil {
		return err
	}
	enc := json.NewEncoder(f)
	for _, v := range all {
		if err := enc.Encode(v); err != nil {
			return errors.Join(err, f.Close())
		}
	}
	return f.Close()
}
