-- +goose Up
-- Times are Unix milliseconds. There is no reference to devices: the files of
-- one that is deleted are still known by their digests then.
CREATE TABLE device_files (
	product    TEXT NOT NULL,
	device     TEXT NOT NULL,
	name       TEXT NOT NULL,
	size       INTEGER NOT NULL,
	sha256     TEXT NOT NULL,
	crc64      TEXT NOT NULL,
	upload     TEXT NOT NULL,
	begun_at   INTEGER NOT NULL,
	arrived_at INTEGER NOT NULL,
	PRIMARY KEY (product, device, name)
) STRICT, WITHOUT ROWID;

CREATE INDEX device_files_sha256 ON device_files (sha256);
CREATE INDEX device_files_upload ON device_files (upload);

-- +goose Down
DROP TABLE device_files;
