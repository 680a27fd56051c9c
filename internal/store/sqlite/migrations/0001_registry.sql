-- +goose Up
-- Times are Unix milliseconds, 0 is none. Secrets are sealed with the key file.
CREATE TABLE key_check (
	id     INTEGER PRIMARY KEY CHECK (id = 1),
	sealed BLOB NOT NULL -- a known text: opens only with the key that the database was made with
) STRICT;

CREATE TABLE products (
	key             TEXT NOT NULL PRIMARY KEY,
	name            TEXT NOT NULL,
	descr           TEXT NOT NULL,
	dialect         TEXT NOT NULL,
	strictness      TEXT NOT NULL,
	secret          BLOB,
	previous_secret BLOB,
	model           TEXT NOT NULL, -- JSON
	model_version   INTEGER NOT NULL,
	created_at      INTEGER NOT NULL,
	updated_at      INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE devices (
	product         TEXT NOT NULL REFERENCES products (key),
	name            TEXT NOT NULL,
	secret          BLOB,
	previous_secret BLOB,
	nickname        TEXT NOT NULL,
	enabled         INTEGER NOT NULL,
	tags            TEXT NOT NULL, -- JSON object of strings
	created_at      INTEGER NOT NULL,
	updated_at      INTEGER NOT NULL,
	PRIMARY KEY (product, name)
) STRICT, WITHOUT ROWID;

CREATE TABLE statuses (
	product        TEXT NOT NULL,
	device         TEXT NOT NULL,
	state          TEXT NOT NULL,
	since          INTEGER NOT NULL,
	activated_at   INTEGER NOT NULL,
	last_addr      TEXT NOT NULL,
	client_id      TEXT NOT NULL,
	protocol       TEXT NOT NULL,
	last_online    INTEGER NOT NULL,
	last_offline   INTEGER NOT NULL,
	offline_reason TEXT NOT NULL,
	refusals       INTEGER NOT NULL,
	last_refusal   TEXT, -- JSON
	PRIMARY KEY (product, device),
	FOREIGN KEY (product, device) REFERENCES devices (product, name) ON DELETE CASCADE
) STRICT, WITHOUT ROWID;

CREATE INDEX statuses_online ON statuses (product, device) WHERE state = 'ONLINE';

-- +goose Down
DROP TABLE statuses;
DROP TABLE devices;
DROP TABLE products;
DROP TABLE key_check;
