package main

import (
	"bufio"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/loomfabric/loom/pkg/controller"
	"github.com/loomfabric/loom/pkg/topology"
)

// repository is a Git repository elsewhere, with a bare clone of what is followed of it. Nothing of it is ever checked out, so that
// neither hooks nor filters nor submodules of it come to run.
//
//	refs/loom/found     what was found last
//	refs/loom/followed  what was taken
type repository struct {
	source *controller.Source
	dir    string
	most   int64 // bytes of the clone
}

// Bounds of a clone.
const (
	mostRepository = 1 << 30          // bytes
	mostBetween    = 32               // commits at once that are told of, though something newer came with them
	gitPatience    = 2 * time.Minute  // for git to answer from the clone
	fetchPatience  = 10 * time.Minute // and to fetch
	mostGitWords   = 1024             // bytes of what git says where it fails
	mostGitOutput  = 8 << 20          // bytes of lists
)

const (
	foundRef    = "refs/loom/found"
	followedRef = "refs/loom/followed"
)

// find implements place.
func (r *repository) find(ctx context.Context, last string) (controller.Tip, error) {
	var tip controller.Tip
	if err := r.open(ctx); err != nil {
		return tip, err
	}
	id, err := r.fetch(ctx)
	if err != nil || id == last {
		return controller.Tip{ID: id}, err
	}
	if last != "" {
		switch _, err := r.git(ctx, nil, "merge-base", "--is-ancestor", last, id); {
		case err == nil:
			tip.Descends = true
		case ctx.Err() != nil:
			return tip, err
		} // or what was taken before is not even known any more
	}
	since := id
	if tip.Descends {
		since = last + ".." + id
	}
	all, err := r.history(ctx, since, tip.Descends)
	if err != nil {
		return tip, err
	}
	all[0].Descends = tip.Descends
	tip = all[0]
	for _, t := range all[1:] {
		tip.Between = append([]controller.Tip{t}, tip.Between...)
	}
	tip.Files, err = r.digest(ctx, id)
	return tip, err
}

// history are commits, the newest first; without more only that. What came by merges is not told of.
func (r *repository) history(ctx context.Context, which string, more bool) ([]controller.Tip, error) {
	most := 1
	if more {
		most += mostBetween
	}
	out, err := r.git(ctx, nil, "log", "-z", "--first-parent", "--no-show-signature", "--no-notes", "--no-color", "--encoding=UTF-8",
		"--format=%H%x1f%an%x1f%cI%x1f%s", "--max-count="+strconv.Itoa(most), "--end-of-options", which)
	if err != nil {
		return nil, err
	}
	var all []controller.Tip
	for line := range strings.SplitSeq(strings.TrimSuffix(string(out), "\x00"), "\x00") {
		f := strings.SplitN(line, "\x1f", 4)
		if len(f) < 4 {
			return nil, fmt.Errorf("git log: %.100q is no commit", line)
		}
		at, _ := time.Parse(time.RFC3339, f[2]) // of whoever wrote it; zero: it is none
		all = append(all, controller.Tip{ID: f[0], Author: oneLine(f[1], 100), Written: at.UTC(), Subject: oneLine(f[3], 200)})
	}
	return all, nil
}

// oneLine is text of somebody else as it can be shown: one line, and not too long.
func oneLine(s string, most int) string {
	s = strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f {
			return ' '
		}
		return r
	}, strings.ToValidUTF8(s, "?"))
	if len(s) > most {
		s = strings.ToValidUTF8(s[:most], "") + "..."
	}
	return strings.TrimSpace(s)
}

// open makes the clone, where there is none.
func (r *repository) open(ctx context.Context) error {
	if _, err := os.Stat(filepath.Join(r.dir, "HEAD")); err == nil {
		return nil
	}
	if err := os.MkdirAll(r.dir, 0o700); err != nil {
		return err
	}
	_, err := r.git(ctx, nil, "init", "--quiet", "--bare", "--template=", r.dir)
	return err
}

