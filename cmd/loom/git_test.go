package main

import (
	"strings"
	"testing"
)

func TestAPlanAgainstARevisionSaysThatGitIsMissing(t *testing.T) {
	t.Setenv("PATH", t.TempDir())
	_, err := gitSources(t.Context(), "HEAD", []string{"fabric.yaml"})
	if err == nil || !strings.Contains(err.Error(), "git is not installed") {
		t.Errorf("got %v", err)
	}
}
