package controller

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/url"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/loomfabric/loom/pkg/plan"
)

// ErrNoSource: there is no source of the name.
var ErrNoSource = errors.New("no such source")

// ApplyPolicy is what becomes of a change of a source.
type ApplyPolicy string

// The policies.
const (
	ApplyManual ApplyPolicy = "manual" // it is put and planned; people apply
	ApplyAuto   ApplyPolicy = "auto"   // it is applied too, as far as Judge lets it
)

// Source is a place whose files are followed: what they say is put as revisions of a topology.
type Source struct {
	Name       string        `json:"name"`
	Location   string        `json:"location"`           // of a Git repository; without a revision, an absolute path of a directory
	Revision   string        `json:"revision,omitempty"` // branch, tag or commit; empty: the location is a directory
	Path       string        `json:"path,omitempty"`     // below it: a file, or a directory whose *.yaml are read
	Policy     ApplyPolicy   `json:"policy,omitempty"`   // empty: ApplyManual
	Allowed    []plan.Class  `json:"allowed,omitempty"`  // risks that are applied without a person's approval
	MaxDevices int           `json:"max_devices,omitempty"`
	Interval   time.Duration `json:"interval,omitempty"` // 0: DefaultInterval
	By         string        `json:"by,omitempty"`       // who put the source
}

// What holds where a source does not say it.
const (
	DefaultInterval = 30 * time.Second
	DefaultChange   = 20 // devices of one change that nobody has approved
)

// Bounds of what a source may say.
const (
	shortestInterval = time.Second
	longestInterval  = 24 * time.Hour
	longestPlace     = 1024 // bytes
)

// Writer is by whom the source puts, plans and applies.
func (s *Source) Writer() string { return "source " + s.Name }

// Git tells whether it is a Git repository; otherwise it is a directory.
func (s *Source) Git() bool { return s.Revision != "" }

// Every is how often it is looked at.
func (s *Source) Every() time.Duration { return cmp.Or(s.Interval, DefaultInterval) }

// Most is how many devices one change may have without a person's approval.
func (s *Source) Most() int { return cmp.Or(s.MaxDevices, DefaultChange) }

// Place is what is followed, whatever becomes of it: sources that follow the same have the same.
func (s *Source) Place() string { return s.Location + "\n" + s.Revision + "\n" + s.Path }

var sourceName = regexp.MustCompile(`^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$`)

// Check tells all that makes no sense about a source, or that would be more than a place to read files from. Errors are ErrInvalid.
func (s *Source) Check() error {
	var all []error
	add := func(field string, err error) {
		if err != nil {
			all = append(all, fmt.Errorf("%s: %w", field, err))
		}
	}
	if !sourceName.MatchString(s.Name) {
		add("name", fmt.Errorf("%q; use lower-case letters, digits and hyphens, at most 63", s.Name))
	}
	add("location", s.checkLocation())
	add("revision", checkRef(s.Revision))
	add("path", checkPath(s.Path))
	if s.Policy != "" && s.Policy != ApplyManual && s.Policy != ApplyAuto {
		add("policy", fmt.Errorf("%q; use %s or %s", s.Policy, ApplyManual, ApplyAuto))
	}
	for _, c := range s.Allowed {
		if !slices.Contains(classNames(), string(c)) {
			add("allowed_risks", fmt.Errorf("%q is no class of risks; classes are %s", c, strings.Join(classNames(), ", ")))
		}
	}
	if s.MaxDevices < 0 {
		add("max_devices", fmt.Errorf("%d; use a number of devices, or 0 for %d", s.MaxDevices, DefaultChange))
	}
	if s.Interval != 0 && (s.Interval < shortestInterval || s.Interval > longestInterval) {
		add("interval", fmt.Errorf("%s; use %s to %s, or 0 for %s", s.Interval, shortestInterval, longestInterval, DefaultInterval))
	}
	if len(all) == 0 {
		return nil
	}
	return Kind(ErrInvalid, errors.Join(all...))
}

func classNames() []string {
	out := make([]string, len(plan.Classes))
	for i, c := range plan.Classes {
		out[i] = string(c.Class)
	}
	return out
}

var (
	scheme     = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9+.-]*://`)
	helper     = regexp.MustCompile(`^[A-Za-z0-9]+::`)                                                   // runs git-remote-NAME
	secureCopy = regexp.MustCompile(`^([A-Za-z0-9._~][A-Za-z0-9._~-]*@)?[A-Za-z0-9][A-Za-z0-9.-]*:[^:]`) // user@host:path
)

// checkLocation lets through what git fetches from a place that proves who it is, or from this host. git would take more: options, and
// helpers that run commands.
func (s *Source) checkLocation() error {
	at := s.Location
	switch {
	case at == "":
		return errors.New("is missing; give a Git repository and a revision, or an absolute path of a directory")
	case len(at) > longestPlace || hasControl(at):
		return fmt.Errorf("longer than %d bytes, or with control characters", longestPlace)
	case filepath.IsAbs(at) && filepath.Clean(at) == filepath.Clean(strings.TrimSuffix(at, "/")) && !strings.Contains(at, "/../"):
		return nil
	case !s.Git():
		return fmt.Errorf("%q is no absolute path of a directory, and a Git repository needs a revision (main)", at)
	case strings.HasPrefix(at, "-") || helper.MatchString(at):
		return fmt.Errorf("%q is no repository but something that git would run", at)
	case scheme.MatchString(at):
		return checkURL(at)
	case secureCopy.MatchString(at):
		return nil
	}
	return fmt.Errorf("%q is neither a URL (https, ssh) nor user@host:path nor an absolute path", at)
}

