package replica

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"pgregory.net/rapid"
)

func members(names ...string) []Member {
	out := make([]Member, len(names))
	for i, n := range names {
		out[i].Name = n
	}
	return out
}

func names() *rapid.Generator[[]string] {
	return rapid.SliceOfNDistinct(rapid.StringMatching(`[a-z]{1,6}[0-9]{0,2}`), 1, 7, rapid.ID)
}

func TestWhoDoesWhatDoesNotDependOnTheOrderOfMembers(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		all := members(names().Draw(t, "members")...)
		work := rapid.String().Draw(t, "work")
		want := Owner(work, all)
		rand.New(rand.NewPCG(1, rapid.Uint64().Draw(t, "seed"))).Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
		if got := Owner(work, all); got != want {
			t.Fatalf("%s, in another order %s", want, got)
		}
	})
}

func TestWhoComesOrGoesMovesItsOwnShareOnly(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		all := members(names().Draw(t, "members")...)
		gone := rapid.IntRange(0, len(all)-1).Draw(t, "gone")
		rest := append(append([]Member{}, all[:gone]...), all[gone+1:]...)
		for i := range 200 {
			work := fmt.Sprintf("demo/leaf%d", i)
			with, without := Owner(work, all), Owner(work, rest)
			switch {
			case with == all[gone].Name && len(rest) > 0 && without == "":
				t.Fatalf("%s has nobody", work)
			case with != all[gone].Name && with != without:
				t.Fatalf("%s moves from %s to %s, though %s went", work, with, without, all[gone].Name)
			}
		}
	})
}

// Shares are those of balls thrown at random: within five standard deviations.
func TestSharesAreEven(t *testing.T) {
	t.Parallel()
	for _, n := range []int{2, 3, 5, 9} {
		var all []Member
		for i := range n {
			all = append(all, Member{Name: fmt.Sprintf("loom-%d", i+1)})
		}
		const pieces = 30000
		shares := map[string]int{}
		for i := range pieces {
			shares[Owner(fmt.Sprintf("dc1/leaf%d", i), all)]++
		}
		even := float64(pieces) / float64(n)
		most := 5 * math.Sqrt(even*(1-1/float64(n)))
		for _, m := range all {
			if math.Abs(float64(shares[m.Name])-even) > most {
				t.Errorf("of %d members %s has %d of %d pieces, want %.0f and at most %.0f more or less", n, m.Name, shares[m.Name], pieces, even, most)
			}
		}
	}
}

// Programs of different releases run side by side while they are replaced one by one.
func TestWhoDoesWhatStaysTheSameForAllReleases(t *testing.T) {
	t.Parallel()
	for work, want := range map[string]string{"demo": "b", "demo/leaf1": "a", "demo/leaf2": "b", "demo/spine1": "c", "": "a"} {
		if got := Owner(work, members("a", "b", "c")); got != want {
			t.Errorf("%q falls to %s, want %s", work, got, want)
		}
	}
	if got := Owner("demo", nil); got != "" {
		t.Errorf("with nobody there it falls to %q", got)
	}
}
