-- +goose Up
-- Sub-devices whose sessions outlive their logins, and what waits for them.
-- Times are Unix milliseconds.
CREATE TABLE sub_sessions (
	product TEXT NOT NULL,
	device  TEXT NOT NULL,
	PRIMARY KEY (product, device),
	FOREIGN KEY (product, device) REFERENCES devices (product, name) ON DELETE CASCADE
) STRICT, WITHOUT ROWID;

CREATE TABLE sub_queue (
	seq     INTEGER PRIMARY KEY AUTOINCREMENT,
	product TEXT NOT NULL,
	device  TEXT NOT NULL,
	topic   TEXT NOT NULL,
	payload BLOB NOT NULL,
	at      INTEGER NOT NULL,
	FOREIGN KEY (product, device) REFERENCES sub_sessions (product, device) ON DELETE CASCADE
) STRICT;
CREATE INDEX sub_queue_device ON sub_queue (product, device, seq);

-- +goose Down
DROP TABLE sub_queue;
DROP TABLE sub_sessions;
