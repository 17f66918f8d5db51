//go:build !race

package audit_test

import "testing"

func TestTenThousandMutationsAreFound(t *testing.T) {
	t.Parallel()
	mutationsAreFound(t, 10_000)
}
