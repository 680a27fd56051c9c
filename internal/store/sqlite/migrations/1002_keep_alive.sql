-- +goose Up
-- How often the device promised to be heard, in seconds; 0 where it did not.
ALTER TABLE statuses ADD COLUMN keep_alive INTEGER NOT NULL DEFAULT 0;

-- +goose Down
ALTER TABLE statuses DROP COLUMN keep_alive;
