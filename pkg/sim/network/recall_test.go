package network

import (
	"runtime"
	"testing"
)

func TestWhatIsNeededAgainIsMadeAgain(t *testing.T) {
	t.Parallel()
	made := 0
	var r recall[[64]int]
	get := func() *[64]int { return r.get(func() *[64]int { made++; return &[64]int{made} }) }
	first := get()
	runtime.GC()
	if get() != first || made != 1 {
		t.Errorf("made %d times while it was needed", made)
	}
	runtime.KeepAlive(first)
	runtime.GC()
	if second := get(); second[0] != 2 {
		t.Errorf("made %d times, and not needed by anybody in between", made)
	}
}

// Routes are found out again when somebody wants to see them, and have to be those that were worked with.
func TestOriginateSaysTheSameEachTime(t *testing.T) {
	t.Parallel()
	p := newWeave(2, 4, "ibgp").survey()
	for _, router := range p.Names {
		first := Originate(p, router)
		for range 5 {
			equal(t, router, Originate(p, router), first)
		}
		if len(first) == 0 {
			t.Errorf("%s announces nothing", router)
		}
	}
}
