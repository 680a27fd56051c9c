-- +goose Up
-- Upgrades. Times are Unix milliseconds, 0 is none.
CREATE TABLE ota_packages (
	id         TEXT NOT NULL PRIMARY KEY, -- sorts by time
	product    TEXT NOT NULL REFERENCES products (key) ON DELETE CASCADE,
	module     TEXT NOT NULL,
	version    TEXT NOT NULL,
	source     TEXT NOT NULL, -- of a difference: the version that it applies to
	name       TEXT NOT NULL,
	descr      TEXT NOT NULL,
	method     TEXT NOT NULL,
	extra      TEXT NOT NULL, -- JSON object, or nothing
	files      TEXT NOT NULL, -- JSON
	created_at INTEGER NOT NULL,
	UNIQUE (product, module, version, source)
) STRICT, WITHOUT ROWID;

CREATE TABLE ota_files ( -- which content is needed
	sha256  TEXT NOT NULL,
	package TEXT NOT NULL REFERENCES ota_packages (id) ON DELETE CASCADE,
	PRIMARY KEY (sha256, package)
) STRICT, WITHOUT ROWID;

CREATE INDEX ota_files_package ON ota_files (package);

CREATE TABLE ota_jobs (
	id         TEXT NOT NULL PRIMARY KEY, -- sorts by time
	product    TEXT NOT NULL REFERENCES products (key) ON DELETE CASCADE,
	package    TEXT NOT NULL,
	module     TEXT NOT NULL,
	version    TEXT NOT NULL,
	plan       TEXT NOT NULL, -- JSON
	state      TEXT NOT NULL,
	open       INTEGER NOT NULL,
	selected   INTEGER NOT NULL,
	created_at INTEGER NOT NULL,
	ended_at   INTEGER NOT NULL,
	filled     INTEGER NOT NULL,
	cursor     TEXT NOT NULL,
	seen       INTEGER NOT NULL,
	total      INTEGER NOT NULL,
	slot       INTEGER NOT NULL -- microseconds: ten thousand devices a minute are six milliseconds apart
) STRICT, WITHOUT ROWID;

CREATE INDEX ota_jobs_product ON ota_jobs (product, id);
CREATE INDEX ota_jobs_package ON ota_jobs (package);
CREATE INDEX ota_jobs_open ON ota_jobs (id) WHERE open = 1;

CREATE TABLE ota_job_devices ( -- that were named with the job
	job    TEXT NOT NULL REFERENCES ota_jobs (id) ON DELETE CASCADE,
	device TEXT NOT NULL,
	PRIMARY KEY (job, device)
) STRICT, WITHOUT ROWID;

CREATE TABLE ota_tasks (
	id          INTEGER PRIMARY KEY AUTOINCREMENT, -- devices know it: never given twice
	job         TEXT NOT NULL REFERENCES ota_jobs (id) ON DELETE CASCADE,
	package     TEXT NOT NULL,
	product     TEXT NOT NULL,
	device      TEXT NOT NULL,
	module      TEXT NOT NULL,
	source      TEXT NOT NULL,
	version     TEXT NOT NULL,
	protocol    TEXT NOT NULL,
	state       TEXT NOT NULL,
	open        INTEGER NOT NULL,
	percent     INTEGER NOT NULL,
	code        TEXT NOT NULL,
	descr       TEXT NOT NULL,
	descr_zh    TEXT NOT NULL,
	failures    INTEGER NOT NULL,
	created_at  INTEGER NOT NULL,
	updated_at  INTEGER NOT NULL,
	notified_at INTEGER NOT NULL,
	started_at  INTEGER NOT NULL,
	due         INTEGER NOT NULL,
	FOREIGN KEY (product, device) REFERENCES devices (product, name) ON DELETE CASCADE
) STRICT;

CREATE INDEX ota_tasks_job ON ota_tasks (job, state);
CREATE INDEX ota_tasks_device ON ota_tasks (product, device, job);
CREATE UNIQUE INDEX ota_tasks_open ON ota_tasks (product, device, module) WHERE open = 1;
CREATE INDEX ota_tasks_due ON ota_tasks (due) WHERE open = 1 AND due > 0;

CREATE TABLE ota_versions (
	product     TEXT NOT NULL,
	device      TEXT NOT NULL,
	module      TEXT NOT NULL,
	version     TEXT NOT NULL,
	reported_at INTEGER NOT NULL,
	PRIMARY KEY (product, device, module),
	FOREIGN KEY (product, device) REFERENCES devices (product, name) ON DELETE CASCADE
) STRICT, WITHOUT ROWID;

-- +goose Down
DROP TABLE ota_versions;
DROP TABLE ota_tasks;
DROP TABLE ota_job_devices;
DROP TABLE ota_jobs;
DROP TABLE ota_files;
DROP TABLE ota_packages;
