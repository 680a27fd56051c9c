package sqlite_test

import (
	"bytes"
	"encoding/hex"
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/matou-iot/matou/internal/access"
	"github.com/matou-iot/matou/internal/audit"
	"github.com/matou-iot/matou/internal/ota"
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

func TestEnroll(t *testing.T) {
	storetest.Enroll(t, func(t *testing.T) storetest.House { return open(t, filepath.Join(t.TempDir(), "registry.db")) })
}

func TestImages(t *testing.T) {
	storetest.Images(t, func(t *testing.T) storetest.ImageStore { return open(t, filepath.Join(t.TempDir(), "registry.db")) })
}

func TestAccess(t *testing.T) {
	storetest.Access(t, func(t *testing.T) access.Store { return open(t, filepath.Join(t.TempDir(), "registry.db")) })
}

func TestShadow(t *testing.T) {
	storetest.Shadow(t, func(t *testing.T) storetest.ShadowStore { return open(t, filepath.Join(t.TempDir(), "registry.db")) })
}

func TestRemoteConfig(t *testing.T) {
	storetest.RemoteConfig(t, func(t *testing.T) storetest.RemoteConfigStore {
		return open(t, filepath.Join(t.TempDir(), "registry.db"))
	})
}

func TestFiles(t *testing.T) {
	storetest.Files(t, func(t *testing.T) storetest.FileStore { return open(t, filepath.Join(t.TempDir(), "registry.db")) })
}

func TestSubQueue(t *testing.T) {
	storetest.SubQueue(t, func(t *testing.T) storetest.SubQueueStore { return open(t, filepath.Join(t.TempDir(), "registry.db")) })
}

func TestAudit(t *testing.T) {
	storetest.Audit(t, func(t *testing.T) audit.Store { return open(t, filepath.Join(t.TempDir(), "registry.db")) })
}

func TestNetworks(t *testing.T) {
	storetest.Networks(t, func(t *testing.T) storetest.NetworkStore { return open(t, filepath.Join(t.TempDir(), "registry.db")) })
}

func TestProducts(t *testing.T) {
	storetest.Products(t, func(t *testing.T) storetest.ProductStore {
		return open(t, filepath.Join(t.TempDir(), "registry.db"))
	})
}

// kept are what fill puts into a database: one of everything.
type kept struct {
	product  registry.Product
	device   registry.Device
	presence registry.Presence
	operator access.Operator
	token    access.Token
}

func fill(t *testing.T, db *sqlite.DB) kept {
	t.Helper()
	ctx, at := t.Context(), time.Date(2025, 3, 1, 12, 0, 0, 123e6, time.UTC)
	model := &thing.Model{Properties: []thing.Property{{ID: "Temp", Type: thing.DataType{Kind: thing.Float}}}}
	k := kept{
		product: registry.Product{
			Key: "p", Dialect: "aliyun", Secret: "product-secret-in-clear", PreviousSecret: "former-secret-in-clear",
			Model: model.Index(), ModelVersion: 2, CreatedAt: at, UpdatedAt: at,
		},
		device: registry.Device{
			Product: "p", Name: "d", Secret: "device-secret-in-clear", PreviousSecret: "previous-secret-in-clear",
			Enabled: true, Tags: map[string]string{"room": "1"}, CreatedAt: at, UpdatedAt: at,
		},
		presence: registry.Presence{Status: registry.Status{State: registry.Online, Since: at, Refusals: 1, LastRefusal: &registry.Refusal{At: at, Code: "x"}}},
		operator: access.Operator{Name: "al", Role: access.Viewer, PasswordHash: []byte("h"), CreatedAt: at, UpdatedAt: at},
		token:    access.Token{ID: "t", Role: access.Viewer, Owner: "al", Hash: bytes.Repeat([]byte{1}, 32), CreatedAt: at},
	}
	for what, err := range map[string]error{
		"product":  db.InsertProduct(ctx, &k.product),
		"operator": db.CreateOperator(ctx, k.operator),
		"token":    db.CreateAccessToken(ctx, k.token),
	} {
		if err != nil {
			t.Fatal(what, err)
		}
	}
	if err := db.InsertDevices(ctx, []registry.Device{k.device}); err != nil {
		t.Fatal(err)
	}
	if err := db.SavePresence(ctx, map[registry.ID]registry.Presence{k.device.ID(): k.presence}); err != nil {
		t.Fatal(err)
	}
	return k
}

func TestReopeningKeepsEverything(t *testing.T) {
	path := filepath.Join(t.TempDir(), "registry.db")
	db := open(t, path)
	want := fill(t, db)
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	db = open(t, path)
	product, err1 := db.Product(t.Context(), "p")
	device, err2 := db.Device(t.Context(), want.device.ID())
	presence, err3 := db.Presence(t.Context(), want.device.ID())
	operator, err4 := db.Operator(t.Context(), "al")
	token, err5 := db.AccessTokenByHash(t.Context(), want.token.Hash)
	if err := errors.Join(err1, err2, err3, err4, err5); err != nil {
		t.Fatal(err)
	}
	if got := (kept{*product, *device, *presence, operator, token}); !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v, not %+v", got, want)
	}
}

