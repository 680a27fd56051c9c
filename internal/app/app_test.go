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

// TestAFullDiskIsNotTakenForDamage: who is told to restore a backup because
// there is no room would lose what is whole.
func TestAFullDiskIsNotTakenForDamage(t *testing.T) {
	c := Default()
	c.Data = t.TempDir()
	c.Devices.Listen, c.API.Listen = []string{"127.0.0.1:0"}, "127.0.0.1:0"
	if err := syscall.Mount("tmpfs", c.Data, "tmpfs", 0, "size=2m"); err != nil {
		t.Skipf("SKIPPED: a small disk cannot be mounted (%v); run as root to tell this story", err)
	}
	defer func() {
		if err := syscall.Unmount(c.Data, syscall.MNT_DETACH); err != nil {
			t.Error(err)
		}
	}()
	if err := os.WriteFile(c.path("ballast"), make([]byte, 4<<20), 0o600); err == nil {
		t.Fatal("the disk took more than it has")
	}
	err := Run(t.Context(), c, Reload{}, "test", io.Discard, slog.New(slog.DiscardHandler))
	if err == nil || !strings.Contains(err.Error(), "is full: make room") {
		t.Errorf("on a full disk: %v", err)
	}
	if err := os.Truncate(c.path("ballast"), 2<<20-40<<10); err != nil { // room for the key, not for the tables
		t.Fatal(err)
	}
	err = Run(t.Context(), c, Reload{}, "test", io.Discard, slog.New(slog.DiscardHandler))
	if _, left := os.Stat(c.path("registry.db")); err == nil || left == nil {
		t.Errorf("a database without content was left for the next start: %v, %v", err, left)
	}
}