var wholeID = regexp.MustCompile(`^([0-9a-f]{40}|[0-9a-f]{64})$`)

// fetch brings what is followed, and tells which commit it is. What a commit's whole name names never changes, and need not be asked for
// again.
func (r *repository) fetch(ctx context.Context) (string, error) {
	rev := r.source.Revision
	if wholeID.MatchString(rev) {
		if id, err := r.commit(ctx, rev); err == nil {
			return id, nil
		}
	}
	err := r.fetchRef(ctx, "+"+rev+":"+foundRef)
	if err == nil {
		return r.commit(ctx, foundRef)
	}
	if !wholeID.MatchString(rev) || ctx.Err() != nil {
		return "", err
	}
	// Not every server gives what is asked for by its name, and not a branch (uploadpack.allowReachableSHA1InWant).
	if r.fetchRef(ctx, "+refs/heads/*:refs/loom/branches/*") != nil {
		return "", err
	}
	if id, e := r.commit(ctx, rev); e == nil {
		return id, nil
	}
	return "", err
}

// commit is the commit that something in the clone names.
func (r *repository) commit(ctx context.Context, rev string) (string, error) {
	out, err := r.git(ctx, nil, "rev-parse", "--verify", "--quiet", "--end-of-options", rev+"^{commit}")
	if err != nil {
		return "", fmt.Errorf("%s: is no commit", r.source.Revision)
	}
	return strings.TrimSpace(string(out)), nil
}

// fetchRef fetches, and gives up where the clone becomes too large.
func (r *repository) fetchRef(ctx context.Context, spec string) error {
	ctx, tooLarge := context.WithCancelCause(ctx)
	defer tooLarge(nil)
	done := make(chan struct{})
	defer close(done)
	check := func() {
		if n := sizeBelow(r.dir); n > r.most {
			tooLarge(fmt.Errorf("git fetch: %d MiB and more; at most %d are kept: follow a repository of its own for topologies", n>>20, r.most>>20))
		}
	}
	go func() {
		tick := time.NewTicker(250 * time.Millisecond)
		defer tick.Stop()
		for {
			select {
			case <-tick.C:
				check()
			case <-done:
				return
			}
		}
	}()
	_, err := r.git(ctx, nil, "fetch", "--quiet", "--force", "--no-tags", "--no-recurse-submodules", "--no-write-fetch-head", "--refmap=", "--", r.source.Location, spec)
	check()
	if ctx.Err() != nil {
		err = context.Cause(ctx)
	}
	if err != nil {
		r.sweep()
	}
	return err
}

// sweep removes what a fetch that was given up has left.
func (r *repository) sweep() {
	rest, _ := filepath.Glob(filepath.Join(r.dir, "objects", "pack", "tmp_*"))
	for _, f := range rest {
		_ = os.Remove(f)
	}
}

func sizeBelow(dir string) (total int64) {
	_ = filepath.WalkDir(dir, func(_ string, d fs.DirEntry, err error) error {
		if err == nil {
			if info, err := d.Info(); err == nil && info.Mode().IsRegular() {
				total += info.Size()
			}
		}
		return nil // git removes files meanwhile
	})
	return total
}

// took implements place: what is followed stays in the clone, though a history that is rewritten does not have it any more.
func (r *repository) took(ctx context.Context, id string) error {
	_, err := r.git(ctx, nil, "update-ref", "--", followedRef, id)
	return err
}

// treeEntry is one thing in a directory of a commit.
type treeEntry struct {
	mode, kind, id, name string
	size                 int64
}

// What a tree has that is no file: git-fast-import(1) has a list.
var noFile = map[string]string{"120000": "is a link", "160000": "is a submodule", "040000": "is a directory"}

