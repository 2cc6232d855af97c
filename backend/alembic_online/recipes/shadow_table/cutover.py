"""The short transaction in which the new table takes the old one's place and name."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from alembic_online.recipes.database import Database
from alembic_online.recipes.dependents import Dependents
from alembic_online.recipes.names import literal, quoted
from alembic_online.recipes.recreate_foreign_keys import ForeignKeys
from alembic_online.recipes.shadow_table.change_capture import copy_noted
from alembic_online.recipes.shadow_table.concurrent_ddl_check import refuse_unless
from alembic_online.recipes.shadow_table.copy import Copy, block
from alembic_online.recipes.shadow_table.create_like import identities
from alembic_online.recipes.shadow_table.source_table import OldTable
from alembic_online.recipes.step import Step

_SERIALS = """
    SELECT d.objid::regclass::text AS sequence, quote_ident(a.attname) AS "column" FROM pg_depend d
    JOIN pg_attribute a ON a.attrelid = d.refobjid AND a.attnum = d.refobjsubid
    WHERE d.classid = 'pg_class'::regclass AND d.refclassid = 'pg_class'::regclass AND d.deptype = 'a'
      AND d.refobjid = to_regclass(:table) AND d.objid IN (SELECT seqrelid FROM pg_sequence) ORDER BY 1
"""
_SECURITY = """
    SELECT format('ALTER TABLE %s %s ROW LEVEL SECURITY', CAST(:table AS text), word)
    FROM pg_class c CROSS JOIN LATERAL (
        VALUES ('ENABLE', relrowsecurity), ('FORCE', relforcerowsecurity)) AS w (word, wanted)
    WHERE c.oid = to_regclass(:table) AND wanted
"""
_PUBLICATIONS = """
    SELECT format('ALTER PUBLICATION %I ADD TABLE %s%s%s', p.pubname, CAST(:table AS text),
                  (SELECT format(' (%s)', string_agg(quote_ident(a.attname), ', ' ORDER BY a.attnum))
                   FROM pg_attribute a WHERE a.attrelid = r.prrelid AND a.attnum = ANY (r.prattrs::int2[])
                   HAVING count(*) > 0),
                  ' WHERE (' || pg_get_expr(r.prqual, r.prrelid) || ')')
    FROM pg_publication_rel r JOIN pg_publication p ON p.oid = r.prpubid WHERE r.prrelid = to_regclass(:table)
"""
_SLOW = "'seqscan', 'hashjoin', 'mergejoin'"


@dataclass(frozen=True)
class Swap:
    """Statements, phase by phase; all but `after` are one transaction."""

    drop_views: list[str]
    lock: str
    swap: str
    after: list[str]


def plan_swap(
    copies: Sequence[Copy],
    keys: ForeignKeys,
    dependents: Dependents,
    database: Database,
    *,
    table: str = "",
    first: str = "",
    change: Sequence[str] = (),
) -> Swap:
    """The new ones take the places of the old; `table` is the one above them.

    `first` is PL/pgSQL that runs before all, and `change` what is done when the old ones are gone and the new ones are
    there.
    """
    olds = [copy.old for copy in copies]
    locked = sorted({*dependents.locks, *(old.sql for old in olds), *keys.tables, *([table] if table else [])})
    statements = [
        *([first] if first else []),
        *(refuse_unless(copy.owned, copy.old) for copy in copies),
        *_last_rows(olds),
        *dependents.drop,
        *keys.drop,
        *(statement for old in olds for statement in _gone(old, database)),
        *(statement for copy in copies for statement in _there(copy, database)),
        *change,
        *keys.add,
        # Their bodies may hold semicolons, by which PL/pgSQL would take them apart.
        *(f"EXECUTE {literal(statement)}" for statement in dependents.create),
        *(statement for old in olds for statement in _tidied(old, database)),
    ]
    lock = f"LOCK TABLE {', '.join(locked)} IN ACCESS EXCLUSIVE MODE"
    return Swap(dependents.drop_views, lock, block(statements), keys.after)


def swapped(swap: Swap, joining: str = "", leaves: Sequence[str] = ()) -> Iterator[Step]:
    """The steps; where they join the cut-over, with the table, and the types that columns of it leave."""
    joins = bool(joining)
    yield from (Step(sql=statement, with_next=True, joins=joins) for statement in swap.drop_views)
    yield Step(sql=swap.lock, with_next=True, joins=joins)
    yield Step(sql=swap.swap, joins=joins, swaps=joining, leaves=tuple(leaves))
    yield from (Step(sql=statement) for statement in swap.after)


def _last_rows(olds: Sequence[OldTable]) -> Iterator[str]:
    # Few rows are left, and no statistics say so.
    yield f"PERFORM set_config('enable_' || way, 'off', true) FROM unnest(ARRAY[{_SLOW}]) AS way"
    yield from map(copy_noted, olds)
    yield "SET CONSTRAINTS ALL IMMEDIATE"


def _gone(old: OldTable, database: Database) -> Iterator[str]:
    """What others have of it is given to nobody, then it is dropped."""
    yield from (f"ALTER SEQUENCE {sequence} OWNED BY NONE" for sequence, _ in _serials(old, database))
    for sequence in identities(database, old):
        theirs, own = f"{old.shadow}.{sequence}", f"{quoted(old.schema)}.{sequence}"
        yield f"PERFORM setval({literal(theirs)}, last_value, is_called) FROM {own}"
    yield f"DROP TABLE {old.sql}"


def _there(copy: Copy, database: Database) -> Iterator[str]:
    old = copy.old
    yield f"ALTER TABLE {old.new} SET SCHEMA {quoted(old.schema)}"
    yield from copy.moved
    for sequence, column in _serials(old, database):
        yield f"ALTER SEQUENCE {sequence} OWNED BY {old.sql}.{column}"


def _tidied(old: OldTable, database: Database) -> Iterator[str]:
    for query in (_SECURITY, _PUBLICATIONS):
        yield from (statement for (statement,) in database.ask(query, table=old.sql))
    yield from (f"DROP FUNCTION {old.note}", f"DROP TABLE {old.noted}", f"DROP SCHEMA {old.shadow}")


def _serials(old: OldTable, database: Database) -> list[tuple[str, str]]:
    found = [(row.sequence, row.column) for row in database.ask(_SERIALS, table=old.sql)]
    return [(sequence, column) for sequence, column in found if column not in map(quoted, old.dropped)]
