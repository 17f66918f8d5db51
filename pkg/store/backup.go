package store

import (
	"bufio"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"time"
)

// Backup is every record of a store as of one revision. As a file it is lines of JSON: a header, a line per record, and
// a seal with their number and the SHA-256 of all lines before it. Locks and their epochs are not in it: they are of
// processes, and an epoch never goes back (see Lease).
type Backup struct {
	Format   int       `json:"loom-store-backup"`
	At       time.Time `json:"at"`
	Revision int64     `json:"revision"`
	Records  []Record  `json:"-"`
}

const backupFormat = 1

// line is a record in a backup.
type line struct {
	Key   string `json:"key"`
	Value []byte `json:"value"`
}

// backupSeal ends a backup.
type backupSeal struct {
	Records int    `json:"records"`
	SHA256  string `json:"sha256"`
}

// NewBackup makes a backup of what List returns for all records.
func NewBackup(records []Record, revision int64, now time.Time) *Backup {
	return &Backup{backupFormat, now, revision, records}
}

// WriteTo writes a backup.
func (b *Backup) WriteTo(w io.Writer) (int64, error) {
	sum, n := sha256.New(), new(counter)
	out := bufio.NewWriter(w)
	e := json.NewEncoder(io.MultiWriter(out, sum, n))
	err := e.Encode(b)
	for i := 0; err == nil && i < len(b.Records); i++ {
		err = e.Encode(line{b.Records[i].Key, b.Records[i].Value})
	}
	if err == nil {
		err = e.Encode(backupSeal{len(b.Records), hex.EncodeToString(sum.Sum(nil))})
	}
	return int64(*n), errors.Join(err, out.Flush())
}

type counter int64

func (c *counter) Write(b []byte) (int, error) {
	*c += counter(len(b))
	return len(b), nil
}

// ReadBackup reads a backup, and checks that it is whole and as it was written.
func ReadBackup(data []byte) (*Backup, error) {
	end := bytes.LastIndexByte(bytes.TrimSuffix(data, []byte("\n")), '\n') + 1
	var seal backupSeal
	if err := json.Unmarshal(data[end:], &seal); err != nil || seal.SHA256 == "" {
		return nil, errors.New("it does not end with its seal: it is no backup of a store, or its end is missing")
	}
	if sum := sha256.Sum256(data[:end]); hex.EncodeToString(sum[:]) != seal.SHA256 {
		return nil, errors.New("it is not as it was written: its SHA-256 is another; use another backup")
	}
	d := json.NewDecoder(bytes.NewReader(data[:end]))
	b := &Backup{}
	if err := d.Decode(b); err != nil {
		return nil, err
	}
	if b.Format != backupFormat {
		return nil, fmt.Errorf("it has format %d; this program reads %d: use the release that wrote it", b.Format, backupFormat)
	}
	for d.More() {
		var l line
		if err := d.Decode(&l); err != nil {
			return nil, err
		}
		b.Records = append(b.Records, Record{Key: l.Key, Value: l.Value})
	}
	if len(b.Records) != seal.Records {
		return nil, fmt.Errorf("it has %d records, and its seal says %d", len(b.Records), seal.Records)
	}
	return b, nil
}

// Restore makes a data directory with what is in a backup. There must be none, or an empty one. The directory is there
// with every record, synced, or not at all.
func Restore(ctx context.Context, dir string, b *Backup) error {
	switch entries, err := os.ReadDir(dir); {
	case err == nil && len(entries) > 0:
		return fmt.Errorf("%s: there is a store already; move it away first, and keep it", dir)
	case err != nil && !errors.Is(err, fs.ErrNotExist):
		return err
	}
	parent := filepath.Dir(dir)
	if err := os.MkdirAll(parent, 0o700); err != nil {
		return err
	}
	made, err := os.MkdirTemp(parent, "restoring-")
	if err != nil {
		return err
	}
	if err := fill(ctx, made, b); err != nil {
		return errors.Join(err, os.RemoveAll(made))
	}
	if err := os.Rename(made, dir); err != nil {
		return errors.Join(err, os.RemoveAll(made))
	}
	return syncDir(parent)
}

// fill makes a store with the records of a backup, and reads them again.
func fill(ctx context.Context, dir string, b *Backup) error {
	s, err := Open(ctx, Options{Dir: dir, Owner: "a restore"})
	if err != nil {
		return err
	}
	put := map[string][]byte{}
	for _, r := range b.Records {
		put[r.Key] = r.Value
	}
	var has []Record
	if len(put) > 0 {
		err = s.Batch(ctx, put)
	}
	if err == nil {
		has, _, err = s.List(ctx, "")
	}
	if err == nil && len(has) != len(put) {
		err = fmt.Errorf("%d of %d records were restored", len(has), len(put))
	}
	for _, r := range has {
		if err == nil && !bytes.Equal(r.Value, put[r.Key]) {
			err = fmt.Errorf("record %s is not as it was restored", r.Key)
		}
	}
	return errors.Join(err, s.Close())
}

// syncDir makes durable which files a directory has.
func syncDir(path string) error {
	dir, err := os.Open(path)
	if err != nil {
		return err
	}
	return errors.Join(dir.Sync(), dir.Close())
}
