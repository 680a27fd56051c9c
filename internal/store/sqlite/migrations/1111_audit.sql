-- +goose Up
-- Who changed what through the API, and who was refused. Times are Unix
-- milliseconds.
CREATE TABLE audit (
	id      INTEGER PRIMARY KEY AUTOINCREMENT,
	at      INTEGER NOT NULL,
	who     TEXT NOT NULL,
	role    TEXT NOT NULL,
	person  INTEGER NOT NULL,
	source  TEXT NOT NULL, -- the address
	method  TEXT NOT NULL,
	route   TEXT NOT NULL,
	object  TEXT NOT NULL,
	subject TEXT NOT NULL,
	done    INTEGER NOT NULL,
	code    TEXT NOT NULL,
	detail  TEXT NOT NULL
) STRICT;
CREATE INDEX audit_done ON audit (done, id);
CREATE INDEX audit_who ON audit (who, id);

-- +goose Down
DROP TABLE audit;
