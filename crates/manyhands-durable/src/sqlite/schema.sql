-- What the queue keeps beside the engine's own tables. Times are milliseconds
-- since 1970. Everything is made only where it is absent: the file may be the
-- user's own database, and several processes may open it at once.

-- The form of these tables. A program that does not know it leaves them alone.
CREATE TABLE IF NOT EXISTS manyhands_form (version INTEGER NOT NULL);
INSERT INTO manyhands_form (version)
  SELECT 1 WHERE NOT EXISTS (SELECT 1 FROM manyhands_form);

-- The engine forgets what is acknowledged. `until` is when it may go.
CREATE TABLE IF NOT EXISTS manyhands_done (
  id INTEGER PRIMARY KEY,
  kind TEXT NOT NULL,
  attempts INTEGER NOT NULL,
  max_attempts INTEGER NOT NULL,
  priority INTEGER NOT NULL,
  submitted_at INTEGER NOT NULL,
  run_at INTEGER NOT NULL,
  finished_at INTEGER NOT NULL,
  until INTEGER NOT NULL,
  key TEXT,
  serial TEXT,
  trace TEXT,
  last_error TEXT,
  output TEXT
);
CREATE INDEX IF NOT EXISTS manyhands_done_kind ON manyhands_done (kind);
CREATE INDEX IF NOT EXISTS manyhands_done_until ON manyhands_done (until);

-- The one place that says which job a key stands for.
CREATE TABLE IF NOT EXISTS manyhands_keys (
  kind TEXT NOT NULL,
  key TEXT NOT NULL,
  id INTEGER NOT NULL,
  PRIMARY KEY (kind, key)
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS manyhands_keys_id ON manyhands_keys (id);

-- `next_start` is the rate's: when the next job may begin, in microseconds.
CREATE TABLE IF NOT EXISTS manyhands_kinds (
  kind TEXT PRIMARY KEY,
  paused INTEGER NOT NULL DEFAULT 0,
  next_start INTEGER NOT NULL DEFAULT 0
) WITHOUT ROWID;

-- The lines of unfinished jobs that run one at a time. `turn` is 1 of the one
-- that may run, 0 of those that wait for it, and 2 of one that failed, until
-- it is time for its next attempt.
CREATE TABLE IF NOT EXISTS manyhands_serial (
  place INTEGER PRIMARY KEY AUTOINCREMENT,
  kind TEXT NOT NULL,
  serial TEXT NOT NULL,
  turn INTEGER NOT NULL,
  id INTEGER NOT NULL UNIQUE
);
CREATE INDEX IF NOT EXISTS manyhands_serial_line
  ON manyhands_serial (kind, serial, turn, place);

-- Why the last attempt failed, of jobs that are neither done nor dead.
CREATE TABLE IF NOT EXISTS manyhands_errors (
  id INTEGER PRIMARY KEY,
  error TEXT NOT NULL
);

CREATE TABLE IF NOT EXISTS manyhands_schedules (
  kind TEXT NOT NULL,
  name TEXT NOT NULL,
  cron TEXT NOT NULL,
  job TEXT NOT NULL,
  max_attempts INTEGER NOT NULL,
  next INTEGER NOT NULL,
  PRIMARY KEY (kind, name)
) WITHOUT ROWID;

-- The engine's dead letters have no index by queue.
CREATE INDEX IF NOT EXISTS manyhands_dead_queue ON _honker_dead (queue);
