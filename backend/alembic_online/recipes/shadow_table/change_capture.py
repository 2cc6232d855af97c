"""How the new table comes to the rows of the old one, whatever anybody writes meanwhile.

A trigger notes the keys of the rows that are written. The table is copied once, range by range, and locks no row; then
the rows whose keys were noted are copied again, all at one moment, as often as one likes, and for the last time in the
swap. A client's transaction adds rows to the notes and waits for nothing; one that is REPEATABLE READ too.
"""

from alembic_online.backfill.definition import Backfill
from alembic_online.recipes.names import quoted
from alembic_online.recipes.shadow_table.source_table import OldTable

# The values go where they come from: nothing in it depends on whose search_path it runs under.
_NOTE = """\
CREATE FUNCTION {note} RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $note$
BEGIN
    IF TG_OP = 'TRUNCATE' THEN
        INSERT INTO {noted} DEFAULT VALUES;
        RETURN NULL;
    END IF;
    IF TG_OP <> 'INSERT' THEN
        INSERT INTO {noted} VALUES ({old});
    END IF;
    IF TG_OP <> 'DELETE' THEN
        INSERT INTO {noted} VALUES ({new});
    END IF;
    RETURN NULL;
END
$note$"""
# One statement, and so one moment: what is left is the old table of that moment, and no unique index is in the way. The
# rows are gone before the first one comes, because the condition has to be known before. A note without a key means
# TRUNCATE: then any row may be gone.
_COPY = """\
WITH noted AS (DELETE FROM {noted} RETURNING {key}), dirty AS (
    SELECT {key} FROM noted WHERE {known}
    UNION SELECT {key} FROM {new} WHERE EXISTS (SELECT FROM noted WHERE NOT ({known}))
), gone AS (DELETE FROM {new} AS n USING dirty WHERE {same} RETURNING 1)
INSERT INTO {new} ({columns}) OVERRIDING SYSTEM VALUE
SELECT {values} FROM ({rows}) AS n JOIN dirty ON {same} WHERE (SELECT count(*) FROM gone) >= 0"""
TRIGGERS = {"~note": "INSERT OR UPDATE OR DELETE ON {table} FOR EACH ROW", "~note all": "TRUNCATE ON {table}"}


def make_notes(old: OldTable) -> list[str]:
    """The table of notes and the function, which writes there with the rights of the table's owner."""
    key = ", ".join(old.key)
    return [
        f"CREATE TABLE {old.noted} AS SELECT {key} FROM {old.sql} WITH NO DATA",
        f"ALTER TABLE {old.noted} OWNER TO {old.owner}",
        _NOTE.format(
            note=old.note,
            noted=old.noted,
            old=", ".join(f"OLD.{column}" for column in old.key),
            new=", ".join(f"NEW.{column}" for column in old.key),
        ),
        f"ALTER FUNCTION {old.note} OWNER TO {old.owner}",
    ]


def begin_notes(old: OldTable) -> list[str]:
    """The triggers. Whoever wrote before they were there has ended, because they wait for him."""
    made = [
        f'CREATE TRIGGER "{name}" AFTER {when.format(table=old.sql)} EXECUTE FUNCTION {old.note}'
        for name, when in TRIGGERS.items()
    ]
    # Also for rows that replication or a restore brings.
    return made + [f'ALTER TABLE {old.sql} ENABLE ALWAYS TRIGGER "{name}"' for name in TRIGGERS]


def end_notes(old: OldTable) -> list[str]:
    """How somebody gives the change up."""
    return [*(f'DROP TRIGGER "{name}" ON {old.sql}' for name in TRIGGERS), f"DROP SCHEMA {old.shadow} CASCADE"]


def copy_all(old: OldTable) -> Backfill:
    """The first copy, of all rows."""
    name = f"{old.sql.replace(chr(34), '')}_new"
    return Backfill(table=old.sql, values=old.values, into=old.new, in_step=True, name=name)


def copy_noted(old: OldTable) -> str:
    """What has changed since is copied again."""
    values = (f"{value} AS {quoted(column)}" for column, value in old.values.items())
    return _COPY.format(
        noted=old.noted,
        new=old.new,
        rows=f"SELECT {', '.join(values)} FROM {old.sql}",
        key=", ".join(old.key),
        known=f"{old.key[0]} IS NOT NULL",
        same=" AND ".join(f"n.{column} = dirty.{column}" for column in old.key),
        columns=old.listed,
        values=", ".join(f"n.{quoted(column)}" for column in old.columns),
    )
