package app

import (
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// TestASecondServerLeavesTheFirstAlone: it says why it does not start, and what
// the first has written for the command line stays.
func TestASecondServerLeavesTheFirstAlone(t *testing.T) {
	c := Default()
	c.Data = t.TempDir()
	first, err := os.Create(filepath.Join(c.Data, "matou.lock"))
	if err != nil {
		t.Fatal(err)
	}
	defer first.Close()
	if err := syscall.Flock(int(first.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		t.Fatal(err)
	}
	write(t, c.path(runFile), "{}")
	err = Run(t.Context(), c, Reload{}, "test", io.Discard, slog.New(slog.DiscardHandler))
	if err == nil || !strings.Contains(err.Error(), "in use by another Matou") {
		t.Errorf("the second server: %v", err)
	}
	if _, err := os.Stat(c.path(runFile)); err != nil {
		t.Errorf("of the first server: %v", err)
	}
}
