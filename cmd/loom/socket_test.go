package main

import (
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// A process that is killed leaves its socket behind: the next one removes it, wherever it was.
func TestTheSocketOfADeadHolderIsRemoved(t *testing.T) {
	for _, c := range []struct {
		name string
		dir  string
		temp bool // it is among the temporary files
	}{
		{"in the data directory", "store", false},
		{"among the temporary files, as the path is too long", strings.Repeat("long", 30), true},
	} {
		t.Run(c.name, func(t *testing.T) {
			root, err := os.MkdirTemp("", "loom-socket-")
			if err != nil {
				t.Fatal(err)
			}
			defer os.RemoveAll(root)
			temp := filepath.Join(root, "tmp")
			t.Setenv("TMPDIR", temp)
			dir := filepath.Join(root, c.dir)
			for _, d := range []string{temp, dir} {
				if err := os.Mkdir(d, 0o755); err != nil {
					t.Fatal(err)
				}
			}
			dead, err := listenAt(dir)
			if err != nil {
				t.Fatal(err)
			}
			dead.Listener.(*net.UnixListener).SetUnlinkOnClose(false) // as where the process is killed
			dead.Close()
			alive, err := listenAt(dir)
			if err != nil {
				t.Fatal(err)
			}
			defer alive.Close()
			info, err := os.Stat(alive.folder)
			if err != nil || info.Mode().Perm() != 0o700 {
				t.Errorf("the folder of the socket: %v, %v", info, err)
			}
			if left, _ := os.ReadDir(temp); c.temp && len(left) != 1 || !c.temp && len(left) != 0 {
				t.Errorf("temporary files while it is alive: %v", left)
			}
			path, err := os.ReadFile(filepath.Join(dir, controlFile))
			if err != nil {
				t.Fatal(err)
			}
			conn, err := net.Dial("unix", string(path))
			if err != nil {
				t.Fatal(err)
			}
			conn.Close()
			if err := alive.remove(); err != nil {
				t.Error(err)
			}
			for _, d := range []string{temp, dir} {
				if left, _ := os.ReadDir(d); len(left) > 0 {
					t.Errorf("left in %s: %v", d, left)
				}
			}
		})
	}
}