func TestSecretsAreNotInTheFiles(t *testing.T) {
	path := filepath.Join(t.TempDir(), "registry.db")
	db := open(t, path)
	fill(t, db)
	look := func(least int) {
		t.Helper()
		files, err := filepath.Glob(path + "*")
		if err != nil || len(files) < least {
			t.Fatalf("%q %v", files, err)
		}
		for _, f := range files {
			raw, err := os.ReadFile(f)
			if err != nil {
				t.Fatal(err)
			}
			if bytes.Contains(raw, []byte("secret-in-clear")) {
				t.Errorf("%s holds a secret in the clear", f)
			}
			if info, err := os.Stat(f); err != nil || info.Mode().Perm()&0o077 != 0 {
				t.Errorf("%s can be read by others: %v %v", f, info.Mode(), err)
			}
		}
	}
	look(2) // the log beside the database, too
	db.Close()
	look(1)
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
	for _, key := range [][]byte{key, bytes.Repeat([]byte{8}, 32)} {
		_, err := sqlite.Open(path, key)
		if err == nil || !strings.Contains(err.Error(), "newer Matou") || strings.Contains(err.Error(), "\n") {
			t.Errorf("of a newer version: %v", err)
		}
	}
	if _, err := sqlite.Open(filepath.Join(dir, "new.db"), []byte("short")); err == nil || !strings.Contains(err.Error(), "not 32") {
		t.Errorf("with a short key: %v", err)
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
	if text, err := os.ReadFile(path); err != nil || strings.TrimSpace(string(text)) != hex.EncodeToString(first) {
		t.Errorf("the file holds %q, %v", text, err)
	}
	if other, err := sqlite.LoadOrCreateKey(path + "2"); err != nil || bytes.Equal(first, other) {
		t.Errorf("two keys are the same: %v", err)
	}
	for _, mode := range []os.FileMode{0o640, 0o604} {
		if err := os.Chmod(path, mode); err != nil {
			t.Fatal(err)
		}
		if _, err := sqlite.LoadOrCreateKey(path); err == nil || !strings.Contains(err.Error(), "chmod 600 "+path) {
			t.Errorf("mode %04o: %v", mode, err)
		}
	}
	os.Chmod(path, 0o600)
	os.WriteFile(path, []byte("short"), 0o600)
	if _, err := sqlite.LoadOrCreateKey(path); err == nil || !strings.Contains(err.Error(), "backup") {
		t.Errorf("spoilt: %v", err)
	}
}

func TestTablesAddedLaterUnderALowerNumberAreMade(t *testing.T) {
	path := filepath.Join(t.TempDir(), "registry.db")
	db := open(t, path)
	for _, statement := range []string{
		"DROP TABLE network_reports", "DELETE FROM goose_db_version WHERE version_id = 1003",
	} {
		if _, err := db.SQL().Exec(statement); err != nil {
			t.Fatal(statement, err)
		}
	}
	db.Close()
	db = open(t, path)
	if _, err := db.Network(t.Context(), registry.ID{Product: "p", Device: "d"}); !errors.Is(err, registry.ErrNotFound) {
		t.Error(err)
	}
}

func TestOTA(t *testing.T) {
	storetest.OTA(t, func(t *testing.T) (registry.Store, ota.Store) {
		db := open(t, filepath.Join(t.TempDir(), "registry.db"))
		return db, db.OTA()
	})
}
