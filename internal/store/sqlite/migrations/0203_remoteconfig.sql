-- +goose Up
-- Times are Unix milliseconds, 0 is none.
CREATE TABLE configs (
	id         TEXT NOT NULL PRIMARY KEY,
	product    TEXT NOT NULL REFERENCES products (key) ON DELETE CASCADE,
	number     INTEGER NOT NULL,
	sha256     TEXT NOT NULL,
	content    BLOB NOT NULL,
	created_at INTEGER NOT NULL,
	UNIQUE (product, number)
) STRICT;

CREATE TABLE config_off (
	product TEXT NOT NULL PRIMARY KEY REFERENCES products (key) ON DELETE CASCADE
) STRICT, WITHOUT ROWID;

CREATE TABLE config_deliveries (
	product     TEXT NOT NULL,
	device      TEXT NOT NULL,
	config      TEXT NOT NULL,
	state       TEXT NOT NULL,
	code        INTEGER NOT NULL,
	message     TEXT NOT NULL,
	pushed_at   INTEGER NOT NULL,
	answered_at INTEGER NOT NULL,
	PRIMARY KEY (product, device),
	FOREIGN KEY (product, device) REFERENCES devices (product, name) ON DELETE CASCADE
) STRICT, WITHOUT ROWID;

-- +goose Down
DROP TABLE config_deliveries;
DROP TABLE config_off;
DROP TABLE configs;