func checkURL(at string) error {
	u, err := url.Parse(at)
	if err != nil {
		return errors.New("is no URL") // err has all of it, a password too
	}
	_, password := u.User.Password()
	switch {
	case u.Scheme != "https" && u.Scheme != "ssh" && u.Scheme != "file":
		return fmt.Errorf("%s:// does not prove who answers, and whoever is on the way would decide what is intended; use https or ssh", u.Scheme)
	case password || u.Scheme == "https" && u.User != nil:
		return errors.New("has a user or password, which would be kept and shown; leave them to git's credential helper, of the user of the controller")
	case u.Scheme != "file" && (u.Host == "" || strings.HasPrefix(u.Host, "-")):
		return fmt.Errorf("%s:// without the name of a host", u.Scheme)
	}
	return nil
}

// checkRef lets through what can be the name of a branch, tag or commit (git-check-ref-format(1)), and neither an option nor another
// part of a refspec.
func checkRef(ref string) error {
	switch {
	case len(ref) > 255:
		return errors.New("longer than 255 bytes")
	case hasControl(ref), strings.ContainsAny(ref, " ~^:?*[\\"), strings.HasPrefix(ref, "-"), strings.HasPrefix(ref, "+"), strings.HasPrefix(ref, "/"),
		strings.HasSuffix(ref, "/"), strings.HasSuffix(ref, "."), strings.HasSuffix(ref, ".lock"), strings.Contains(ref, ".."), strings.Contains(ref, "//"),
		strings.Contains(ref, "/."), strings.HasPrefix(ref, "."), strings.Contains(ref, "@{"), ref == "@":
		return fmt.Errorf("%q is no name of a branch, tag or commit", ref)
	}
	return nil
}

// checkPath lets through what stays below the place.
func checkPath(p string) error {
	switch {
	case p == "":
		return nil
	case len(p) > longestPlace, hasControl(p), strings.Contains(p, `\`), path.Clean(p) != p, !filepath.IsLocal(p), p == ".":
		return fmt.Errorf("%q is no path within the source; give one such as topologies or topologies/demo.yaml, or none", p)
	}
	return nil
}

func hasControl(s string) bool {
	return strings.ContainsFunc(s, func(r rune) bool { return r < ' ' || r == 0x7f || r == '�' })
}

// Verdict is what becomes of a plan.
type Verdict struct {
	State  CommitState // CommitApplying: it is to be applied
	Reason string
	Risks  []string // classes that somebody would have to approve
}

// Judge decides what becomes of a plan that changes something. approved are classes of risks that people have approved of this plan.
func (s *Source) Judge(p *plan.Plan, approved []string) Verdict {
	if len(p.Refused()) > 0 {
		r := p.Refused()[0]
		return Verdict{State: CommitFailed, Reason: fmt.Sprintf("%s: %s: %s (%s); no approval changes that: change it by another way", r.Device, r.Path, r.Why, r.Change)}
	}
	var open []string
	for _, c := range p.RiskClasses() {
		if !slices.Contains(approved, string(c)) && (s.Policy != ApplyAuto || !slices.Contains(s.Allowed, c)) {
			open = append(open, string(c))
		}
	}
	if s.Policy != ApplyAuto {
		return Verdict{State: CommitPlanned, Reason: "people apply what this source plans", Risks: open}
	}
	var why []string
	if len(open) > 0 {
		why = append(why, "risks that are not approved: "+strings.Join(open, ", "))
	}
	if n := len(p.Devices); n > s.Most() && !slices.Contains(approved, string(plan.ManyDevices)) {
		if !slices.Contains(open, string(plan.ManyDevices)) {
			open = append(open, string(plan.ManyDevices))
		}
		why = append(why, fmt.Sprintf("%d devices change, and without approval of %s at most %d do", n, plan.ManyDevices, s.Most()))
	}
	for i := range p.Devices {
		if d := &p.Devices[i]; len(d.Foreign) > 0 {
			why = append(why, d.Name+" holds what Loom has not put there; look at it, and apply with --take-over")
			break
		}
	}
	if len(why) > 0 {
		return Verdict{State: CommitWaiting, Reason: strings.Join(why, "; "), Risks: open}
	}
	return Verdict{State: CommitApplying}
}

// SourceView is a source as people see it.
type SourceView struct {
	Source
	Following Following
	Current   *Commit   // nil: nothing was found yet
	At        time.Time // when it was last looked at by this process; zero: not yet
}

// State is how far it was followed: "new", the kind of trouble that there is with it, or the state of its commit; and since when.
func (v *SourceView) State() (state, reason string, since time.Time) {
	switch t, c := v.Following.Trouble, v.Current; {
	case t != nil:
		return string(t.Kind), t.Reason, t.Since
	case c != nil:
		return string(c.State), c.Reason, c.At
	}
	return "new", "", time.Time{}
}

// Sources are what is followed.
type Sources interface {
	// PutSource follows a source, or follows it differently. Errors: ErrInvalid.
	PutSource(ctx context.Context, s Source, by string) (*SourceView, error)
	// Source is one. Errors: ErrNoSource.
	Source(ctx context.Context, name string) (*SourceView, error)
	// Sources are all, by name.
	Sources(ctx context.Context) ([]*SourceView, error)
	// DeleteSource follows it no more. Errors: ErrNoSource.
	DeleteSource(ctx context.Context, name, by string) error
	// SyncSource looks at it now, and tries again what was put aside; with overwrite also a history that was rewritten, and on top of
	// what others have put. It returns when there is nothing to be done but a transaction. Errors: ErrNoSource, ErrNotNow.
	SyncSource(ctx context.Context, name string, overwrite bool, by string) (*SourceView, error)
	// Commits are those of a source, the newest first. Errors: ErrNoSource.
	Commits(ctx context.Context, source string) ([]*Commit, error)
}
