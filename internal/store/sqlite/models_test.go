package sqlite_test

import (
	"database/sql"
	"path/filepath"
	"testing"

	"github.com/matou-iot/matou/internal/registry"
	"github.com/matou-iot/matou/thing"
)

// TestPublishingIsOneTransaction: where the version cannot be kept, the product
// has its old model and the draft is still there.
func TestPublishingIsOneTransaction(t *testing.T) {
	path := filepath.Join(t.TempDir(), "registry.db")
	db, ctx := open(t, path), t.Context()
	if err := db.InsertProduct(ctx, &registry.Product{Key: "p", Dialect: "aliyun", Model: new(thing.Model)}); err != nil {
		t.Fatal(err)
	}
	if err := db.SaveModel(ctx, "p", registry.ModelVersion{Model: new(thing.Model)}); err != nil {
		t.Fatal(err)
	}
	beside, err := sql.Open("sqlite", path)
	if err != nil {
		t.Fatal(err)
	}
	defer beside.Close()
	if _, err := beside.ExecContext(ctx, "CREATE TRIGGER full BEFORE INSERT ON models BEGIN SELECT RAISE(ABORT, 'full'); END"); err != nil {
		t.Fatal(err)
	}
	if err := db.PublishModel(ctx, &registry.Product{Key: "p", Dialect: "aliyun", Model: new(thing.Model), ModelVersion: 1}, 1); err == nil {
		t.Fatal("published without keeping the version")
	}
	if p, err := db.Product(ctx, "p"); err != nil || p.ModelVersion != 0 {
		t.Errorf("%+v %v", p, err)
	}
	if all, err := db.Models(ctx, "p"); err != nil || len(all) != 1 || all[0].Version != 0 {
		t.Errorf("%+v %v", all, err)
	}
}
