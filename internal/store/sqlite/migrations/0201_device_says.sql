-- +goose Up
ALTER TABLE devices ADD COLUMN system_tags TEXT NOT NULL DEFAULT '{}'; -- JSON object of strings: what SDKs say of themselves
ALTER TABLE devices ADD COLUMN remote_log INTEGER NOT NULL DEFAULT 0;  -- 1: it shall post its log

-- +goose Down
ALTER TABLE devices DROP COLUMN remote_log;
ALTER TABLE devices DROP COLUMN system_tags;
