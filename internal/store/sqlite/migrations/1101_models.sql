-- +goose Up
-- The thing models of products: those that were published, and as version 0
-- the one that is being worked on.
CREATE TABLE models (
	product TEXT NOT NULL REFERENCES products (key) ON DELETE CASCADE,
	version INTEGER NOT NULL,
	model   TEXT NOT NULL, -- JSON
	at      INTEGER NOT NULL, -- milliseconds
	PRIMARY KEY (product, version)
) STRICT, WITHOUT ROWID;

INSERT INTO models (product, version, model, at) SELECT key, model_version, model, updated_at FROM products WHERE model_version > 0;

-- +goose Down
DROP TABLE models;
