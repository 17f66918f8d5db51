package main

import "testing"

// work counts what one moved cable costs.
type work struct{ decided, rendered, changes, visited int }

func movedCableWork(t *testing.T, sites int) work {
	e := newEditor(t, small(sites))
	before := e.trees
	e.compile(t)
	w := work{decided: e.design.Work.Devices}
	if sum := w.decided + e.design.Work.Reused; sum != 10*sites {
		t.Fatalf("%d devices, want %d", sum, 10*sites)
	}
	w.changes, w.visited = e.follow(t)
	for name, tree := range e.trees {
		if tree != before[name] {
			w.rendered++
		}
	}
	return w
}

func TestOneCableCostsTheSameInAnyFabric(t *testing.T) {
	t.Parallel()
	small, large := movedCableWork(t, 1), movedCableWork(t, 100)
	if small != large {
		t.Errorf("in 10 devices %+v, in 1,000 devices %+v", small, large)
	}
	if want := 2; small.decided != want || small.rendered != want {
		t.Errorf("%+v, want both ends of the cable decided and rendered", small)
	}
	if small.changes == 0 || small.visited == 0 {
		t.Errorf("%+v: the cable changes nothing", small)
	}
}
