//go:build !race

package store

import (
	"errors"
	"math/rand/v2"
	"slices"
	"testing"
)

func TestALogCutAnywhereInItsLastFileIsAPrefix(t *testing.T) {
	t.Parallel()
	last := lastOf(t, crashedLog(t))
	whole, _, _ := inspect([]segmentFile{last})
	records := offsets(t, last.data)
	n := len(records)
	random := rand.New(rand.NewPCG(3, 4))
	var cuts []int
	for cut := records[n-4]; cut <= records[n-1]; cut++ {
		cuts = append(cuts, cut)
	}
	for range 500 {
		cuts = append(cuts, records[2]+random.IntN(records[n-1]-records[2]))
	}
	for _, cut := range append(cuts, records...) {
		state, tear, err := inspect([]segmentFile{{last.name, last.data[:cut]}})
		boundary := slices.Contains(records, cut)
		switch {
		case cut < records[2]: // in the header: no crash leaves a file like that under this name
			var corrupt *CorruptError
			if !errors.As(err, &corrupt) {
				t.Fatalf("cut at %d, in the header: %v", cut, err)
			}
		case err != nil:
			t.Fatalf("cut at %d: %v", cut, err)
		case boundary && tear != nil, !boundary && (tear == nil || tear.offset > int64(cut) || !slices.Contains(records, int(tear.offset))):
			t.Fatalf("cut at %d, a boundary: %v; tear %+v", cut, boundary, tear)
		case state.last > whole.last:
			t.Fatalf("cut at %d: entry %d of %d", cut, state.last, whole.last)
		}
	}
}

// Whatever bit flips: it is found, or it changes nothing; and it is taken for a torn end only if no
// intact record follows.
func TestABitThatFlippedIsFound(t *testing.T) {
	t.Parallel()
	files := []segmentFile{crashedLog(t)[0], lastOf(t, crashedLog(t))}
	random := rand.New(rand.NewPCG(1, 2))
	records := offsets(t, files[1].data)
	end, tail := records[len(records)-1], records[len(records)-2]
	type place struct{ file, bit int }
	var places []place
	for bit := tail * 8; bit < end*8; bit++ {
		places = append(places, place{1, bit})
	}
	for range 700 {
		places = append(places, place{1, random.IntN(end * 8)})
	}
	for range 10 {
		places = append(places, place{0, random.IntN(len(files[0].data) * 8)})
	}
	whole := map[int]logState{}
	whole[0], _, _ = inspect(files)
	whole[1], _, _ = inspect(files[1:])
	torn, found := 0, 0
	for _, p := range places {
		file, bit := p.file, p.bit
		spoilt := segmentFile{files[file].name, flipped(files[file].data, bit)}
		log := []segmentFile{spoilt} // the last file can be read alone, which is faster
		if file == 0 {
			log = append(log, files[1])
		}
		state, tear, err := inspect(log)
		var corrupt *CorruptError
		switch {
		case errors.As(err, &corrupt):
			found++
			// The first file's first checksum continues files that are gone; the next record proves it.
			if corrupt.Offset > int64(max(bit/8, records[1])) {
				t.Fatalf("bit %d of %s: found later, at %d: %v", bit, files[file].name, corrupt.Offset, err)
			}
			if file == 1 && bit/8 >= tail {
				t.Fatalf("bit %d of %s: a torn end is refused: %v", bit, files[file].name, err)
			}
		case tear != nil:
			torn++
			if file != 1 || bit/8 < tail || tear.offset != int64(tail) {
				t.Fatalf("bit %d of %s: acknowledged records are cut off at %d of %d: %s", bit, files[file].name, tear.offset, tail, tear.why)
			}
		case state.last != whole[file].last || state.commit != whole[file].commit || state.crc != whole[file].crc:
			t.Fatalf("bit %d of %s is not found: %+v", bit, files[file].name, state)
		}
	}
	if torn == 0 || found < 500 {
		t.Errorf("%d torn ends and %d corruptions", torn, found)
	}
}
