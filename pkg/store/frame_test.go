package store

import (
	"bytes"
	"errors"
	"testing"
)

func TestARecordThatDoesNotVerifyIsNotUsed(t *testing.T) {
	t.Parallel()
	s := open(t, t.TempDir())
	good := seal("a", []byte("value"))
	newer := append([]byte{format + 1}, append(sum(format+1, "a", []byte("value")), "value"...)...)
	for _, c := range []struct {
		name   string
		stored []byte
		newer  bool
	}{
		{"a bit of the value", flipped(good, len(good)*8-1), false},
		{"a bit of the sum", flipped(good, 20), false},
		{"a bit of the version", flipped(good, 1), false},
		{"another key's record", seal("b", []byte("value")), false},
		{"a part", good[:len(good)-1], false},
		{"less than a header", good[:frameSize-1], false},
		{"nothing", nil, false},
		{"a newer format", newer, true},
	} {
		if _, err := s.client.Put(t.Context(), s.path("a"), string(c.stored)); err != nil {
			t.Fatal(err)
		}
		_, _, getErr := s.Get(t.Context(), "a")
		_, _, listErr := s.List(t.Context(), "")
		for _, err := range []error{getErr, listErr} {
			var corrupt *CorruptError
			var later *NewerError
			if errors.As(err, &later) != c.newer || errors.As(err, &corrupt) == c.newer {
				t.Errorf("%s: %v", c.name, err)
			}
			if corrupt != nil && (corrupt.Key != "a" || corrupt.Revision == 0) {
				t.Errorf("%s: the error does not name the record: %+v", c.name, corrupt)
			}
		}
	}
	if _, err := s.client.Put(t.Context(), s.path("a"), string(good)); err != nil {
		t.Fatal(err)
	}
	want(t, have(t, s, ""), "a=value")
}

// FuzzFrame: a value comes back as it was; with any other bytes it does not.
func FuzzFrame(f *testing.F) {
	f.Add("key", []byte("value"), 3, byte(1))
	f.Add("", []byte{}, 0, byte(0x80))
	f.Fuzz(func(t *testing.T, key string, value []byte, at int, mask byte) {
		frame := seal(key, value)
		if got, version, err := unseal(key, frame); err != nil || version != format || !bytes.Equal(got, value) {
			t.Fatalf("%q, %d, %v", got, version, err)
		}
		if _, _, err := unseal(key+"x", frame); err == nil {
			t.Error("it verifies under another key")
		}
		if mask == 0 {
			return
		}
		frame[uint(at)%uint(len(frame))] ^= mask
		if _, _, err := unseal(key, frame); err == nil {
			t.Error("spoilt, it verifies")
		}
	})
}
