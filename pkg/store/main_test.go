package store

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

func tContext() context.Context { return context.Background() }

// TestMain is also the process that tests kill: STORE_TEST_CHILD says what it does, in STORE_TEST_DIR.
func TestMain(m *testing.M) {
	if child := children[os.Getenv("STORE_TEST_CHILD")]; child != nil {
		if err := child(os.Getenv("STORE_TEST_DIR")); err != nil {
			fmt.Println("error:", err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	code := m.Run()
	if dir, err := crashed(); err == nil {
		_ = os.RemoveAll(filepath.Dir(dir))
	}
	os.Exit(code)
}

var children = map[string]func(dir string) error{
	"commits until killed": func(dir string) error {
		s, err := Open(tContext(), Options{Dir: dir, Owner: "the child"})
		if err != nil {
			return err
		}
		return commitUntil(s, "x")
	},
	"holds until killed": func(dir string) error {
		s, err := Open(tContext(), Options{Dir: dir, Owner: "the child"})
		if err != nil {
			return err
		}
		l, err := s.Hold(tContext(), "apply", Holder{Who: "the child", TTL: time.Hour})
		if err != nil {
			return err
		}
		fmt.Println("acked", l.Epoch)
		select {}
	},
	// The log's files are allocated beforehand: the database hits the limit.
	"database over the limit of file sizes": func(dir string) error {
		s, err := Open(tContext(), Options{Dir: dir})
		if err != nil {
			return err
		}
		if err := limitFiles(2 << 20); err != nil {
			return err
		}
		return stopsWith(s, commitUntil(s, strings.Repeat("x", 50<<10)), syscall.EFBIG)
	},
	"log over the limit of file sizes": func(dir string) error {
		s, err := Open(tContext(), Options{Dir: dir, batchInterval: time.Hour})
		if err != nil {
			return err
		}
		if err := limitFiles(400 << 10); err != nil {
			return err
		}
		return stopsWith(s, commitUntil(s, strings.Repeat("x", 20<<10)), syscall.EFBIG)
	},
	// In a mount namespace of its own, so that the mount ends with the process.
	"disk full": func(dir string) error {
		disk := filepath.Join(dir, "disk")
		if err := os.Mkdir(disk, 0o700); err != nil {
			return err
		}
		if err := syscall.Mount("none", disk, "tmpfs", 0, "size=5m"); err != nil {
			return err
		}
		s, err := Open(tContext(), Options{Dir: disk})
		if err != nil {
			return err
		}
		if err := stopsWith(s, commitUntil(s, strings.Repeat("x", 50<<10)), syscall.ENOSPC); err != nil {
			return err
		}
		return os.CopyFS(filepath.Join(dir, "copy"), os.DirFS(disk))
	},
	"no room to begin": func(dir string) error {
		if err := limitFiles(100 << 10); err != nil {
			return err
		}
		_, err := Open(tContext(), Options{Dir: dir})
		if !errors.Is(err, syscall.EFBIG) {
			return fmt.Errorf("it opens with error %w", err)
		}
		return nil
	},
}

func limitFiles(bytes uint64) error {
	return syscall.Setrlimit(syscall.RLIMIT_FSIZE, &syscall.Rlimit{Cur: bytes, Max: bytes})
}

// commitUntil commits the next number and a value under its own key until there is an error, and says
// what was acknowledged.
func commitUntil(s *Store, value string) error {
	last, _, err := s.Get(tContext(), "last")
	if err != nil {
		return err
	}
	var n int
	_, _ = fmt.Sscan(string(last.Value), &n)
	for {
		n++
		put := puts("last", fmt.Sprint(n), fmt.Sprintf("k%06d", n), value)
		if _, err := s.Commit(tContext(), Tx{If: []Condition{{Key: "last", Revision: last.Revision}}, Put: put}); err != nil {
			return err
		}
		fmt.Println("acked", n)
		if last, _, err = s.Get(tContext(), "last"); err != nil {
			return err
		}
	}
}

// stopsWith checks that a store that met an error of its disk accepts nothing any more.
func stopsWith(s *Store, err, cause error) error {
	if !errors.Is(err, ErrStopped) || !errors.Is(err, cause) {
		return fmt.Errorf("the commit ends with %w", err)
	}
	if err := limitFiles(1 << 30); err == nil {
		fmt.Println("there is room again")
	}
	if _, err := s.Commit(tContext(), Tx{Put: puts("late", "x")}); !errors.Is(err, ErrStopped) {
		return fmt.Errorf("the next commit ends with %w", err)
	}
	if _, _, err := s.Get(tContext(), "last"); !errors.Is(err, ErrStopped) {
		return fmt.Errorf("a read ends with %w", err)
	}
	if err := s.Close(); !errors.Is(err, cause) {
		return fmt.Errorf("close ends with %w", err)
	}
	return nil
}

// child starts this test binary as a child.
func child(t *testing.T, what, dir string) (*exec.Cmd, *bufio.Scanner) {
	t.Helper()
	c := exec.Command(os.Args[0])
	c.Env = append(os.Environ(), "STORE_TEST_CHILD="+what, "STORE_TEST_DIR="+dir)
	out, err := c.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	c.Stderr = os.Stderr
	t.Cleanup(func() {
		if c.Process != nil {
			_ = c.Process.Kill()
		}
	})
	return c, bufio.NewScanner(out)
}

// acked reads what a child acknowledged, until its output ends or a number of lines was read, and the
// rest of what it said.
func acked(lines *bufio.Scanner, until int) (last int, said []string) {
	for n := 0; n < until && lines.Scan(); n++ {
		if _, err := fmt.Sscanf(lines.Text(), "acked %d", &last); err != nil {
			said = append(said, lines.Text())
		}
	}
	return last, said
}

// run runs a child to its end.
func run(t *testing.T, c *exec.Cmd, lines *bufio.Scanner) (last int, err error) {
	t.Helper()
	if err := c.Start(); err != nil {
		return 0, err
	}
	last, said := acked(lines, 1<<30)
	if err := c.Wait(); err != nil {
		return last, fmt.Errorf("%w: %s", err, strings.Join(said, "\n"))
	}
	return last, nil
}

// killed reads what the child had acknowledged after it was killed.
func killed(t *testing.T, c *exec.Cmd, lines *bufio.Scanner, last int) int {
	t.Helper()
	if err := c.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	if more, _ := acked(lines, 1<<30); more > 0 {
		last = more
	}
	_ = c.Wait()
	return last
}
