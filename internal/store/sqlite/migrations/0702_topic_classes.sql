-- +goose Up
CREATE TABLE topic_classes (
	product    TEXT NOT NULL REFERENCES products (key) ON DELETE CASCADE,
	path       TEXT NOT NULL, -- behind product and device
	permission TEXT NOT NULL, -- publish, subscribe or both
	descr      TEXT NOT NULL,
	created_at INTEGER NOT NULL, -- milliseconds
	PRIMARY KEY (product, path)
) STRICT, WITHOUT ROWID;

-- +goose Down
DROP TABLE topic_classes;
