package store

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime/debug"
	"time"

	bolt "go.etcd.io/bbolt"
	bolterrors "go.etcd.io/bbolt/errors"
	"go.etcd.io/etcd/server/v3/storage/schema"
)

// checkDir checks a member's files before etcd opens them: the log, the database, and that they fit.
// A torn end of the log is cut off; the notices say so. A directory without a log is new.
func checkDir(dir string) (notices []string, err error) {
	files, err := readLog(filepath.Join(dir, "member", "wal"))
	if err != nil || len(files) == 0 {
		return nil, err
	}
	state, tear, err := inspect(files)
	if err != nil {
		return nil, in(filepath.Join(dir, "member", "wal"), err)
	}
	database := filepath.Join(dir, "member", "snap", "db")
	applied, err := applied(database)
	if err != nil {
		return nil, err
	}
	// A member's first write of all makes it the cluster's voter, in an entry that counts as committed.
	// Killed before that, it would wait for an election for ever. Nothing was acknowledged yet.
	if state.commit == 0 && applied == 0 {
		if err := os.RemoveAll(filepath.Join(dir, "member")); err != nil {
			return nil, fmt.Errorf("store: %w", err)
		}
		return []string{dir + ": its first start was cut off before anything was stored; it is begun anew"}, nil
	}
	// etcd does not apply an entry that the database has already. A log that lost its end would fill
	// these places with new entries, acknowledge them, and drop them.
	if applied > state.last {
		where := files[len(files)-1]
		offset := int64(-1)
		if tear != nil {
			offset = tear.offset
		}
		return nil, in(filepath.Join(dir, "member", "wal"), &CorruptError{File: where.name, Offset: offset,
			Why: fmt.Sprintf("it ends with entry %d, but the database has entry %d", state.last, applied)})
	}
	if tear == nil {
		return nil, nil
	}
	path := filepath.Join(dir, "member", "wal", tear.file)
	if err := mend(path, tear.offset); err != nil {
		return nil, fmt.Errorf("store: cutting off the torn end of %s: %w", path, err)
	}
	return []string{fmt.Sprintf("%s: the end was torn by a crash and is cut off at offset %d (%s); it was not acknowledged. The file as it was is %s.broken",
		path, tear.offset, tear.why, path)}, nil
}

// in says in which folder a corrupt file is.
func in(dir string, err error) error {
	var corrupt *CorruptError
	if errors.As(err, &corrupt) {
		corrupt.File = filepath.Join(dir, corrupt.File)
	}
	return err
}

// readLog reads the files of a log, in order. There are few, and each is about a segment long.
func readLog(dir string) ([]segmentFile, error) {
	paths, err := filepath.Glob(filepath.Join(dir, "*.wal")) // sorted
	if err != nil {
		return nil, fmt.Errorf("store: %w", err)
	}
	var out []segmentFile
	for _, path := range paths {
		data, err := os.ReadFile(path)
		if err != nil {
			return nil, fmt.Errorf("store: %w", err)
		}
		out = append(out, segmentFile{filepath.Base(path), data})
	}
	return out, nil
}

// mend cuts a file of the log off, after a copy was made of it.
func mend(path string, offset int64) error {
	data, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	if err := writeSynced(path+".broken", os.O_CREATE|os.O_TRUNC, func(f *os.File) error {
		_, err := f.Write(data)
		return err
	}); err != nil {
		return err
	}
	if err := writeSynced(path, 0, func(f *os.File) error { return f.Truncate(offset) }); err != nil {
		return err
	}
	return syncDir(filepath.Dir(path))
}

func writeSynced(path string, flags int, write func(*os.File) error) error {
	f, err := os.OpenFile(path, os.O_WRONLY|flags, 0o600)
	if err != nil {
		return err
	}
	err = write(f)
	if err == nil {
		err = f.Sync()
	}
	return errors.Join(err, f.Close())
}

// applied reads every page in use of the database, which has no checksums but a structure that bbolt
// would panic about, and returns the index of the last entry that it has; 0 if there is no database.
func applied(path string) (index uint64, err error) {
	switch info, err := os.Stat(path); {
	case errors.Is(err, fs.ErrNotExist):
		return 0, nil
	case err != nil:
		return 0, fmt.Errorf("store: %w", err)
	case info.Size() == 0:
		return 0, nil // made, and not yet begun
	}
	// A page that points outside of the file is a fault of memory.
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	defer func() {
		if r := recover(); r != nil {
			err = &CorruptError{File: path, Offset: -1, Why: fmt.Sprint(r)}
		}
	}()
	// The directory is claimed: nobody else has it open for longer than it takes to end.
	db, err := bolt.Open(path, 0o600, &bolt.Options{ReadOnly: true, Timeout: 10 * time.Second})
	var broken *fs.PathError
	switch {
	case errors.As(err, &broken) || errors.Is(err, bolterrors.ErrTimeout):
		return 0, fmt.Errorf("store: %s: %w", path, err)
	case err != nil:
		return 0, &CorruptError{File: path, Offset: -1, Why: err.Error()}
	}
	defer func() { _ = db.Close() }()
	err = db.View(func(tx *bolt.Tx) error {
		return tx.ForEach(func(name []byte, b *bolt.Bucket) error {
			if string(name) == schema.Meta.String() {
				if v := b.Get(schema.MetaConsistentIndexKeyName); len(v) == 8 {
					index = binary.BigEndian.Uint64(v)
				}
			}
			return b.ForEach(func(_, _ []byte) error { return nil })
		})
	})
	if err != nil {
		return 0, &CorruptError{File: path, Offset: -1, Why: err.Error()}
	}
	return index, nil
}
