package store

import (
	"crypto/sha256"
	"crypto/subtle"
	"encoding/binary"
	"errors"
)

// format is the version of records that this program writes.
const format = 1

// A stored value is its format version, a sum, and the value. The sum is over version, key and
// value: a value that comes back under another key does not verify. This layout stays in every later
// format, so that an older program can tell a newer record from a corrupt one.
const (
	sumSize   = 16 // of SHA-256: 128 bits tell any corruption that is not made on purpose
	frameSize = 1 + sumSize
)

var errSum = errors.New("its checksum does not match")

// seal frames a value for a key.
func seal(key string, value []byte) []byte {
	out := make([]byte, frameSize, frameSize+len(value))
	out[0] = format
	copy(out[1:], sum(format, key, value))
	return append(out, value...)
}

// unseal returns the value of a frame and its format. The value shares the frame's memory.
func unseal(key string, frame []byte) (value []byte, version int, err error) {
	if len(frame) < frameSize {
		return nil, 0, errors.New("it is shorter than the header of a record")
	}
	value = frame[frameSize:]
	if subtle.ConstantTimeCompare(frame[1:frameSize], sum(frame[0], key, value)) != 1 {
		return nil, 0, errSum
	}
	return value, int(frame[0]), nil
}

func sum(version byte, key string, value []byte) []byte {
	h := sha256.New()
	var head [9]byte // the key's length keeps "ab"+"c" and "a"+"bc" apart
	head[0] = version
	binary.BigEndian.PutUint64(head[1:], uint64(len(key)))
	h.Write(head[:])
	h.Write([]byte(key))
	h.Write(value)
	return h.Sum(nil)[:sumSize]
}

// record makes a Record of what etcd holds under a key of ours.
func record(key string, frame []byte, revision int64) (Record, error) {
	value, version, err := unseal(key, frame)
	if err != nil {
		return Record{}, &CorruptError{Key: key, Revision: revision, Why: err.Error()}
	}
	if version != format {
		return Record{}, &NewerError{Key: key, Revision: revision, Format: version}
	}
	return Record{Key: key, Value: value, Revision: revision}, nil
}
