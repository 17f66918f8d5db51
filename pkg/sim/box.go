package sim

import (
	"errors"
	"fmt"
	"strings"
)

// errNoSuchDevice tells that a device is not there.
var errNoSuchDevice = errors.New("there is none of this name")

// Save makes the running configuration of a device what it boots, as an operator at the box does with
// `tools system configuration save`.
func (s *Sim) Save(device string) error {
	d := s.byName[device]
	if d == nil {
		return s.missing(device)
	}
	return d.Save()
}

// Accept confirms the open commit of a device, whoever opened it, as an operator at the box does with
// `tools system configuration confirmed-accept`, and returns its id.
func (s *Sim) Accept(device string) (id string, err error) {
	d := s.byName[device]
	if d == nil {
		return "", s.missing(device)
	}
	return d.accept()
}

// missing says that a device is not there, and which are.
func (s *Sim) missing(device string) error {
	const most = 20
	var names []string
	for _, d := range s.devices[:min(len(s.devices), most)] {
		names = append(names, d.spec.Name)
	}
	if len(s.devices) > most {
		names = append(names, "...")
	}
	return fmt.Errorf("device %q: %w; there is %s", device, errNoSuchDevice, strings.Join(names, ", "))
}
