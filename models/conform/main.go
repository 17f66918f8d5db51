// Command conform compares a YANG profile with the vendor's published models, node by node and release by release.
//
// A wrong default, range or key in the profile is a lost or a spurious change that no rendered document shows, so
// this has to find every difference. It prints each on one line ("25.3 /interface/mtu: range 1450..9500 here,
// 1450..9412 there") and ends with a count. It exits with 0 where there is no difference, 1 where there is one
// and 2 where there is nothing to compare with.
package main

import (
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/loomfabric/loom/models/gen/profile"
)

func main() {
	var o options
	flag.StringVar(&o.yang, "yang", "", "directory with one directory of published models for each release, OS-RELEASE, or with one for all, OS")
	flag.StringVar(&o.profile, "profile", "models/srlinux/yang", "directory of the profile")
	flag.StringVar(&o.os, "os", "srlinux", "operating system, as the vendor's directories have it")
	flag.StringVar(&o.releases, "releases", "24.10,25.3", "releases, oldest first")
	flag.StringVar(&o.modules, "modules", "srl_nokia*,!*-tools-*", "files of the published models that are compared with; ! before those that are not, and others are read where they are imported")
	flag.StringVar(&o.features, "features", "", "directory with what platforms report as /system/features, one word a line: RELEASE.PLATFORM")
	flag.Parse()
	differences, err := run(o, os.Stdout)
	switch {
	case err != nil:
		fmt.Fprintln(os.Stderr, "conform:", err)
		os.Exit(2)
	case differences > 0:
		os.Exit(1)
	}
}

type options struct{ yang, profile, os, releases, modules, features string }

// published is the directory with the models of a release.
func (o options) published(release string) string {
	dir := filepath.Join(o.yang, o.os)
	if own := dir + "-" + release; exists(own) {
		return own
	}
	return dir
}

func exists(file string) bool {
	_, err := os.Stat(file)
	return err == nil
}

// compared tells whether a file of the published models is compared with.
func (o options) compared(file string) bool {
	is := false
	for _, pattern := range strings.Split(o.modules, ",") {
		pattern, not := strings.CutPrefix(pattern, "!")
		if match, err := filepath.Match(pattern, filepath.Base(file)); err == nil && match {
			is = !not
		}
	}
	return is
}

// own is what of the profile has its modules among those that are compared: state models need not be beside those of
// configuration.
func (o options) own(root *profile.Node) *profile.Node {
	own := *root
	own.Children = slices.DeleteFunc(slices.Clone(root.Children), func(n *profile.Node) bool { return !o.compared(n.Module + ".yang") })
	return &own
}

func (o options) ownModules(all []profile.Module) []profile.Module {
	return slices.DeleteFunc(slices.Clone(all), func(m profile.Module) bool { return !o.compared(m.Name + ".yang") })
}

func run(o options, out io.Writer) (differences int, err error) {
	if o.yang == "" || !exists(o.yang) {
		return 0, fmt.Errorf("no models in %q: put release R into DIR/%s-R and give -yang DIR. Nokia publishes them at "+
			"github.com/nokia/srlinux-yang-models, one branch for each release, OpenConfig at github.com/openconfig/public", o.yang, o.os)
	}
	releases := strings.Split(o.releases, ",")
	modules, err := profile.ReadDir(os.DirFS(o.profile), func(string) bool { return true })
	if err != nil {
		return 0, err
	}
	source := profile.Source{Modules: modules, Releases: releases}
	ours, err := profile.Load(source)
	if err != nil {
		return 0, err
	}
	published, err := profile.Modules(source)
	if err != nil {
		return 0, err
	}
	var sum report
	for i, release := range releases {
		platforms := featureLists(o.features, release)
		if o.features != "" && platforms == nil {
			return 0, fmt.Errorf("%s: no list of features %s.* in %s", release, release, o.features)
		}
		theirs, vendors, err := loadVendor(o.published(release), o.compared, platforms)
		if err != nil {
			return 0, fmt.Errorf("%s: %w", release, err)
		}
		r := compare(o.own(ours), theirs, i, i == len(releases)-1, platforms != nil)
		r.differences = append(r.differences, compareModules(o.ownModules(published), vendors, i)...)
		for _, d := range r.differences {
			fmt.Fprintln(out, release, d)
		}
		sum.add(r)
	}
	fmt.Fprintf(out, "%d nodes compared, %d differences", sum.nodes, len(sum.differences))
	fmt.Fprintf(out, " (left out: %d enum values and identities; absent by feature: %d nodes and values)\n", sum.leftOut, sum.gated)
	return len(sum.differences), nil
}
