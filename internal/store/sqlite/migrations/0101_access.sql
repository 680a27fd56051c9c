-- +goose Up
CREATE TABLE operators (
    name          TEXT    PRIMARY KEY,
    role          TEXT    NOT NULL,
    password_hash BLOB    NOT NULL,
    chosen        INTEGER NOT NULL,
    created_at    INTEGER NOT NULL, -- Unix milliseconds, as all times here
    updated_at    INTEGER NOT NULL
) STRICT;

CREATE TABLE access_tokens (
    id         TEXT    PRIMARY KEY,
    name       TEXT    NOT NULL,
    role       TEXT    NOT NULL,
    owner      TEXT    NOT NULL, -- an operator, or '' for the house itself
    hash       BLOB    NOT NULL UNIQUE,
    created_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL, -- 0: never
    last_used  INTEGER NOT NULL  -- 0: never
) STRICT;

CREATE INDEX access_tokens_owner ON access_tokens (owner);

-- +goose Down
DROP TABLE access_tokens;
DROP TABLE operators;
