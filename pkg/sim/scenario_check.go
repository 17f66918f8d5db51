package sim

import (
	"errors"
	"fmt"

	"github.com/loomfabric/loom/pkg/config"
)

// Check tells what is wrong with a scenario for this simulation, before any of it happens: faults that would be refused,
// devices that are not there, conditions that can never be so. It reports every mistake, with the place in the file.
func (s *Sim) Check(sc Scenario) error {
	var errs []error
	for i, step := range sc.Steps {
		report := func(member string, err error) {
			if err != nil {
				errs = append(errs, fmt.Errorf("%s: %w", sc.place(i, member), err))
			}
		}
		if step.Inject != nil {
			fault := *step.Inject
			_, err := s.judge(&fault)
			report("inject", err)
		}
		report("when", s.possible(step.When))
		report("save", s.named(step.Save))
		report("accept", s.named(step.Accept))
	}
	return errors.Join(errs...)
}

// place names a member of a step in messages: file:line:column, or by its number where it comes from no file.
func (sc Scenario) place(step int, member string) string {
	if m, ok := sc.Steps[step].Marks[member]; ok {
		return fmt.Sprintf("%s:%d:%d", sc.Name, m.Line, m.Column)
	}
	return fmt.Sprintf("%s: step %d", sc.Name, step+1)
}

// possible tells why a condition can never be so.
func (s *Sim) possible(c Condition) error {
	if err := s.named(c.Device); err != nil || c.Device == "" {
		return err
	}
	_, err := s.byName[c.Device].canonical(c)
	return err
}

// named refuses the name of a device that is not there; none is right.
func (s *Sim) named(device string) error {
	if device == "" || s.byName[device] != nil {
		return nil
	}
	return s.missing(device)
}

// canonical returns the value that a condition is about as trees hold it, or why there is never one.
func (d *Device) canonical(c Condition) (string, error) {
	if c.Path == nil {
		return "", nil
	}
	id, err := d.node(c.Path, false)
	schema := d.spec.Driver.Schema
	switch {
	case err != nil:
		return "", fmt.Errorf("%s: %w", c.Device, err)
	case c.Value == "":
		return "", nil
	case schema.Nodes[id].Kind != config.Leaf:
		return "", fmt.Errorf("%s: %s: is no leaf, so it has no value to wait for; name one below it", c.Device, c.Path)
	}
	value, err := schema.Canonical(id, schema.Release(d.release()), c.Value)
	if err != nil {
		return "", fmt.Errorf("%s: %s: %w", c.Device, c.Path, err)
	}
	return value, nil
}

// String writes a condition as a scenario has it.
func (c Condition) String() string {
	switch {
	case c.Pending != nil && *c.Pending:
		return c.Device + " has a pending commit"
	case c.Pending != nil:
		return c.Device + " has no pending commit"
	case c.Sets > 0:
		return fmt.Sprintf("%s got %d sets", c.Device, c.Sets)
	case c.Value != "":
		return fmt.Sprintf("%s shows %s = %s", c.Device, c.Path, c.Value)
	}
	return fmt.Sprintf("%s does not show %s", c.Device, c.Path)
}
