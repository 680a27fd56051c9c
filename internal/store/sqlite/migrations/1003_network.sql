-- +goose Up
-- The last network status of each device. Times are Unix milliseconds.
CREATE TABLE network_reports (
	product TEXT NOT NULL,
	device  TEXT NOT NULL,
	report  TEXT NOT NULL, -- JSON, as the device wrote it
	at      INTEGER NOT NULL,
	PRIMARY KEY (product, device),
	FOREIGN KEY (product, device) REFERENCES devices (product, name) ON DELETE CASCADE
) STRICT, WITHOUT ROWID;

-- +goose Down
DROP TABLE network_reports;
