//go:build !race

package sros

import (
	"testing"

	"github.com/loomfabric/loom/models/sros/ygotsros"
)

func TestYgotReadsAndValidatesEveryDocument(t *testing.T) {
	t.Parallel()
	for kind, d := range kinds(t) {
		got := &ygotsros.Device{}
		if err := ygotsros.Unmarshal(document(t, render(t, d)), got); err != nil {
			t.Fatalf("%s: %v", kind, err)
		}
		if err := got.Validate(); err != nil {
			t.Errorf("%s: %v", kind, err)
		}
	}
}
