package sim

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"

	"github.com/loomfabric/loom/pkg/config"
)

// ParseScenario reads a scenario from YAML. It reports every mistake, each with file:line:column; whether there are
// such devices shows when it runs. The file's name is for messages.
//
//	seed: 7
//	steps:
//	  - inject: slow-set leaf1
//	    as: slow
//	    delay: 10s
//	  - when: leaf1 has a pending commit
//	    inject: reboot leaf1
//	  - at: 1m
//	    clear: slow
func ParseScenario(file string, data []byte) (Scenario, error) {
	p := &scenarioParser{file: file, as: map[string]int{}}
	dec := yaml.NewDecoder(bytes.NewReader(data))
	var doc, more yaml.Node
	switch err := dec.Decode(&doc); {
	case err == io.EOF || err == nil && doc.Content[0].Tag == "!!null":
		return Scenario{}, fmt.Errorf("%s:1:1: is empty; a scenario has steps, as in `steps: [{inject: stall leaf1}]`", file)
	case err != nil:
		return Scenario{}, fmt.Errorf("%s:%s", file, placed(err))
	}
	if err := dec.Decode(&more); err != io.EOF {
		p.fail(&more, "a scenario is one document")
	}
	sc := p.scenario(doc.Content[0])
	return sc, errors.Join(p.errs...)
}

// placed turns "yaml: line 3: x" into "3: x", which is all that the decoder knows of the place.
func placed(err error) string {
	text := strings.TrimPrefix(err.Error(), "yaml: ")
	if m := yamlLine.FindStringSubmatch(text); m != nil {
		return m[1] + ":1: " + m[2]
	}
	return "1:1: " + text
}

var yamlLine = regexp.MustCompile(`^line (\d+): (.*)`)

// scenarioParser collects mistakes.
type scenarioParser struct {
	file string
	as   map[string]int // names of faults, and the lines of the steps that inject them
	errs []error
}

func (p *scenarioParser) fail(n *yaml.Node, format string, args ...any) {
	p.errs = append(p.errs, fmt.Errorf("%s:%d:%d: %s", p.file, max(n.Line, 1), max(n.Column, 1), fmt.Sprintf(format, args...)))
}

func (p *scenarioParser) scenario(n *yaml.Node) Scenario {
	sc := Scenario{Name: p.file}
	begun := false
	for key, value := range p.members(n, "a scenario") {
		switch key.Value {
		case "seed":
			sc.Seed = p.seed(value)
		case "steps":
			sc.Steps, begun = p.steps(value), true
		case "within":
			sc.Within = p.patience(value, value.Value)
		default:
			p.fail(key, "%s: no such member; there is seed, within, steps", key.Value)
		}
	}
	if n.Kind == yaml.MappingNode && !begun {
		p.fail(n, "has no steps, so nothing would happen; add some, as in `steps: [{inject: stall leaf1}]`")
	}
	return sc
}

func (p *scenarioParser) seed(n *yaml.Node) uint64 {
	v, err := strconv.ParseUint(n.Value, 0, 64)
	if err != nil {
		p.fail(n, "seed %q: want a number of at most 64 bits", n.Value)
	}
	return v
}

// members yields the members of a mapping, and reports those that are there twice.
func (p *scenarioParser) members(n *yaml.Node, what string) func(func(key, value *yaml.Node) bool) {
	return func(yield func(key, value *yaml.Node) bool) {
		if n.Kind != yaml.MappingNode {
			p.fail(n, "%s is a mapping", what)
			return
		}
		seen := map[string]bool{}
		for i := 0; i+1 < len(n.Content); i += 2 {
			key, value := n.Content[i], n.Content[i+1]
			if seen[key.Value] {
				p.fail(key, "%s: is here twice", key.Value)
				continue
			}
			if seen[key.Value] = true; !yield(key, value) {
				return
			}
		}
	}
}

func (p *scenarioParser) steps(n *yaml.Node) []Step {
	if n.Kind != yaml.SequenceNode {
		p.fail(n, "steps are a list")
		return nil
	}
	if len(n.Content) == 0 {
		p.fail(n, "steps: there are none, so nothing would happen; add some, as in `- inject: stall leaf1`")
	}
	var out []Step
	for _, one := range n.Content {
		out = append(out, p.step(one))
	}
	return out
}

func (p *scenarioParser) step(n *yaml.Node) Step {
	s := Step{Marks: map[string]Mark{}}
	var inject, as *yaml.Node
	parameters := map[string]string{}
	for key, value := range p.members(n, "a step") {
		s.Marks[key.Value] = Mark{value.Line, value.Column}
		switch text := p.scalar(key, value); key.Value {
		case "at":
			s.At = p.duration(value, text)
		case "after":
			s.After = p.duration(value, text)
		case "when":
			s.When = p.condition(value, text)
		case "note":
			s.Note = text
		case "as":
			s.As, as = text, value
		case "clear":
			s.Clear = p.cleared(value, text)
		case "within":
			s.Within = p.patience(value, text)
		case "save":
			s.Save = p.device(value, text)
		case "accept":
			s.Accept = p.device(value, text)
		case "inject":
			inject = value
		default:
			if !slices.Contains(parameterNames(), key.Value) {
				p.fail(key, "%s: no such member; there is at, when, within, after, inject, as, clear, save, accept, note, and the parameters of faults: %s", key.Value, strings.Join(parameterNames(), ", "))
				continue
			}
			parameters[key.Value] = text
		}
	}
	switch {
	case inject != nil:
		s.Inject = p.fault(inject, parameters)
		p.name(as, s.As)
	case len(parameters) > 0 || s.As != "":
		p.fail(n, "a step with parameters or `as` injects something")
	case len(s.Clear) == 0 && s.Save+s.Accept+s.Note == "":
		p.fail(n, "a step does something: inject, clear, save, accept or note")
	}
	if s.Within > 0 && s.When.Device == "" {
		p.fail(n, "within: is how long `when` is waited for, and there is none")
	}
	return s
}

