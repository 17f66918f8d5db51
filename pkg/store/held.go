package store

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"syscall"
	"time"
)

// claim is a data directory that this process alone has open: a flock, which ends with the process
// however it ends, on a file that says who has it.
type claim struct{ file *os.File }

// claimant is what the file says.
type claimant struct {
	By    string    `json:"by"`
	Since time.Time `json:"since"`
}

// dataDir is where the member's files are.
func dataDir(o Options) string { return filepath.Join(o.Dir, "etcd") }

// claimEvery is how often a directory in use is tried again; flock cannot be waited for with a context.
const claimEvery = 50 * time.Millisecond

// claimDir takes a directory and makes it if need be. One that was there keeps its mode; what is in
// it is for this user alone in any case.
func claimDir(ctx context.Context, o Options) (*claim, error) {
	if err := os.MkdirAll(dataDir(o), 0o700); err != nil {
		return nil, fmt.Errorf("store: %w", err)
	}
	if err := os.Chmod(dataDir(o), 0o700); err != nil {
		return nil, fmt.Errorf("store: %w", err)
	}
	file, err := os.OpenFile(filepath.Join(o.Dir, "lock"), os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, fmt.Errorf("store: %w", err)
	}
	c := &claim{file}
	if err := c.take(ctx, o); err != nil {
		return nil, errors.Join(err, file.Close())
	}
	return c, nil
}

func (c *claim) take(ctx context.Context, o Options) error {
	for {
		err := syscall.Flock(int(c.file.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
		switch {
		case err == nil:
			return c.sign(claimant{o.Owner, o.Now()})
		case errors.Is(err, syscall.EINTR):
			continue
		case !errors.Is(err, syscall.EWOULDBLOCK):
			return fmt.Errorf("store: flock %s: %w", c.file.Name(), err)
		case !o.Wait:
			return c.held(o)
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("%w: %w", c.held(o), ctx.Err())
		case <-time.After(claimEvery):
		}
	}
}

func (c *claim) held(o Options) error {
	var other claimant
	if text, err := io.ReadAll(io.NewSectionReader(c.file, 0, 1<<16)); err == nil {
		_ = json.Unmarshal(text, &other) // just taken and not yet signed: nobody is named
	}
	return &HeldError{Dir: o.Dir, By: other.By, Since: other.Since}
}

func (c *claim) sign(who claimant) error {
	text, err := json.Marshal(who)
	if err == nil {
		err = c.file.Truncate(0)
	}
	if err == nil {
		_, err = c.file.WriteAt(text, 0)
	}
	if err != nil {
		return fmt.Errorf("store: %s: %w", c.file.Name(), err)
	}
	return nil
}

// release gives the directory to others. What the file says stays: nobody reads it while it is free.
func (c *claim) release() error { return c.file.Close() }
