package topology

import (
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/loomfabric/loom/models/intent"
)

// system is an operating system of routers with the releases that Loom has profiles of.
type system struct {
	key       string
	platforms string   // what the names of its platforms begin with; "": all others
	releases  []string // the last is what a device has that is given none
}

// systems are the operating systems, the one of all other platforms last.
var systems = []system{
	{"sros", "7750-", []string{"26.3"}},
	{"srlinux", "", []string{"24.10", "25.3"}},
}

// systemOf is the operating system of a platform.
func systemOf(platform string) *system {
	return &systems[slices.IndexFunc(systems, func(s system) bool { return strings.HasPrefix(platform, s.platforms) })]
}

func (s *system) newest() string { return s.releases[len(s.releases)-1] }

// knownReleases are all releases, those of SR Linux first.
var knownReleases = []string{"24.10", "25.3", "26.3"}

var (
	releaseForm = &Form{Name: "a release", Pattern: `^(24\.10|25\.3|26\.3)$`, check: oneOfReleases(knownReleases)}
	srlinuxForm = &Form{Name: "a release of SR Linux", Pattern: `^(24\.10|25\.3)$`, check: oneOfReleases([]string{"24.10", "25.3"})}
	srosForm    = &Form{Name: "a release of SR OS", Pattern: `^26\.3$`, check: oneOfReleases([]string{"26.3"})}

	releaseKey = Key{Name: "release", Kind: Release, Default: "`25.3` of SR Linux, `26.3` of SR OS", Example: "\"25.3\"",
		Doc: "Release of the operating system: " + words(knownReleases) + ". Given for more than one kind of device, it is that of those whose " +
			"operating system has it. Also by operating system: `{srlinux: \"25.3\", sros: \"26.3\"}`."}
	releaseKeys = &Keys{
		Name: "Release",
		Doc:  "The release by operating system. SR OS runs on platforms whose names begin with 7750, SR Linux on all others.",
		List: []Key{
			{Name: "srlinux", Kind: Text, Form: srlinuxForm, Default: "25.3", Example: "\"25.3\"", Doc: "Release of SR Linux."},
			{Name: "sros", Kind: Text, Form: srosForm, Default: "26.3", Example: "\"26.3\"", Doc: "Release of SR OS."},
		},
	}
)

func oneOfReleases(known []string) func(string) (string, string) {
	return func(s string) (string, string) {
		if slices.Contains(known, s) {
			return "", ""
		}
		return "is not a release that loom knows", "write " + quotedWords(known)
	}
}

// checkRelease accepts "25.3" and {srlinux: "25.3", sros: "26.3"}.
func (p *parser) checkRelease(label string, e entry) bool {
	thing := join(label, "release")
	if e.value.Kind == yaml.ScalarNode {
		return p.checkText(releaseForm, thing, e.source, e.value)
	}
	var b block
	return p.read(&b, releaseKeys, e, thing)
}

// release is that of a router: the nearest that is given for its operating system. The first layers speak of it and its like: a
// release there is meant for it, whether it can be or not. The others speak of all devices of a site. A transponder has the
// newest of its platform.
func (ls layers) release(d *intent.Device, own int) string {
	if d.Role == intent.Role_ROLE_TRANSPONDER {
		return ""
	}
	s := systemOf(d.Platform)
	for i, b := range ls {
		if r := b.release(s, i < own); r != "" {
			return r
		}
	}
	return s.newest()
}

// release returns the release that the block gives for an operating system, or "".
func (b *block) release(s *system, meant bool) string {
	e := b.get("release")
	if e.value == nil || e.value.Kind == yaml.ScalarNode {
		if r := b.text("release"); meant || slices.Contains(s.releases, r) {
			return r
		}
		return ""
	}
	for i := 0; i+1 < len(e.value.Content); i += 2 {
		if e.value.Content[i].Value == s.key {
			return e.value.Content[i+1].Value
		}
	}
	return ""
}
