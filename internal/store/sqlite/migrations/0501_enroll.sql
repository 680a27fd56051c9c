-- +goose Up
ALTER TABLE products ADD COLUMN registration TEXT NOT NULL DEFAULT '{}'; -- JSON
ALTER TABLE devices ADD COLUMN batch TEXT NOT NULL DEFAULT '';
ALTER TABLE devices ADD COLUMN certificate TEXT NOT NULL DEFAULT ''; -- SHA-256 in hexadecimal digits
CREATE INDEX devices_batch ON devices (product, batch) WHERE batch <> '';
CREATE INDEX devices_certificate ON devices (certificate) WHERE certificate <> '';

CREATE TABLE batches (
	product    TEXT NOT NULL REFERENCES products (key) ON DELETE CASCADE,
	name       TEXT NOT NULL,
	note       TEXT NOT NULL,
	created_at INTEGER NOT NULL,
	PRIMARY KEY (product, name)
) STRICT, WITHOUT ROWID;

-- The names that may register, of products that ask for it.
CREATE TABLE enroll_names (
	product  TEXT NOT NULL REFERENCES products (key) ON DELETE CASCADE,
	name     TEXT NOT NULL,
	added_at INTEGER NOT NULL,
	PRIMARY KEY (product, name)
) STRICT, WITHOUT ROWID;

-- What was handed out by registration.
CREATE TABLE enrollments (
	product   TEXT NOT NULL,
	device    TEXT NOT NULL,
	road      TEXT NOT NULL, -- https, http, mqtt
	free      INTEGER NOT NULL, -- a token was given, not the secret
	addr      TEXT NOT NULL,
	first_at  INTEGER NOT NULL,
	last_at   INTEGER NOT NULL,
	secret_at INTEGER NOT NULL, -- when the present secret was given first
	times     INTEGER NOT NULL, -- without a connection in between
	PRIMARY KEY (product, device),
	FOREIGN KEY (product, device) REFERENCES devices (product, name) ON DELETE CASCADE
) STRICT, WITHOUT ROWID;

-- +goose Down
DROP TABLE enrollments;
DROP TABLE enroll_names;
DROP TABLE batches;
DROP INDEX devices_certificate;
DROP INDEX devices_batch;
ALTER TABLE devices DROP COLUMN certificate;
ALTER TABLE devices DROP COLUMN batch;
ALTER TABLE products DROP COLUMN registration;
