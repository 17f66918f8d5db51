//go:build crashpoints

package main

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"syscall"
	"time"

	bolt "go.etcd.io/bbolt"
	"go.etcd.io/etcd/server/v3/storage/wal"
	"go.etcd.io/etcd/server/v3/storage/wal/walpb"
	"go.etcd.io/raft/v3/raftpb"
	"google.golang.org/protobuf/proto"
)

// cutPower makes of the data directory what a disk has that lost its power now, while the process stands at its
// point: what it has written and not synced is lost. The process is left standing still.
func (p *victim) cutPower(pid int, log string) {
	p.Helper()
	disk, passed := p.freezeIdle(pid, log)
	logs, err := filepath.Glob(filepath.Join(disk, "store", "etcd", "member", "wal", "*.wal"))
	if err != nil {
		p.Fatal(err)
	}
	lost := 0
	for _, log := range logs {
		lost += p.cutLog(log, acknowledged(passed))
	}
	torn := p.tear(filepath.Join(disk, "store", "etcd", "member", "snap", "db"))
	if err := os.Rename(p.path("data"), p.path("lost")); err != nil {
		p.Fatal(err)
	}
	if err := os.Rename(disk, p.path("data")); err != nil {
		p.Fatal(err)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.cut += min(lost, 1)
	if torn {
		p.torn++
	}
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
		if err := os.CopyFS(disk, os.DirFS(p.path("data"))); err != nil {
			p.Fatal(err)
		}
		_ = syscall.Kill(-pid, syscall.SIGCONT)
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
// of the transaction as many are kept as were acknowledged. It returns how many were lost.
func (p *victim) cutLog(file string, acknowledged int) int {
	p.Helper()
	data, err := os.ReadFile(file)
	if err != nil {
		p.Fatal(err)
	}
	synced, records, lost := 0, 0, 0
	var term, vote uint64
	for at := 0; at+8 <= len(data); {
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
		switch rec.GetType() {
		case wal.EntryType:
			if bytes.Contains(rec.GetData(), []byte("transactions/")) {
				records++
			}
			if records > acknowledged {
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
	clear(data[synced:])
	if err := os.WriteFile(file, data, 0o600); err != nil {
		p.Fatal(err)
	}
	return lost
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
