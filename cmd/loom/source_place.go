package main

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/loomfabric/loom/pkg/controller"
	"github.com/loomfabric/loom/pkg/topology"
)

// place is where the files of a source are read.
type place interface {
	// find is what is there now. last is what was taken before; empty: nothing.
	find(ctx context.Context, last string) (controller.Tip, error)
	// files are those of what was found. Errors: controller.ErrInvalid, where there are none, or such as are not read.
	files(ctx context.Context, id string) ([]topology.Source, error)
	// took tells that what was found is followed from now on.
	took(ctx context.Context, id string) error
}

// Bounds of what is read of one commit.
const (
	mostSourceFiles = 1000
	mostSourceBytes = maxFile - 1 // of all files together, as of one that is put
)

// placeOf is the place of a source, with its clone in a directory where it is a repository.
func placeOf(s *controller.Source, dir string) place {
	if s.Git() {
		return &repository{source: s, dir: dir, most: mostRepository}
	}
	return &folder{source: s, settle: standStill}
}

// unfit is an error of what was found, and not of finding it.
func unfit(format string, args ...any) error {
	return controller.Kind(controller.ErrInvalid, fmt.Errorf(format, args...))
}

// checkSizes holds files to the bounds.
func checkSizes(files int, bytes int64) error {
	if files > mostSourceFiles || bytes > mostSourceBytes {
		return unfit("%d files with %d bytes; at most %d with %d are read: name the topology by the path of the source", files, bytes, mostSourceFiles, mostSourceBytes)
	}
	return nil
}

// folder is a directory of this host.
type folder struct {
	source *controller.Source
	settle func(ctx context.Context) // waits between two looks that have to find the same
}

// settling is how long files have to stay as they are: what is being written is not looked at.
const settling = 300 * time.Millisecond

func standStill(ctx context.Context) {
	select {
	case <-time.After(settling):
	case <-ctx.Done():
	}
}

// find implements place. The files are what names the tip.
func (d *folder) find(ctx context.Context, last string) (controller.Tip, error) {
	tip, err := d.tip()
	for err == nil && tip.ID != last {
		if d.settle(ctx); ctx.Err() != nil {
			return tip, ctx.Err()
		}
		before := tip.ID
		if tip, err = d.tip(); tip.ID == before {
			break
		}
	}
	return tip, err
}

func (d *folder) tip() (controller.Tip, error) {
	srcs, err := d.read()
	if err != nil && !errors.Is(err, controller.ErrInvalid) {
		return controller.Tip{}, err
	}
	h := sha256.New()
	if err != nil { // what is wrong with it is what is there
		fmt.Fprintf(h, "%v", err)
	}
	for _, src := range srcs {
		hashWord(h, []byte(src.Name))
		hashWord(h, src.Data)
	}
	sum := hex.EncodeToString(h.Sum(nil))
	return controller.Tip{ID: sum, Files: sum, Descends: true}, nil
}

// hashWord adds a word to a hash: with its length, so that two words are not taken for one.
func hashWord(h io.Writer, b []byte) {
	_ = binary.Write(h, binary.BigEndian, uint64(len(b))) // hashes take everything
	_, _ = h.Write(b)
}

// files implements place.
func (d *folder) files(_ context.Context, id string) ([]topology.Source, error) {
	tip, err := d.tip()
	if err == nil && tip.ID != id {
		err = fmt.Errorf("%s: its files have changed; it is looked at again", d.source.Location)
	}
	if err != nil {
		return nil, err
	}
	return d.read()
}

// took implements place.
func (d *folder) took(context.Context, string) error { return nil }

// read reads the files. Links are followed as far as they stay within the directory: what is mounted of a container is often one.
func (d *folder) read() ([]topology.Source, error) {
	root, err := os.OpenRoot(d.source.Location)
	if err != nil {
		return nil, err
	}
	defer root.Close()
	names, err := d.names(root)
	if err != nil {
		return nil, err
	}
	var out []topology.Source
	total := int64(0)
	for _, name := range names {
		data, err := readWithin(root, name)
		if err != nil {
			return nil, err
		}
		total += int64(len(data))
		if err := checkSizes(len(names), total); err != nil {
			return nil, err
		}
		out = append(out, topology.Source{Name: name, Data: data})
	}
	return out, nil
}

// names are the files that are followed.
func (d *folder) names(root *os.Root) ([]string, error) {
	at := d.source.Path
	if at != "" {
		info, err := root.Stat(at)
		if errors.Is(err, fs.ErrNotExist) {
			return nil, unfit("%s: is not there; mend the path of the source, or put it there", at)
		}
		if err != nil {
			return nil, unfit("%w", err) // a link that leaves the directory, too
		}
		if !info.IsDir() {
			return []string{at}, nil
		}
	}
	entries, err := fs.ReadDir(root.FS(), path.Clean(filepath.ToSlash(at)))
	if err != nil {
		return nil, err
	}
	var out []string
	for _, e := range entries {
		if isTopologyFile(e.Name()) && !e.IsDir() {
			out = append(out, path.Join(at, e.Name()))
		}
	}
	if len(out) == 0 {
		return nil, noTopologyFiles(at)
	}
	return out, nil // sorted
}

func isTopologyFile(name string) bool {
	return strings.HasSuffix(name, ".yaml") && !strings.HasPrefix(name, ".") // as a shell's *.yaml
}

func noTopologyFiles(at string) error {
	return unfit("%s: has no *.yaml files; name a topology file or a directory with some by the path of the source", orTop(at))
}

func orTop(at string) string {
	if at == "" {
		return "the top directory"
	}
	return at
}

// readWithin reads a file that is one, and is below the root.
func readWithin(root *os.Root, name string) ([]byte, error) {
	f, err := root.OpenFile(name, os.O_RDONLY|syscall.O_NONBLOCK, 0) // nobody need write to a pipe that is there
	if err != nil {
		return nil, unfit("%w", err)
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, unfit("%s: is no file", name)
	}
	if err := checkSizes(1, info.Size()); err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return io.ReadAll(io.LimitReader(f, mostSourceBytes+1))
}
