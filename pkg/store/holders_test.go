package store

import (
	"context"
	"slices"
	"testing"
)

func TestHoldersAreFollowed(t *testing.T) {
	t.Parallel()
	s, err := tryOpen(t, Options{Dir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	ann := hold(t, s, "replica/ann", Holder{Who: "ann", Says: []byte("here")})
	hold(t, s, "fabric/x", Holder{Who: "ann"}) // nobody asks for it
	ctx, cancel := context.WithCancel(t.Context())
	seen, ended := make(chan []string, 9), make(chan error, 1)
	go func() {
		ended <- s.FollowHolders(ctx, "replica/", func(all []Holding) {
			var names []string
			for _, h := range all {
				names = append(names, h.Name+" "+string(h.Says))
			}
			seen <- names
		})
	}()
	expect := func(want ...string) {
		t.Helper()
		if got := <-seen; !slices.Equal(got, want) {
			t.Errorf("holders are %q, want %q", got, want)
		}
	}
	expect("replica/ann here")
	hold(t, s, "replica/bob", Holder{Who: "bob", Says: []byte("there")})
	expect("replica/ann here", "replica/bob there")
	if !ann.Fresh() {
		t.Error("a lock that was just taken is not fresh")
	}
	if err := ann.Release(t.Context()); err != nil {
		t.Fatal(err)
	}
	expect("replica/bob there")
	if ann.Fresh() {
		t.Error("a lock that was given back is fresh")
	}
	cancel()
	if err := <-ended; err != context.Canceled {
		t.Errorf("it ends with %v", err)
	}
}
