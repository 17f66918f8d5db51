//go:build crashpoints

package main

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"hash/fnv"
	"io"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"

	bolt "go.etcd.io/bbolt"
	"go.etcd.io/etcd/server/v3/storage/schema"
	"go.etcd.io/etcd/server/v3/storage/wal"
	"go.etcd.io/etcd/server/v3/storage/wal/walpb"
	"go.etcd.io/raft/v3/raftpb"
	"google.golang.org/protobuf/proto"
)

// cutPower makes of the data directory what a disk has that lost its power now, while the process stands at its
// point: what it has written and not synced is lost. With a torn write the last record was not synced yet, and any part
// of it has reached the disk. The process is left standing still.
func (p *victim) cutPower(q *prey, w way) {
	p.Helper()
	var disk string
	var passed []string
	keep := 0.0
	told := 0
	if w == torn {
		// At once: the database must not have what the log loses. It is then as it was before, whole.
		p.freeze(q.pid)
		disk, passed = p.path("disk"), linesOf(q.log)
		if err := copyData(disk, p.path("data")); err != nil {
			p.Fatal(err)
		}
		keep, told = p.random(), 1
	} else {
		disk, passed = p.freezeIdle(q.pid, q.log)
	}
	logs, err := filepath.Glob(filepath.Join(disk, "store", "etcd", "member", "wal", "*.wal"))
	if err != nil {
		p.Fatal(err)
	}
	database := filepath.Join(disk, "store", "etcd", "member", "snap", "db")
	applied := p.applied(database)
	var sum loss
	for _, log := range logs {
		sum = sum.and(p.cutLog(log, acknowledged(passed)-told, keep, applied))
	}
	spoilt := w != torn && p.tear(database)
	if err := os.Rename(p.path("data"), p.path("lost")); err != nil {
		p.Fatal(err)
	}
	if err := os.Rename(disk, p.path("data")); err != nil {
		p.Fatal(err)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.cut += min(sum.entries, 1)
	p.split += min(sum.within, 1)
	if spoilt {
		p.torn++
	}
}

// copyData copies a data directory: its files, and not the socket of who has it.
func copyData(to, from string) error {
	return filepath.WalkDir(from, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		at := filepath.Join(to, strings.TrimPrefix(path, from))
		switch {
		case d.IsDir():
			return os.MkdirAll(at, 0o700)
		case !d.Type().IsRegular():
			return nil
		}
		data, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		return os.WriteFile(at, data, 0o600)
	})
}

// random is a number from 0 to 1 that is the case's own.
func (p *victim) random() float64 {
	h := fnv.New64a()
	_, _ = io.WriteString(h, p.Name())
	return rand.New(rand.NewPCG(seed, h.Sum64())).Float64()
}

// loss is what a log has lost.
type loss struct{ entries, within int }

func (l loss) and(m loss) loss { return loss{l.entries + m.entries, l.within + m.within} }

// applied is the index of the last entry of the log that a database has; 0 where there is none.
func (p *victim) applied(file string) (index uint64) {
	p.Helper()
	if !exists(file) {
		return 0
	}
	db, err := bolt.Open(file, 0o600, &bolt.Options{ReadOnly: true, PreLoadFreelist: true})
	if err != nil {
		p.Fatal(err)
	}
	defer db.Close()
	_ = db.View(func(tx *bolt.Tx) error {
		if meta := tx.Bucket(schema.Meta.Name()); meta != nil {
			if v := meta.Get(schema.MetaConsistentIndexKeyName); len(v) == 8 {
				index = binary.BigEndian.Uint64(v)
			}
		}
		return nil
	})
	return index
}

// freezeIdle stops a process and copies its data, and returns the copy and the points passed until then. The copy
// is of a moment at which no pages of the database were being written: later the database is still the same.
func (p *victim) freezeIdle(pid int, log string) (disk string, passed []string) {
	p.Helper()
	const apart = 120 * time.Millisecond // etcd commits every 100 ms, if there is anything
	var before []byte
	looks := 0
	p.until("the database is at rest", func() bool {
		p.freeze(pid)
		now, err := os.ReadFile(filepath.Join(p.path("data"), "store", "etcd", "member", "snap", "db"))
		if err != nil {
			p.Fatal(err)
		}
		if before != nil && bytes.Equal(before, now) {
			return true
		}
		looks++
		before, passed, disk = now, linesOf(log), p.path(fmt.Sprintf("disk%d", looks))
		if err := copyData(disk, p.path("data")); err != nil {
			p.Fatal(err)
		}
		p.thaw(pid)
		<-time.After(apart)
		return false
	})
	return disk, passed
}

