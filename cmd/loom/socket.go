package main

import (
	"errors"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"strings"
)

// longestSocket is the length of a path that every system takes for a socket: 108 bytes on Linux (unix(7)), 104 on macOS,
// with a zero at its end.
const longestSocket = 103

// socket is where the holder of a data directory listens: in a folder that only its user may enter. That is in the data
// directory, or, where its path is too long, among the temporary files. The file control.sock in the data directory
// names it.
type socket struct {
	net.Listener
	pointer, folder string
}

const controlFile = "control.sock"

// listenAt listens for others who want something of the holder of a data directory, which the caller is. What an earlier
// holder has left, who died, is removed.
func listenAt(dir string) (*socket, error) {
	s := &socket{pointer: filepath.Join(dir, controlFile)}
	err := s.sweep()
	if err == nil {
		s.folder, err = folderIn(dir)
	}
	if err != nil {
		return nil, err
	}
	path := filepath.Join(s.folder, "s")
	if s.Listener, err = net.Listen("unix", path); err == nil {
		err = writePrivate(s.pointer, []byte(path))
	}
	if err != nil {
		return nil, errors.Join(err, s.remove())
	}
	return s, nil
}

// folderIn makes the folder of a socket.
func folderIn(dir string) (string, error) {
	abs, err := filepath.Abs(dir)
	if err != nil {
		return "", err
	}
	folder := filepath.Join(abs, "control")
	if len(filepath.Join(folder, "s")) > longestSocket {
		return os.MkdirTemp("", "loom-")
	}
	if err := os.Mkdir(folder, 0o700); err != nil {
		return "", err
	}
	return folder, nil
}

// sweep removes the socket of an earlier holder, and its folder.
func (s *socket) sweep() error {
	text, err := os.ReadFile(s.pointer)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if old := strings.TrimSpace(string(text)); filepath.Base(old) == "s" {
		_, _ = os.Remove(old), os.Remove(filepath.Dir(old)) // what cannot be removed is in nobody's way
	}
	return os.RemoveAll(filepath.Join(filepath.Dir(s.pointer), "control")) // it may have died before it wrote the file
}

// remove gives up all that is there of it.
func (s *socket) remove() error {
	err := os.Remove(s.pointer)
	if errors.Is(err, fs.ErrNotExist) {
		err = nil
	}
	return errors.Join(err, os.RemoveAll(s.folder))
}