// entries are the files that are followed, in the order of their names.
func (r *repository) entries(ctx context.Context, id string) ([]treeEntry, error) {
	at := r.source.Path
	tree := id
	if at != "" {
		all, err := r.list(ctx, "--", id, at)
		if err != nil {
			return nil, err
		}
		if len(all) == 0 {
			return nil, unfit("%s: is not in the commit (links are not followed); mend the path of the source, or commit it", at)
		}
		if all[0].kind != "tree" {
			return all[:1], all[0].check()
		}
		tree = all[0].id
	}
	all, err := r.list(ctx, "--", tree)
	if err != nil {
		return nil, err
	}
	var out []treeEntry
	for _, e := range all {
		if !isTopologyFile(e.name) || e.kind == "tree" {
			continue
		}
		e.name = path.Join(at, e.name)
		if err := e.check(); err != nil {
			return nil, err
		}
		out = append(out, e)
	}
	if len(out) == 0 {
		return nil, noTopologyFiles(at)
	}
	return out, nil
}

// check lets only files through: a link may lead anywhere.
func (e *treeEntry) check() error {
	if what, is := noFile[e.mode]; is || e.kind != "blob" {
		return unfit("%s: %s; only files are read", e.name, what)
	}
	return nil
}

func (r *repository) list(ctx context.Context, which ...string) ([]treeEntry, error) {
	out, err := r.git(ctx, nil, append([]string{"ls-tree", "-z", "-l", "--full-tree"}, which...)...)
	if err != nil {
		return nil, err
	}
	var all []treeEntry
	for line := range strings.SplitSeq(strings.TrimSuffix(string(out), "\x00"), "\x00") {
		if line == "" {
			continue
		}
		about, name, _ := strings.Cut(line, "\t")
		f := strings.Fields(about)
		if len(f) != 4 {
			return nil, fmt.Errorf("git ls-tree: %.100q is no entry", line)
		}
		size, _ := strconv.ParseInt(f[3], 10, 64) // "-" of what is no file
		all = append(all, treeEntry{mode: f[0], kind: f[1], id: f[2], name: name, size: size})
	}
	return all, nil
}

