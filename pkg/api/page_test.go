package api

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"testing"

	"github.com/loomfabric/loom/models/api"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/fieldmaskpb"
	"pgregory.net/rapid"
)

// Pages that are read one after another are the whole list, whatever comes and goes in between: what is there all the time is in them
// once, nothing is in them twice, and nothing that was never there.
func TestPagesAreTheWholeList(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		entry := rapid.IntRange(0, 40)
		there := map[int]bool{}
		for _, e := range rapid.SliceOf(entry).Draw(t, "at first") {
			there[e] = true
		}
		always, ever := maps.Clone(there), maps.Clone(there)
		size := rapid.Int32Range(1, 7).Draw(t, "page size")
		var got []int
		for token, pages := "", 0; ; pages++ {
			page, next, err := paged(slices.Sorted(maps.Keys(there)), func(e int) string { return fmt.Sprintf("%03d", e) }, size, token)
			if err != nil {
				t.Fatal(err)
			}
			if len(page) > int(size) || next != "" && len(page) < int(size) {
				t.Fatalf("a page of %d in pages of %d", len(page), size)
			}
			got = append(got, page...)
			if token = next; token == "" {
				break
			}
			for _, e := range rapid.SliceOfN(entry, 0, 3).Draw(t, "comes") {
				there[e], ever[e] = true, true
			}
			for _, e := range rapid.SliceOfN(entry, 0, 3).Draw(t, "goes") {
				delete(there, e)
				delete(always, e)
			}
		}
		if !slices.IsSortedFunc(got, cmp.Compare) || len(slices.Compact(slices.Clone(got))) != len(got) {
			t.Fatalf("not in order, or twice: %v", got)
		}
		for e := range always {
			if !slices.Contains(got, e) {
				t.Fatalf("%d was there all the time, and is in no page: %v", e, got)
			}
		}
		for _, e := range got {
			if !ever[e] {
				t.Fatalf("%d never was there", e)
			}
		}
	})
}

func TestWhatIsNoPageIsRefused(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name  string
		size  int32
		token string
	}{{"a size below 0", -1, ""}, {"a token that nobody gave", 1, "%%"}} {
		if _, _, err := paged([]int{1}, func(int) string { return "1" }, c.size, c.token); status.Code(err) != codes.InvalidArgument {
			t.Errorf("%s: %v", c.name, err)
		}
	}
	page, next, err := paged(make([]int, 2*mostPage), func(int) string { return "" }, 2*mostPage, "")
	if len(page) != mostPage || err != nil {
		t.Errorf("a page of %d, %q, %v; want no more than %d", len(page), next, err, mostPage)
	}
}

func TestAMaskLeavesTheFieldsThatItNames(t *testing.T) {
	t.Parallel()
	whole := &api.Revision{Topology: "lab", Number: 3, By: "ann"}
	for _, c := range []struct {
		name string
		mask []string
		want *api.Revision
		code codes.Code
	}{
		{"none leaves all", nil, whole, codes.OK},
		{"one field", []string{"number"}, &api.Revision{Number: 3}, codes.OK},
		{"two fields", []string{"number", "by"}, &api.Revision{Number: 3, By: "ann"}, codes.OK},
		{"a field that there is not", []string{"numbers"}, nil, codes.InvalidArgument},
		{"a field of a field is none", []string{"at.seconds"}, nil, codes.InvalidArgument},
	} {
		got := proto.CloneOf(whole)
		err := masked(got, &fieldmaskpb.FieldMask{Paths: c.mask})
		if status.Code(err) != c.code || err == nil && !proto.Equal(got, c.want) {
			t.Errorf("%s: %v, %v", c.name, got, err)
		}
	}
}
