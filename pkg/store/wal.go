package store

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"

	"go.etcd.io/etcd/server/v3/storage/wal"
	"go.etcd.io/etcd/server/v3/storage/wal/walpb"
	"go.etcd.io/raft/v3/raftpb"
	"google.golang.org/protobuf/proto"
)

// The log (write-ahead log, WAL) of etcd, read before etcd reads it. etcd repairs some torn ends by
// itself, but takes a record whose length became zero for the end of the log and forgets what follows,
// and ends the process for what it does not understand. Here each record is checked, and damage is told
// apart:
//
//   - A crash while the last records were written leaves a torn end. Nothing of it was acknowledged, as
//     that takes an fsync. It is cut off.
//   - Anything else lost something that was acknowledged. It is a *CorruptError.
//
// A torn end and a record that rotted at the very end can look the same. What tells them apart is
// whether anything proves the record acknowledged: intact records after it, a commit index that covers
// it, or the database, which is never ahead of the log (checkDir).

// segmentFile is a file of the log.
type segmentFile struct {
	name string
	data []byte
}

// logState is what a log comes to.
type logState struct {
	last   uint64 // index of the last entry, or of the last snapshot if that is later
	commit uint64 // of the last hard state

	metadata []byte
	crc      uint32 // running, over the data of every record so far
}

// tear is a torn end: the last file is good up to an offset.
type tear struct {
	file   string
	offset int64
	why    string
}

// inspect checks a log, given its files in order. It returns where the end is torn, if it is.
// Errors: *CorruptError.
func inspect(files []segmentFile) (logState, *tear, error) {
	var state logState
	for i, f := range files {
		if err := state.begin(files, i); err != nil {
			return state, nil, err
		}
		offset, damage := state.readFile(f.data, i == 0)
		if damage == nil {
			continue
		}
		if i < len(files)-1 {
			return state, nil, &CorruptError{File: f.name, Offset: offset, Why: damage.Error() + ", and the log goes on in another file"}
		}
		if why := state.lost(f.data, offset); why != "" {
			return state, nil, &CorruptError{File: f.name, Offset: offset, Why: damage.Error() + ", and " + why}
		}
		if state.metadata == nil {
			return state, nil, &CorruptError{File: f.name, Offset: offset, Why: damage.Error() + ", and nothing is left of the file"}
		}
		return state, &tear{f.name, offset, damage.Error()}, state.complete(f)
	}
	if len(files) == 0 {
		return state, nil, nil
	}
	return state, nil, state.complete(files[len(files)-1])
}

// complete holds if every committed entry is there.
func (s *logState) complete(f segmentFile) error {
	if s.commit <= s.last {
		return nil
	}
	return &CorruptError{File: f.name, Offset: -1, Why: fmt.Sprintf("it ends with entry %d, but entry %d was committed", s.last, s.commit)}
}

// begin takes what the name of a file says: its number, and the index of its first entry.
func (s *logState) begin(files []segmentFile, i int) error {
	var number, before, index, ignored uint64
	if _, err := fmt.Sscanf(files[i].name, "%016x-%016x.wal", &number, &index); err != nil {
		return &CorruptError{File: files[i].name, Offset: -1, Why: "it is not named as a file of the log"}
	}
	if i == 0 {
		s.last = max(index, 1) - 1 // the first file of all is of entry 0, but entries begin with 1
		return nil
	}
	if _, err := fmt.Sscanf(files[i-1].name, "%016x-%016x.wal", &before, &ignored); err != nil || number != before+1 || index != s.last+1 {
		return &CorruptError{File: files[i].name, Offset: -1, Why: fmt.Sprintf("the file of the log before it, with entry %d, is missing", s.last+1)}
	}
	return nil
}

var errZeros = errors.New("there are zeros where a record should begin")

// readFile reads records up to the end of a file. It returns the offset of the first that is not good.
func (s *logState) readFile(data []byte, first bool) (int64, error) {
	for offset, n := 0, 0; ; n++ {
		rest := data[offset:]
		if allZero(rest) {
			if n < 2 {
				return int64(offset), errors.New("the file ends before its header does")
			}
			return int64(offset), nil
		}
		rec, size, err := frame(rest)
		if err == nil {
			err = s.read(rec, n, first)
		}
		if err != nil {
			return int64(offset), err
		}
		offset += size
	}
}

// castagnoli is the polynomial of the log's checksums.
var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// frame reads the record at the beginning of data, and how many bytes it takes. Its checksum is not
// checked, as that goes over all records before it.
func frame(data []byte) (*walpb.Record, int, error) {
	if len(data) < 8 {
		return nil, 0, errors.New("the file ends within the length of a record")
	}
	field := binary.LittleEndian.Uint64(data)
	if field == 0 {
		return nil, 0, errZeros
	}
	// The lower 56 bits are the size; if it is no multiple of 8, the top byte is 0x80 and the padding.
	size := field << 8 >> 8
	pad := -size % 8
	if top := field >> 56; pad == 0 && top != 0 || pad != 0 && top != 0x80|pad {
		return nil, 0, errors.New("the length of a record is none that is ever written")
	}
	if size+pad > uint64(len(data)-8) {
		return nil, 0, errors.New("the file ends within a record")
	}
	rec := &walpb.Record{}
	if err := strictly(data[8:8+size], rec); err != nil {
		return nil, 0, fmt.Errorf("a record cannot be read: %w", err)
	}
	return rec, int(8 + size + pad), nil
}

