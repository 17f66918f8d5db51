package main

import "testing"

func TestMemoryIsGivenBackOnceWhenMuchWorkIsDone(t *testing.T) {
	t.Parallel()
	const mb = 1 << 20
	var r rest
	for i, step := range []struct {
		total uint64
		want  bool
		why   string
	}{
		{100 * mb, false, "it works"},
		{101 * mb, true, "it has come to rest"},
		{102 * mb, false, "it still rests"},
		{103 * mb, false, "it still rests"},
		{120 * mb, false, "it works a little"},
		{121 * mb, false, "there is not much to give back"},
		{170 * mb, false, "it works"},
		{200 * mb, false, "it still works"},
		{201 * mb, true, "it has come to rest again"},
	} {
		if got := r.comes(step.total); got != step.want {
			t.Errorf("step %d, %d MB: %t; %s", i+1, step.total/mb, got, step.why)
		}
	}
}