// name notes the name of a fault, which no other one may have.
func (p *scenarioParser) name(n *yaml.Node, as string) {
	switch line, taken := p.as[as]; {
	case n == nil:
		return
	case as == "":
		p.fail(n, "as: a name is one word, as in `as: slow`")
	case as == "all":
		p.fail(n, "as all: clear takes this word for all faults; choose another name")
	case faultID.MatchString(as):
		p.fail(n, "as %s: faults without a name are called like this; choose another name", as)
	case taken:
		p.fail(n, "as %s: line %d injects a fault of this name; choose another one", as, line)
	default:
		p.as[as] = n.Line
	}
}

// faultID is how Inject names faults.
var faultID = regexp.MustCompile(`^f\d+$`)

// device reads the name of a device.
func (p *scenarioParser) device(n *yaml.Node, text string) string {
	if text == "" {
		p.fail(n, "names no device, as in `save: leaf1`")
	}
	return text
}

// patience reads how long a condition is waited for.
func (p *scenarioParser) patience(n *yaml.Node, text string) time.Duration {
	d, err := time.ParseDuration(text)
	if err != nil || d <= 0 {
		p.fail(n, "within %q: want a time longer than nothing, as in 30s", text)
	}
	return d
}

// scalar returns the text of a value; that of a list is its own business.
func (p *scenarioParser) scalar(key, value *yaml.Node) string {
	if value.Kind != yaml.ScalarNode && key.Value != "clear" {
		p.fail(value, "%s is one word or text", key.Value)
	}
	return value.Value
}

func (p *scenarioParser) duration(n *yaml.Node, text string) time.Duration {
	d, err := time.ParseDuration(text)
	if err != nil || d < 0 {
		p.fail(n, "%q: want a time, as in 500ms or 2m", text)
	}
	return d
}

// fault reads "slow-set leaf1". A target may have blanks, as cables do.
func (p *scenarioParser) fault(n *yaml.Node, parameters map[string]string) *Fault {
	kind, target, _ := strings.Cut(n.Value, " ")
	f, err := ParseFault(kind, strings.TrimSpace(target), parameters)
	if err == nil && f.Target == "" {
		err = errors.New("names no target, as in `inject: stall leaf1`")
	}
	if err != nil {
		p.fail(n, "%s", strings.ReplaceAll(err.Error(), "\n", "; "))
	}
	return &f
}

// cleared reads one name or a list of them.
func (p *scenarioParser) cleared(n *yaml.Node, text string) []string {
	nodes := n.Content
	if n.Kind == yaml.ScalarNode {
		nodes = []*yaml.Node{n}
	}
	var out []string
	for _, one := range nodes {
		if one.Value != "all" && p.as[one.Value] == 0 {
			p.fail(one, "clear %s: no step before this one injects a fault as %s", one.Value, one.Value)
		}
		out = append(out, one.Value)
	}
	return out
}

// The forms of a condition.
var (
	whenPending = regexp.MustCompile(`^(\S+) has (a|no) pending commit$`)
	whenSets    = regexp.MustCompile(`^(\S+) got (\d+) sets?$`)
	whenLeaf    = regexp.MustCompile(`^(\S+) shows (/.*) = (.+)$`)
	whenAbsent  = regexp.MustCompile(`^(\S+) does not show (/.*)$`)
)

func (p *scenarioParser) condition(n *yaml.Node, text string) (c Condition) {
	var err error
	if m := whenPending.FindStringSubmatch(text); m != nil {
		some := m[2] == "a"
		return Condition{Device: m[1], Pending: &some}
	}
	if m := whenSets.FindStringSubmatch(text); m != nil {
		c.Device = m[1]
		if c.Sets, err = strconv.Atoi(m[2]); err == nil && c.Sets > 0 {
			return c
		}
	}
	m := whenLeaf.FindStringSubmatch(text)
	if m == nil {
		m = append(whenAbsent.FindStringSubmatch(text), "")
	}
	if len(m) < 4 {
		p.fail(n, "%q: want `DEVICE has a pending commit`, `DEVICE has no pending commit`, `DEVICE got N sets`, `DEVICE shows PATH = VALUE` or `DEVICE does not show PATH`", text)
		return c
	}
	c.Device, c.Value = m[1], m[3]
	if c.Path, err = config.ParsePath(m[2]); err != nil {
		p.fail(n, "%v", err)
	}
	return c
}