// digest is what tells the files of two commits apart.
func (r *repository) digest(ctx context.Context, id string) (string, error) {
	all, err := r.entries(ctx, id)
	if err != nil && !errors.Is(err, controller.ErrInvalid) {
		return "", err
	}
	h := sha256.New()
	if err != nil {
		fmt.Fprintf(h, "%v", err)
	}
	for _, e := range all {
		hashWord(h, []byte(e.name))
		hashWord(h, []byte(e.id))
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}

// files implements place.
func (r *repository) files(ctx context.Context, id string) ([]topology.Source, error) {
	if err := r.open(ctx); err != nil {
		return nil, err
	}
	all, err := r.entries(ctx, id)
	if err != nil {
		return nil, err
	}
	total := int64(0)
	var asked bytes.Buffer
	for _, e := range all {
		total += e.size
		fmt.Fprintln(&asked, e.id)
	}
	if err := checkSizes(len(all), total); err != nil {
		return nil, err
	}
	said, err := r.git(ctx, &asked, "cat-file", "--batch")
	if err != nil {
		return nil, err
	}
	return blobs(said, all)
}

// blobs reads what git cat-file --batch says: for each a line "ID TYPE SIZE", what is in it, and the end of a line.
func blobs(said []byte, all []treeEntry) ([]topology.Source, error) {
	in := bufio.NewReader(bytes.NewReader(said))
	out := make([]topology.Source, 0, len(all))
	for _, e := range all {
		head, err := in.ReadString('\n')
		if want := fmt.Sprintf("%s blob %d\n", e.id, e.size); err != nil || head != want {
			return nil, fmt.Errorf("%s: git cat-file: %.100q; remove the clone, and it is made anew", e.name, head)
		}
		data := make([]byte, e.size+1)
		if _, err := io.ReadFull(in, data); err != nil {
			return nil, fmt.Errorf("%s: git cat-file: %w", e.name, err)
		}
		out = append(out, topology.Source{Name: e.name, Data: data[:e.size]})
	}
	return out, nil
}

// gitSettings hold for every command, whatever the user's own say: nothing of a repository runs.
var gitSettings = []string{
	"protocol.ext.allow=never", "core.hooksPath=/dev/null", "core.fsmonitor=false", "fetch.recurseSubmodules=no", "submodule.recurse=false",
	"log.showSignature=false", "gc.autoDetach=false", "maintenance.autoDetach=false",
}

// git runs a command on the clone, and returns what it prints. Where it fails, git says why in its own words.
func (r *repository) git(ctx context.Context, in io.Reader, args ...string) ([]byte, error) {
	patience := gitPatience
	if args[0] == "fetch" {
		patience = fetchPatience
	}
	ctx, cancel := context.WithTimeoutCause(ctx, patience, fmt.Errorf("git %s: no end within %s", args[0], patience))
	defer cancel()
	all := []string{"--git-dir=" + r.dir, "--no-pager", "--literal-pathspecs"}
	for _, s := range gitSettings {
		all = append(all, "-c", s)
	}
	cmd := exec.CommandContext(ctx, "git", append(all, args...)...)
	cmd.Dir, cmd.Env, cmd.Stdin = r.dir, gitEnvironment(os.Environ()), in
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true} // no terminal that ssh would ask at, and one group of what git starts
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
	cmd.WaitDelay = 5 * time.Second
	most := int64(mostGitOutput)
	if args[0] == "cat-file" {
		most = mostSourceBytes + mostSourceFiles*100
	}
	out, said := &bounded{most: most, over: cancel}, &bounded{most: 64 << 10}
	cmd.Stdout, cmd.Stderr = out, said
	err := cmd.Run()
	switch {
	case out.more:
		return nil, fmt.Errorf("git %s: says more than %d bytes", args[0], most)
	case errors.Is(err, exec.ErrNotFound):
		return nil, fmt.Errorf("git is not installed on the host of the controller: %w", err)
	case err != nil && ctx.Err() != nil:
		return nil, context.Cause(ctx)
	case err != nil:
		if why := oneLine(said.kept.String(), mostGitWords); why != "" {
			return nil, fmt.Errorf("git %s: %s", args[0], why)
		}
		return nil, fmt.Errorf("git %s: %w", args[0], err)
	}
	return out.kept.Bytes(), nil
}

// gitVariables are those that a user may set for git that do not say where the repository is: how it proves who it is, and whom it trusts.
var gitVariables = []string{"GIT_SSH", "GIT_SSH_COMMAND", "GIT_SSH_VARIANT", "GIT_ASKPASS", "GIT_SSL_CAINFO", "GIT_SSL_CAPATH", "GIT_SSL_CERT", "GIT_SSL_KEY", "GIT_CONFIG_GLOBAL", "GIT_CONFIG_SYSTEM", "GIT_CONFIG_NOSYSTEM"}

// gitEnvironment is the environment of the controller as git has it: nobody is there to be asked.
func gitEnvironment(of []string) []string {
	var out []string
	for _, v := range of {
		name, _, _ := strings.Cut(v, "=")
		if name == "SSH_ASKPASS" || name == "LANGUAGE" || strings.HasPrefix(name, "LC_") || strings.HasPrefix(name, "GIT_") && !slices.Contains(gitVariables, name) {
			continue
		}
		out = append(out, v)
	}
	return append(out, "GIT_TERMINAL_PROMPT=0", "GIT_ALLOW_PROTOCOL=file:https:ssh", "LC_ALL=C.UTF-8")
}

// bounded keeps what is written to it, up to a bound; then it calls over, and keeps no more.
type bounded struct {
	kept bytes.Buffer
	most int64
	over func()
	more bool
}

// Write implements io.Writer. It takes everything, so that whoever writes is not held up.
func (b *bounded) Write(p []byte) (int, error) {
	room := max(b.most-int64(b.kept.Len()), 0)
	if int64(len(p)) <= room {
		return b.kept.Write(p)
	}
	b.kept.Write(p[:room])
	if b.more = true; b.over != nil {
		b.over()
	}
	return len(p), nil
}
