package store

import (
	"context"
	"os"
	"path/filepath"
	"testing"
)

func tContext() context.Context { return context.Background() }

func TestMain(m *testing.M) {
	code := m.Run()
	if dir, err := crashed(); err == nil {
		_ = os.RemoveAll(filepath.Dir(dir))
	}
	os.Exit(code)
}
