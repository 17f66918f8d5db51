package main

import "testing"

func TestMemoryIsGivenBackOnceWhenMuchWorkIsDone(t *testing.T) {
	t.Parallel()
	const mb = 1 << 20
	var r rest
	total := uint64(0)
	for i, step := range []struct {
		mb, intervals int // allocated in each of so many
		want          int // the interval in which rest comes; 0: in none
		why           string
	}{
		{100, 1, 0, "it works"},
		{1, quiet + 5, quiet, "it comes to rest, once"},
		{15, 1, 0, "it works a little"},
		{0, quiet + 5, 0, "there is not much to give back"},
		{20, 2, 0, "it works"},
		{1, quiet - 1, 0, "it has only just stopped"},
		{20, 1, 0, "it works again"},
		{1, quiet, quiet, "it comes to rest again"},
	} {
		got := 0
		for n := 1; n <= step.intervals; n++ {
			if total += uint64(step.mb) * mb; r.comes(total) {
				got = n
			}
		}
		if got != step.want {
			t.Errorf("step %d: rest in interval %d, want %d; %s", i+1, got, step.want, step.why)
		}
	}
}
