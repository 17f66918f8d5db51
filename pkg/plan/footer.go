package plan

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// Most of what a summary for people lists of one kind; JSON has all.
const (
	maxRisks = 5 // risks of one class
	maxApart = 3 // devices of a wave that are apart from others
)

// rollout writes the waves, one paragraph each, where there is more than one.
func (p *Plan) rollout(b *strings.Builder) {
	if len(p.Waves) < 2 {
		return
	}
	fmt.Fprintf(b, "\nWaves%s\n", p.Rollout.limits())
	for i := range p.Waves {
		what, apart := p.wave(i)
		fmt.Fprintf(b, "  %-3d %-13s %s\n", i+1, what, strings.Join(p.Waves[i], " "))
		if apart != "" {
			fmt.Fprintf(b, "      apart: %s\n", apart)
		}
	}
}

// limits is what was asked of the waves.
func (r Rollout) limits() string {
	text := ""
	if r.Size > 0 {
		text += fmt.Sprintf(", at most %s each", count(r.Size, "device"))
	}
	if r.Soak > 0 {
		text += fmt.Sprintf(", %s between them", time.Duration(r.Soak))
	}
	if slices.ContainsFunc(r.Stages, func(s Stage) bool { return s.Checkpoint && !s.Drained }) {
		text += fmt.Sprintf(", at most %s unconfirmed", count(r.Armed, "device"))
	}
	return text
}

// wave says what wave number i is, from 0, and why its devices are not in an earlier one.
func (p *Plan) wave(i int) (what, apart string) {
	if i >= len(p.Rollout.Stages) {
		return "", ""
	}
	s := p.Rollout.Stages[i]
	what = s.Role
	if s.Canary {
		what = "canary " + what
	}
	var parts []string
	for k, a := range s.Apart {
		if k == maxApart {
			parts = append(parts, fmt.Sprintf("%d more", len(s.Apart)-k))
			break
		}
		parts = append(parts, fmt.Sprintf("%s from %s (%s)", a.Device, a.From, a.Group))
	}
	if s.Drained {
		what += ", drained"
	}
	if s.Checkpoint {
		what += ", then confirmed"
	}
	return what, strings.Join(parts, ", ")
}

// risks writes what has to be approved, class by class.
func (p *Plan) risks(b *strings.Builder, s Style) {
	if len(p.Risks) == 0 {
		return
	}
	fmt.Fprintf(b, "\n%s\n", s.paint(red, "Risks: "+p.leave()))
	for _, class := range p.RiskClasses() {
		fmt.Fprintf(b, "  %s: %s\n", s.paint(bold, string(class)), class.means())
		p.eachRisk(class, func(text, why string) {
			fmt.Fprintf(b, "    %s\n", text)
			if why != "" {
				fmt.Fprintf(b, "      %s\n", why)
			}
		})
	}
}

// leave says what it takes to carry out a plan that has risks.
func (p *Plan) leave() string {
	if len(p.Refused()) > 0 {
		return "this plan would cut Loom's own way to a device, and is refused whatever is approved"
	}
	var names []string
	for _, c := range p.RiskClasses() {
		names = append(names, string(c))
	}
	return "to be approved by name: --approve " + strings.Join(names, ",")
}

func (c Class) means() string {
	for _, x := range Classes {
		if x.Class == c {
			return x.Means
		}
	}
	return ""
}

// eachRisk calls f for the first risks of a class, with what would happen, which is said once for
// risks in a row that have it in common, and then says how many there are more.
func (p *Plan) eachRisk(class Class, f func(text, why string)) {
	n, last := 0, ""
	for _, r := range p.Risks {
		if r.Class != class {
			continue
		}
		if n++; n > maxRisks {
			continue
		}
		why := r.Why
		if why == last {
			why = ""
		}
		last = r.Why
		f(r.text(), why)
	}
	if n > maxRisks {
		f(fmt.Sprintf("… %d more", n-maxRisks), "")
	}
}

// text is where and what, in a line.
func (r Risk) text() string {
	at := strings.TrimSpace(r.Device + " " + r.Path)
	if at == "" || r.Change == "" {
		return at + r.Change
	}
	return at + ": " + r.Change
}