// freeze stops a process, and waits until each of its threads has stopped: one that syncs a file does when that
// is done.
func (p *victim) freeze(pid int) {
	p.Helper()
	_ = syscall.Kill(-pid, syscall.SIGSTOP)
	p.until("every thread has stopped", func() bool {
		stats, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/stat", pid))
		if err != nil {
			p.Fatal(err)
		}
		return !slices.ContainsFunc(stats, func(file string) bool {
			stat, err := os.ReadFile(file)
			_, state, _ := bytes.Cut(stat, []byte(") "))
			return err == nil && !bytes.HasPrefix(state, []byte("T"))
		})
	})
}

// thaw lets it go on.
func (p *victim) thaw(pid int) { _ = syscall.Kill(-pid, syscall.SIGCONT) }

// acknowledged counts the commits of the store since the journal of the transaction began.
func acknowledged(passed []string) int {
	n := 0
	for _, point := range passed[max(slices.Index(passed, "transaction write planned before"), 0):] {
		if point == "store.commit.after" {
			n++
		}
	}
	return n
}

// cutLog cuts a file of the log after the last record that is certain to be on the disk, and fills it with the
// zeros that it was allocated with. etcd syncs after entries, a change of term or vote, and a snapshot (raft's
// MustSync); a hard state that only says what is committed is lost with the page cache. Of entries with records
// of the transaction as many are kept as were acknowledged, and what the database has. Of what follows a part is
// kept, from 0 to 1.
func (p *victim) cutLog(file string, acknowledged int, keep float64, applied uint64) loss {
	p.Helper()
	data, err := os.ReadFile(file)
	if err != nil {
		p.Fatal(err)
	}
	var ends []int // of the records that may be lost
	synced, records, lost, at := 0, 0, 0, 0
	var term, vote uint64
	for at+8 <= len(data) {
		length := binary.LittleEndian.Uint64(data[at:])
		if length == 0 {
			break
		}
		size := int(length << 8 >> 8)
		rec := &walpb.Record{}
		if err := proto.Unmarshal(data[at+8:at+8+size], rec); err != nil {
			p.Fatalf("%s at %d: %v", file, at, err)
		}
		at += 8 + (size+7)/8*8
		ends = append(ends, at)
		switch rec.GetType() {
		case wal.EntryType:
			var e raftpb.Entry
			if err := proto.Unmarshal(rec.GetData(), &e); err != nil {
				p.Fatalf("%s at %d: %v", file, at, err)
			}
			if bytes.Contains(rec.GetData(), []byte("transactions/")) {
				records++
			}
			if records > acknowledged && e.GetIndex() > applied {
				lost++
			}
		case wal.StateType:
			var h raftpb.HardState
			if err := proto.Unmarshal(rec.GetData(), &h); err != nil {
				p.Fatalf("%s at %d: %v", file, at, err)
			}
			if h.GetTerm() == term && h.GetVote() == vote {
				continue
			}
			term, vote = h.GetTerm(), h.GetVote()
		}
		if lost == 0 {
			synced = at
		}
	}
	cut := synced + int(keep*float64(at-synced))
	clear(data[cut:])
	if err := os.WriteFile(file, data, 0o600); err != nil {
		p.Fatal(err)
	}
	sum := loss{entries: lost}
	if lost > 0 && cut > synced && !slices.Contains(ends, cut) {
		sum.within = 1
	}
	return sum
}

// tear spoils the newest of the two meta pages of a database that is at rest, as if it had not been synced, so
// that the state before is what is left: the log has what is missing. It tells whether there is a database whose
// state before is whole.
func (p *victim) tear(file string) bool {
	p.Helper()
	const txid = 16 + 48 // in a meta page: behind its header, and what comes before in the meta
	page := os.Getpagesize()
	data, err := os.ReadFile(file)
	if os.IsNotExist(err) {
		return false
	}
	if err != nil {
		p.Fatal(err)
	}
	newest := 0
	if binary.LittleEndian.Uint64(data[page+txid:]) > binary.LittleEndian.Uint64(data[txid:]) {
		newest = page
	}
	old := slices.Clone(data)
	clear(old[newest+txid : newest+txid+8]) // its checksum does not fit any more
	trial := file + ".old"
	if err := os.WriteFile(trial, old, 0o600); err != nil {
		p.Fatal(err)
	}
	if !whole(trial) {
		if err := os.Remove(trial); err != nil {
			p.Fatal(err)
		}
		return false
	}
	if err := os.Rename(trial, file); err != nil {
		p.Fatal(err)
	}
	return true
}

// whole tells whether a database can be read and is consistent.
func whole(file string) bool {
	db, err := bolt.Open(file, 0o600, &bolt.Options{ReadOnly: true, PreLoadFreelist: true})
	if err != nil {
		return false
	}
	defer db.Close()
	good := true
	_ = db.View(func(tx *bolt.Tx) error {
		for range tx.Check() {
			good = false
		}
		return nil
	})
	return good
}
