-- +goose Up
CREATE TABLE images (
	product    TEXT NOT NULL,
	device     TEXT NOT NULL,
	version    INTEGER NOT NULL,
	desired    TEXT NOT NULL, -- JSON list of {"name","value","at"}
	reported   TEXT NOT NULL, -- likewise
	updated_at INTEGER NOT NULL,
	PRIMARY KEY (product, device),
	FOREIGN KEY (product, device) REFERENCES devices (product, name) ON DELETE CASCADE
) STRICT, WITHOUT ROWID;

-- +goose Down
DROP TABLE images;
