-- +goose Up
-- Times are Unix milliseconds.
CREATE TABLE shadows (
	product    TEXT NOT NULL,
	device     TEXT NOT NULL,
	version    INTEGER NOT NULL,
	reported   TEXT NOT NULL, -- JSON: a list of name, value and time
	desired    TEXT NOT NULL, -- likewise
	updated_at INTEGER NOT NULL,
	PRIMARY KEY (product, device),
	FOREIGN KEY (product, device) REFERENCES devices (product, name) ON DELETE CASCADE
) STRICT, WITHOUT ROWID;

CREATE TABLE desired_values (
	product  TEXT NOT NULL,
	device   TEXT NOT NULL,
	property TEXT NOT NULL,
	value    TEXT NOT NULL, -- JSON
	version  INTEGER NOT NULL,
	set_at   INTEGER NOT NULL,
	PRIMARY KEY (product, device, property),
	FOREIGN KEY (product, device) REFERENCES devices (product, name) ON DELETE CASCADE
) STRICT, WITHOUT ROWID;

-- +goose Down
DROP TABLE desired_values;
DROP TABLE shadows;
