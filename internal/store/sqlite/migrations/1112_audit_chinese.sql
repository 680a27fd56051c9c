-- +goose Up
-- Why it was refused, in Chinese; empty of entries from before.
ALTER TABLE audit ADD COLUMN detail_zh TEXT NOT NULL DEFAULT '';

-- +goose Down
ALTER TABLE audit DROP COLUMN detail_zh;
