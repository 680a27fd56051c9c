-- +goose Up
-- Who is signed in. Times are Unix milliseconds.
CREATE TABLE access_sessions (
	hash       BLOB    PRIMARY KEY, -- SHA-256 of the token
	operator   TEXT    NOT NULL,
	expires_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX access_sessions_operator ON access_sessions (operator);
CREATE INDEX access_sessions_expires ON access_sessions (expires_at);

ALTER TABLE operators ADD COLUMN disabled INTEGER NOT NULL DEFAULT 0;

-- +goose Down
ALTER TABLE operators DROP COLUMN disabled;
DROP TABLE access_sessions;
