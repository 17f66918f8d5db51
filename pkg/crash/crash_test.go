package crash

import (
	"slices"
	"testing"
)

var one = New("test.one")

func TestNamesListWhatWasRegistered(t *testing.T) {
	if !slices.Contains(Names(), "test.one") || !slices.IsSorted(Names()) {
		t.Errorf("names are %q", Names())
	}
}

func TestANameIsTakenOnce(t *testing.T) {
	for _, name := range []string{"test.one", ""} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("a second point %q was taken", name)
				}
			}()
			New(name)
		}()
	}
}

func TestAPointCostsNothingInANormalBuild(t *testing.T) {
	if n := testing.AllocsPerRun(100, one.Here); n != 0 {
		t.Errorf("a pass allocates %v times", n)
	}
}
