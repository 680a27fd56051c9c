-- +goose Up
CREATE TABLE scripts (
	product    TEXT PRIMARY KEY REFERENCES products (key) ON DELETE CASCADE,
	source     TEXT NOT NULL,
	functions  TEXT NOT NULL, -- names with blanks between
	version    INTEGER NOT NULL,
	updated_at INTEGER NOT NULL -- milliseconds
) STRICT, WITHOUT ROWID;

-- +goose Down
DROP TABLE scripts;
