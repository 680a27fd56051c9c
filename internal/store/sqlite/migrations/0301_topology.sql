-- +goose Up
ALTER TABLE products ADD COLUMN node_type TEXT NOT NULL DEFAULT 'device';

-- Which gateway a sub-device belongs to: one at the most.
CREATE TABLE topology (
	product         TEXT NOT NULL,
	device          TEXT NOT NULL,
	gateway_product TEXT NOT NULL,
	gateway_device  TEXT NOT NULL,
	at              INTEGER NOT NULL,
	PRIMARY KEY (product, device),
	FOREIGN KEY (product, device) REFERENCES devices (product, name) ON DELETE CASCADE,
	FOREIGN KEY (gateway_product, gateway_device) REFERENCES devices (product, name) ON DELETE CASCADE
) STRICT, WITHOUT ROWID;

CREATE INDEX topology_gateway ON topology (gateway_product, gateway_device, product, device);

-- What gateways have seen around them; it need not exist here.
CREATE TABLE found_subs (
	gateway_product TEXT NOT NULL,
	gateway_device  TEXT NOT NULL,
	product         TEXT NOT NULL,
	device          TEXT NOT NULL,
	at              INTEGER NOT NULL,
	PRIMARY KEY (gateway_product, gateway_device, product, device),
	FOREIGN KEY (gateway_product, gateway_device) REFERENCES devices (product, name) ON DELETE CASCADE
) STRICT, WITHOUT ROWID;

-- +goose Down
DROP TABLE found_subs;
DROP TABLE topology;
ALTER TABLE products DROP COLUMN node_type;
