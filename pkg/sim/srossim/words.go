package srossim

import (
	"errors"
	"fmt"
	"strings"

	"github.com/loomfabric/loom/pkg/config"
)

// Numbers of messages of the management core, as public reports quote them.
const (
	unknownElement = 2201
	invalidValue   = 2301
)

// refusal words a refusal as the router does: a line for each mistake, with its number, its place and what is wrong. The numbers and the
// two texts are from public reports; what else is said of a mistake is ours.
func refusal(_ *config.Schema, err error) string {
	var path *config.PathError
	var lines []string
	for _, e := range flatten(err) {
		var value *config.ValueError
		switch {
		case errors.As(e, &value):
			lines = append(lines, fmt.Sprintf("MINOR: MGMT_CORE #%d: %s - Invalid element value - %v", invalidValue, place(value.Path), value.Err))
		case errors.As(e, &path) && path.Why == "":
			lines = append(lines, fmt.Sprintf("MINOR: MGMT_CORE #%d: %s - Unknown element", unknownElement, place(path.Path.Child(path.Element))))
		default:
			lines = append(lines, fmt.Sprintf("MINOR: MGMT_CORE #%d: %v", unknownElement, e))
		}
	}
	return strings.Join(lines, "\n")
}

// flatten takes joined errors apart.
func flatten(err error) (all []error) {
	if many, ok := err.(interface{ Unwrap() []error }); ok {
		for _, e := range many.Unwrap() {
			all = append(all, flatten(e)...)
		}
		return all
	}
	return []error{err}
}

// place writes a path as a person at the router types it: /configure router "Base" bgp group "wan".
func place(p config.Path) string {
	var b strings.Builder
	b.WriteByte('/')
	for i, e := range p {
		if i > 0 {
			b.WriteByte(' ')
		}
		b.WriteString(e.Name)
		for _, k := range e.Keys {
			fmt.Fprintf(&b, " %q", k.Value)
		}
	}
	return b.String()
}
