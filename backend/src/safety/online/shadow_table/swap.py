"""The short transaction in which the new table takes the old one's place and name."""

from collections.abc import Iterator

from src.safety.online.database import Database
from src.safety.online.dependents import Dependents
from src.safety.online.names import literal, quoted
from src.safety.online.shadow_table.foreign_keys import ForeignKeys
from src.safety.online.shadow_table.in_step import copy_noted
from src.safety.online.shadow_table.like import identities
from src.safety.online.shadow_table.old_table import OldTable

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


def swap(
    database: Database, old: OldTable, keys: ForeignKeys, dependents: Dependents, moved: list[str]
) -> Iterator[str]:
    """The statements, to be run as one; the tables are locked."""
    serials = [tuple(row) for row in database.ask(_SERIALS, table=old.sql)]
    # Few rows are left, and no statistics say so.
    yield f"PERFORM set_config('enable_' || way, 'off', true) FROM unnest(ARRAY[{_SLOW}]) AS way"
    yield copy_noted(old)
    yield "SET CONSTRAINTS ALL IMMEDIATE"
    yield from (*dependents.drop, *keys.drop)
    yield from (f"ALTER SEQUENCE {sequence} OWNED BY NONE" for sequence, _ in serials)
    for sequence in identities(database, old):
        theirs, own = f"{old.shadow}.{sequence}", f"{quoted(old.schema)}.{sequence}"
        yield f"PERFORM setval({literal(theirs)}, last_value, is_called) FROM {own}"
    yield f"DROP TABLE {old.sql}"
    yield f"ALTER TABLE {old.new} SET SCHEMA {quoted(old.schema)}"
    yield from moved
    yield from (f"ALTER SEQUENCE {sequence} OWNED BY {old.sql}.{column}" for sequence, column in serials)
    yield from keys.add
    # Their bodies may hold semicolons, by which PL/pgSQL would take them apart.
    yield from (f"EXECUTE {literal(statement)}" for statement in dependents.create)
    for query in (_SECURITY, _PUBLICATIONS):
        yield from (statement for (statement,) in database.ask(query, table=old.sql))
    yield from (f"DROP FUNCTION {old.note}", f"DROP TABLE {old.noted}", f"DROP SCHEMA {old.shadow}")
