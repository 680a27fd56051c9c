package sqlite_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/matou-iot/matou/internal/registry"
	"github.com/matou-iot/matou/internal/store/sqlite"
)

// TestCheckFindsATornPage damages a database that can still be opened.
func TestCheckFindsATornPage(t *testing.T) {
	path := filepath.Join(t.TempDir(), "registry.db")
	db := open(t, path)
	devices := make([]registry.Device, 5000)
	for i := range devices {
		devices[i] = registry.Device{Product: "p", Name: fmt.Sprint("d", i), Secret: "s"}
	}
	if err := db.InsertProduct(t.Context(), &registry.Product{Key: "p", Name: "p", Dialect: "mqtt"}); err != nil {
		t.Fatal(err)
	}
	if err := db.InsertDevices(t.Context(), devices); err != nil {
		t.Fatal(err)
	}
	if err := db.Check(t.Context()); err != nil {
		t.Fatalf("a whole database: %v", err)
	}
	db.Close()
	raw, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	copy(raw[len(raw)*3/4/4096*4096:], strings.Repeat("torn", 64))
	if err := os.WriteFile(path, raw, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := open(t, path).Check(t.Context()); err == nil {
		t.Error("a torn page was not found")
	}
}

func TestAnEmptiedDatabaseIsNoNewOne(t *testing.T) {
	path := filepath.Join(t.TempDir(), "registry.db")
	open(t, path).Close()
	if err := os.Truncate(path, 0); err != nil {
		t.Fatal(err)
	}
	if _, err := sqlite.Open(path, key); err == nil || !strings.Contains(err.Error(), "is empty") {
		t.Errorf("%v", err)
	}
}
