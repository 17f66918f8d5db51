package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"

	"github.com/loomfabric/loom/pkg/config"
	"github.com/loomfabric/loom/pkg/plan"
	"github.com/loomfabric/loom/pkg/topology"
)

// planGit compares with the topology as it was at a revision, compiled by this very program, so
// that the changes shown are those of the topology and not those of Loom.
func (n *network) planGit(ctx context.Context, t *terminal, rev string, names []string, c comparison) (*plan.Plan, error) {
	srcs, err := gitSources(ctx, rev, c.paths)
	if err != nil {
		return nil, fmt.Errorf("--against git:%s: %w", rev, err)
	}
	before := &network{}
	if len(srcs) > 0 {
		if before, err = compileNetwork(t, srcs, c.releases); err != nil {
			return nil, fmt.Errorf("--against git:%s: the topology at that revision: %w", rev, err)
		}
	}
	inputs := map[string]plan.Input{}
	for _, name := range names {
		in := n.input(name)
		in.Offline, in.Was = true, before.at
		in.Running = before.trees[name]
		if in.Running == nil {
			in.Running = config.EmptyTree(in.Intended.Schema(), in.Intended.Release())
		}
		inputs[name] = in
	}
	p := n.newPlan("git:"+rev, names, inputs)
	if before.design != nil {
		for _, d := range before.design.Devices {
			if n.design.Device(d.Name) == nil {
				p.Removed = append(p.Removed, d.Name)
			}
		}
	}
	return p, nil
}

// gitSources reads the topology files as they were at a revision. Files that did not exist then
// are left out; none at all means that the whole topology is new.
func gitSources(ctx context.Context, rev string, paths []string) ([]topology.Source, error) {
	if len(paths) == 0 {
		paths = []string{"."}
	}
	if strings.HasPrefix(rev, "-") || rev == "" {
		return nil, fmt.Errorf("%q is no revision", rev)
	}
	var out []topology.Source
	for _, p := range paths {
		files, dir, err := gitFiles(ctx, rev, p)
		if err != nil {
			return nil, err
		}
		for _, f := range files {
			data, err := git(ctx, dir, "show", rev+":./"+f)
			if err != nil {
				return nil, err
			}
			out = append(out, topology.Source{Name: rev + ":" + filepath.Join(dir, f), Data: data})
		}
	}
	return out, nil
}

// gitFiles lists what a path named at a revision: the file itself, or a directory's *.yaml.
func gitFiles(ctx context.Context, rev, p string) (files []string, dir string, err error) {
	dir, pattern := filepath.Split(p)
	dir = filepath.Clean(dir)
	if info, err := os.Stat(p); err == nil && info.IsDir() {
		dir, pattern = p, "*.yaml"
	}
	if err := gitRevision(ctx, dir, rev); err != nil {
		return nil, dir, err
	}
	list, err := git(ctx, dir, "ls-tree", "--name-only", rev, "./")
	if err != nil {
		return nil, dir, err
	}
	for name := range strings.Lines(string(list)) {
		name = strings.TrimSpace(name)
		if ok, _ := filepath.Match(pattern, name); ok || name == pattern {
			files = append(files, name)
		}
	}
	slices.Sort(files)
	return files, dir, nil
}

// gitRevision tells, before anything is read, what is missing: git, a repository, or the revision.
// A file that was not there at the revision is none of these.
func gitRevision(ctx context.Context, dir, rev string) error {
	if _, err := git(ctx, dir, "rev-parse", "--git-dir"); err != nil {
		return err
	}
	_, err := git(ctx, dir, "rev-parse", "--verify", "--quiet", "--end-of-options", rev+"^{commit}")
	if err == nil || ctx.Err() != nil {
		return err
	}
	return fmt.Errorf("no such revision in the repository of %s; fetch it (a shallow clone has only the last one): %w", dir, err)
}

// git runs one git command and returns what it prints. Where it fails, git says why in its own words.
func git(ctx context.Context, dir string, args ...string) ([]byte, error) {
	cmd := exec.CommandContext(ctx, "git", args...)
	cmd.Dir = dir
	out, err := cmd.Output()
	if errors.Is(err, exec.ErrNotFound) {
		return nil, fmt.Errorf("git is not installed: %w", err)
	}
	if e := (*exec.ExitError)(nil); errors.As(err, &e) {
		if said := bytes.TrimSpace(e.Stderr); len(said) > 0 {
			return nil, fmt.Errorf("git %s: %s", args[0], said)
		}
		return nil, fmt.Errorf("git %s: %w", args[0], err)
	}
	return out, err
}
