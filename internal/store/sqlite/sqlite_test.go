package sqlite_test

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/matou-iot/matou/internal/access"
	"github.com/matou-iot/matou/internal/registry"
	"github.com/matou-iot/matou/internal/store/sqlite"
	"github.com/matou-iot/matou/internal/store/storetest"
	"github.com/matou-iot/matou/thing"
)

var key = bytes.Repeat([]byte{7}, 32)

func open(t *testing.T, path string) *sqlite.DB {
	t.Helper()
	db, err := sqlite.Open(path, key)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	return db
}

func TestRegistry(t *testing.T) {
	storetest.Registry(t, func(t *testing.T) registry.Store { return open(t, filepath.Join(t.TempDir(), "registry.db")) })
}

func TestAccess(t *testing.T) {
	storetest.Access(t, func(t *testing.T) access.Store { return open(t, filepath.Join(t.TempDir(), "registry.db")) })
}

func fill(t *testing.T, db *sqlite.DB) {
	t.Helper()
	ctx := t.Context()
	p := registry.Product{Key: "p", Dialect: "aliyun", Secret: "product-secret-in-clear", Model: new(thing.Model).Index()}
	if err := db.InsertProduct(ctx, &p); err != nil {
		t.Fatal(err)
	}
	d := registry.Device{Product: "p", Name: "d", Secret: "device-secret-in-clear", PreviousSecret: "previous-secret-in-clear", Enabled: true}
	if err := db.InsertDevices(ctx, []registry.Device{d}); err != nil {
		t.Fatal(err)
	}
}

func TestSecretsAreSealedAndSurviveReopening(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "registry.db")
	db := open(t, path)
	fill(t, db)
	db.Close()
	files, _ := filepath.Glob(path + "*")
	for _, f := range files {
		raw, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		if bytes.Contains(raw, []byte("secret-in-clear")) {
			t.Errorf("%s holds a secret in the clear", f)
		}
	}
	if info, err := os.Stat(path); err != nil || info.Mode().Perm()&0o077 != 0 {
		t.Errorf("the database can be read by others: %v %v", info.Mode(), err)
	}
	d, err := open(t, path).Device(t.Context(), registry.ID{Product: "p", Device: "d"})
	if err != nil || d.Secret != "device-secret-in-clear" || d.PreviousSecret != "previous-secret-in-clear" {
		t.Errorf("%+v %v", d, err)
	}
}

func TestASealedSecretOpensOnlyWhereItStands(t *testing.T) {
	db := open(t, filepath.Join(t.TempDir(), "registry.db"))
	fill(t, db)
	other := registry.Device{Product: "p", Name: "other", Secret: "x", Enabled: true}
	if err := db.InsertDevices(t.Context(), []registry.Device{other}); err != nil {
		t.Fatal(err)
	}
	if _, err := db.SQL().Exec("UPDATE devices SET secret = (SELECT secret FROM devices WHERE name = 'd') WHERE name = 'other'"); err != nil {
		t.Fatal(err)
	}
	if d, err := db.Device(t.Context(), other.ID()); err == nil {
		t.Errorf("a secret moved to another device opens as %q", d.Secret)
	}
}

func TestOpenRefusesClearly(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "registry.db")
	db := open(t, path)
	fill(t, db)

	if _, err := sqlite.Open(path, bytes.Repeat([]byte{8}, 32)); err == nil || !strings.Contains(err.Error(), "another key file") {
		t.Errorf("with another key: %v", err)
	}
	if _, err := db.SQL().Exec("INSERT INTO goose_db_version (version_id, is_applied) VALUES (99, 1)"); err != nil {
		t.Fatal(err)
	}
	db.Close()
	if _, err := sqlite.Open(path, key); err == nil || !strings.Contains(err.Error(), "newer Matou") {
		t.Errorf("of a newer version: %v", err)
	}
	garbage := filepath.Join(dir, "garbage.db")
	os.WriteFile(garbage, bytes.Repeat([]byte("no database"), 1000), 0o600)
	if _, err := sqlite.Open(garbage, key); err == nil || !strings.Contains(err.Error(), garbage) {
		t.Errorf("garbage: %v", err)
	}
}

func TestKeyFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "secret.key")
	first, err := sqlite.LoadOrCreateKey(path)
	if err != nil || len(first) != 32 {
		t.Fatalf("%d bytes, %v", len(first), err)
	}
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v %v", info.Mode(), err)
	}
	again, err := sqlite.LoadOrCreateKey(path)
	if err != nil || !bytes.Equal(first, again) {
		t.Errorf("a second time %x %v", again, err)
	}
	if err := os.Chmod(path, 0o640); err != nil {
		t.Fatal(err)
	}
	if _, err := sqlite.LoadOrCreateKey(path); err == nil || !strings.Contains(err.Error(), "chmod 600") {
		t.Errorf("readable by others: %v", err)
	}
	os.Chmod(path, 0o600)
	os.WriteFile(path, []byte("short"), 0o600)
	if _, err := sqlite.LoadOrCreateKey(path); err == nil || !strings.Contains(err.Error(), "backup") {
		t.Errorf("spoilt: %v", err)
	}
}
