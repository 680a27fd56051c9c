package main

import (
	"os"
	"strings"
	"testing"
)

// TestCanBeInstalledByVersion: `go install …@version` refuses a command whose
// go.mod replaces or excludes something, since both count in a checkout only.
func TestCanBeInstalledByVersion(t *testing.T) {
	mod, err := os.ReadFile("../../go.mod")
	if err != nil {
		t.Fatal(err)
	}
	if !strings.HasPrefix(string(mod), "module github.com/matou-iot/matou\n") {
		t.Fatal("this is another go.mod")
	}
	for line := range strings.Lines(string(mod)) {
		if word, _, _ := strings.Cut(strings.TrimSpace(line), " "); word == "replace" || word == "exclude" {
			t.Errorf("go.mod: %s", line)
		}
	}
}
