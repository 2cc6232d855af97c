"""What a statement gives up, by its text and by the catalogue.

Which of the constraints that it drops are keys: they have an index, and foreign keys may refer to them. With CASCADE
those go too, and the defaults that a sequence is behind. An identity goes with its sequence.
"""

from collections.abc import Iterator

from alembic_online.postgres.sql.tokens import tokens
from alembic_online.recipes.database import Database
from alembic_online.recipes.names import plain
from alembic_online.recipes.object_effects import GivenUp, given_up, last_part

_IS_KEY = """
    SELECT 1 FROM pg_constraint k JOIN pg_class c ON c.oid = k.conrelid WHERE k.contype IN ('p', 'u', 'x')
    AND replace(lower(k.conname), '"', '') = :name
    AND :table IN (lower(c.relname), replace(lower(format('%s.%s', c.relnamespace::regnamespace, c.relname)), '"', ''))
"""
_IS_UNIQUE = "SELECT 1 FROM pg_index WHERE indexrelid = to_regclass(:name) AND indisunique"
_REFERRING = """
    SELECT format('%I.%I', r.relnamespace::regnamespace, r.relname) AS table, quote_ident(f.conname) AS name
    FROM pg_constraint f JOIN pg_class r ON r.oid = f.conrelid JOIN pg_constraint k ON k.conindid = f.conindid
    JOIN pg_class c ON c.oid = k.conrelid WHERE f.contype = 'f' AND k.contype IN ('p', 'u')
    AND replace(lower(k.conname), '"', '') = :name
    AND :table IN (lower(c.relname), replace(lower(format('%s.%s', c.relnamespace::regnamespace, c.relname)), '"', ''))
"""


_DEFAULTS = """
    SELECT format('%I.%I', t.relnamespace::regnamespace, t.relname) AS table, quote_ident(attname) AS name
    FROM pg_class s JOIN pg_depend d ON d.refclassid = 'pg_class'::regclass AND d.refobjid = s.oid
    JOIN pg_attrdef v ON d.classid = 'pg_attrdef'::regclass AND v.oid = d.objid JOIN pg_class t ON t.oid = v.adrelid
    JOIN pg_attribute ON attrelid = t.oid AND attnum = v.adnum
    WHERE :name IN (lower(s.relname), replace(lower(format('%s.%s', s.relnamespace::regnamespace, s.relname)), '"', ''))
"""
_IDENTITY = """
    SELECT s.relname::text AS name FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND attidentity <> ''
    JOIN pg_depend d ON d.refclassid = 'pg_class'::regclass AND d.refobjid = c.oid AND d.refobjsubid = attnum
                    AND d.classid = 'pg_class'::regclass AND d.deptype = 'i'
    JOIN pg_class s ON s.oid = d.objid WHERE lower(attname) = :name
    AND :table IN (lower(c.relname), replace(lower(format('%s.%s', c.relnamespace::regnamespace, c.relname)), '"', ''))
"""


def all_given_up(sql: str, database: Database) -> tuple[GivenUp, ...]:
    """What `sql` gives up, each constraint that is a key called one."""
    found = [each._replace(kind="key") if _is_key(each, database) else each for each in given_up(sql)]
    words = {token.keyword for token in tokens(sql)}
    if "CASCADE" in words:
        found += [one for each in found for one in _depending(each, database)]
    if "IDENTITY" in words and "DROP" in words:
        found += [one for each in found for one in _sequence(each, database)]
    return tuple(found)


def unique_index_as_key(index: str, table: str, database: Database) -> tuple[GivenUp, ...]:
    """What goes with an index of `table`: foreign keys may refer to a unique one as to a key."""
    unique = database.recall_whether(f"{index} is unique", lambda: bool(database.ask(_IS_UNIQUE, name=index)))
    return (GivenUp("key", plain(table), last_part(plain(index))),) if unique else ()


def _depending(each: GivenUp, database: Database) -> Iterator[GivenUp]:
    if each.kind == "key":
        for row in database.ask(_REFERRING, table=each.table, name=each.name):
            yield GivenUp("constraint", plain(row.table), plain(row.name), row.name)
    elif each.kind == "sequence":
        for row in database.ask(_DEFAULTS, name=each.name):
            yield GivenUp("default", plain(row.table), plain(row.name), row.name)


def _sequence(each: GivenUp, database: Database) -> Iterator[GivenUp]:
    if each.kind == "default":
        for row in database.ask(_IDENTITY, table=each.table, name=each.name):
            yield GivenUp("sequence", "", plain(row.name), row.name)


def _is_key(each: GivenUp, database: Database) -> bool:
    def find() -> bool:
        return bool(database.ask(_IS_KEY, table=each.table, name=each.name))

    return each.kind == "constraint" and database.recall_whether(f"{each.table}.{each.name} is a key", find)