// read takes a record, the nth of its file.
func (s *logState) read(rec *walpb.Record, n int, first bool) error {
	kind := rec.GetType()
	if (kind == wal.CrcType) != (n == 0) || kind == wal.MetadataType && n != 1 {
		return errors.New("a record is of a kind that cannot be there")
	}
	if kind == wal.CrcType && first {
		s.crc = rec.GetCrc() // files before it are gone
	}
	crc := crc32.Update(s.crc, castagnoli, rec.GetData())
	if crc != rec.GetCrc() {
		return errors.New("the checksum of a record does not match")
	}
	if err := s.take(kind, rec.GetData()); err != nil {
		return err
	}
	s.crc = crc
	return nil
}

// take checks what a record says. The checksum does not cover a record's kind: an entry that became a
// hard state has to be told from one.
func (s *logState) take(kind int64, data []byte) error {
	switch kind {
	case wal.CrcType:
		if len(data) > 0 {
			return errors.New("a record is of a kind that cannot be there")
		}
	case wal.MetadataType:
		if s.metadata != nil && string(s.metadata) != string(data) {
			return errors.New("the metadata differs from that of the file before")
		}
		s.metadata = append([]byte{}, data...)
	case wal.EntryType:
		var e raftpb.Entry
		if err := strictly(data, &e); err != nil {
			return fmt.Errorf("an entry cannot be read: %w", err)
		}
		// A cluster of one never overwrites an entry.
		if e.GetIndex() != s.last+1 {
			return fmt.Errorf("entry %d follows entry %d", e.GetIndex(), s.last)
		}
		s.last = e.GetIndex()
	case wal.StateType:
		var h raftpb.HardState
		if err := strictly(data, &h); err != nil {
			return fmt.Errorf("a hard state cannot be read: %w", err)
		}
		if h.GetCommit() < s.commit {
			return fmt.Errorf("the commit index falls from %d to %d", s.commit, h.GetCommit())
		}
		s.commit = h.GetCommit()
	case wal.SnapshotType:
		var snap walpb.Snapshot
		if err := strictly(data, &snap); err != nil {
			return fmt.Errorf("a snapshot cannot be read: %w", err)
		}
		s.last = max(s.last, snap.GetIndex())
	default:
		return fmt.Errorf("a record is of the unknown kind %d", kind)
	}
	return nil
}

// lost says why damage at an offset of the last file cannot be a torn end, or nothing.
func (s *logState) lost(data []byte, damaged int64) string {
	intact, commit := s.after(data[damaged:])
	if commit > s.last {
		return fmt.Sprintf("entry %d, which is lost, was committed", s.last+1)
	}
	if intact > 0 && !torn(data[damaged:][:intact], damaged) {
		return fmt.Sprintf("an intact record follows at offset %d", damaged+int64(intact))
	}
	return ""
}

// after looks behind a damaged record for intact ones. It returns where the first is, 0 if there is
// none, and the highest commit index among them. What the checksum of a record should be is not known
// there, as it continues that of the damaged one; but nothing that reads as a record to the last bit,
// and comes after this log, got there by chance.
func (s *logState) after(data []byte) (intact int, commit uint64) {
	for offset := 8; offset+8 <= len(data); offset += 8 {
		if binary.LittleEndian.Uint64(data[offset:]) == 0 {
			continue
		}
		rec, _, err := frame(data[offset:])
		if err != nil || !s.continues(rec) {
			continue
		}
		if intact == 0 {
			intact = offset
		}
		var h raftpb.HardState
		if rec.GetType() == wal.StateType && strictly(rec.GetData(), &h) == nil {
			commit = max(commit, h.GetCommit())
		}
	}
	return intact, commit
}

// continues tells whether a record reads as a later one of the same log.
func (s *logState) continues(rec *walpb.Record) bool {
	const ahead = 1 << 20 // entries that fit into what is left of a file, and more
	var e raftpb.Entry
	var h raftpb.HardState
	var snap walpb.Snapshot
	switch rec.GetType() {
	case wal.EntryType:
		return strictly(rec.GetData(), &e) == nil && s.last < e.GetIndex() && e.GetIndex() < s.last+ahead
	case wal.StateType:
		return strictly(rec.GetData(), &h) == nil && s.commit <= h.GetCommit() && h.GetCommit() < s.last+ahead
	case wal.SnapshotType:
		return strictly(rec.GetData(), &snap) == nil && snap.GetIndex() < s.last+ahead
	}
	return false
}

// sector is the least that a disk writes whole.
const sector = 512

// torn tells whether a sector of what was damaged never reached the disk, while later ones did: it has
// the zeros that it was allocated with.
func torn(data []byte, offset int64) bool {
	for at := 0; at < len(data); {
		end := min(at+sector-int((offset+int64(at))%sector), len(data))
		if end-at >= 8 && allZero(data[at:end]) {
			return true
		}
		at = end
	}
	return false
}

// strictly unmarshals what the same message marshals to: no field that it does not have, none twice.
func strictly(data []byte, into proto.Message) error {
	if err := proto.Unmarshal(data, into); err != nil {
		return err
	}
	if unknown := into.ProtoReflect().GetUnknown(); len(unknown) > 0 || proto.Size(into) != len(data) {
		return errors.New("it has fields that it should not have")
	}
	return nil
}

func allZero(data []byte) bool {
	for _, b := range data {
		if b != 0 {
			return false
		}
	}
	return true
}
