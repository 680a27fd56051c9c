-- +goose Up
ALTER TABLE products ADD COLUMN data_model TEXT NOT NULL DEFAULT 'thing';

-- +goose Down
ALTER TABLE products DROP COLUMN data_model;
