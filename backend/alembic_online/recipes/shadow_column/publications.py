"""Publications of the table: until the swap no subscriber may see the new column, which none of them has.

A subscriber that gets a row with a column that its own table lacks stops for good ("missing replicated column"), also
when the column is gone again. So a publication that sends all columns gets a list of those that are there before the
new one is added, and in the swap the table is published as it was. Both are one transaction each: for a subscriber the
table was never out of the publication. Proved with two databases on PostgreSQL 16 and 18.
"""

import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass

from alembic_online.errors import RevisionFailed
from alembic_online.recipes.database import Database
from alembic_online.recipes.names import literal, temporary
from alembic_online.recipes.shadow_column.column import OldColumn
from alembic_online.recipes.step import Step

# Generated columns are sent where a publication says so (`publish_generated_columns`, PostgreSQL 18). A list of all
# columns but the new one, where that one is there, is what a try has left that nobody knows any more.
_PUBLISHED = """
    SELECT quote_ident(p.pubname) AS name,
           r.prattrs IS NULL OR attnames @> ARRAY[CAST(:new AS text)] AND attnums <@ r.prattrs::int2[] AS whole,
           format(' (%s)', (SELECT string_agg(quote_ident(attname), ', ' ORDER BY attnum) FROM pg_attribute
            WHERE attrelid = r.prrelid AND attnum > 0 AND NOT attisdropped AND attname <> :new
            AND CASE WHEN r.prattrs IS NULL THEN attgenerated = '' OR attgenerated::text = to_jsonb(p) ->> 'pubgencols'
                ELSE attnum = ANY (r.prattrs::int2[]) END)) AS columns,
           current_setting('wal_level') = 'logical' AS is_sent,
           coalesce(' WHERE (' || pg_get_expr(r.prqual, r.prrelid) || ')', '') AS rows
    FROM pg_publication_rel r JOIN pg_publication p ON p.oid = r.prpubid CROSS JOIN LATERAL (
        SELECT array_agg(attname::text) AS attnames, array_agg(attnum) FILTER (WHERE attname <> :new) AS attnums
        FROM pg_attribute WHERE attrelid = r.prrelid AND attnum > 0 AND NOT attisdropped AND attgenerated = ''
    ) AS there
    WHERE r.prrelid = to_regclass(:table) ORDER BY 1
"""
# What has no list, and cannot get one. Below the level `logical` nothing is sent to anybody.
_OBSTACLES = """
    WITH RECURSIVE above AS (
        SELECT c.oid, c.relnamespace, c.relkind, c.relreplident FROM pg_class c WHERE c.oid = to_regclass(:table)
        UNION SELECT c.oid, c.relnamespace, c.relkind, c.relreplident
        FROM pg_inherits JOIN above ON inhrelid = above.oid JOIN pg_class c ON c.oid = inhparent AND c.relkind = 'p'
    )
    SELECT format('publication %I %s', p.pubname, why) AS words
    FROM pg_publication p CROSS JOIN above LEFT JOIN pg_publication_rel r ON r.prpubid = p.oid AND r.prrelid = above.oid
    CROSS JOIN LATERAL (
        SELECT 'is FOR ALL TABLES' WHERE p.puballtables
        UNION ALL SELECT 'is FOR TABLES IN SCHEMA ' || nspname FROM pg_publication_namespace
        JOIN pg_namespace n ON n.oid = pnnspid
        WHERE pnpubid = p.oid AND (pnnspid = above.relnamespace OR r.prattrs IS NULL AND r.oid IS NOT NULL)
        UNION ALL SELECT 'sends its partitions by themselves'
        WHERE r.oid IS NOT NULL AND r.prattrs IS NULL AND above.relkind = 'p' AND NOT p.pubviaroot
        UNION ALL SELECT 'needs whole rows, by REPLICA IDENTITY FULL'
        WHERE r.oid IS NOT NULL AND r.prattrs IS NULL AND above.relreplident = 'f'
        UNION ALL SELECT 'belongs to another role' WHERE r.oid IS NOT NULL AND NOT pg_has_role(p.pubowner, 'USAGE')
    ) AS found (why) WHERE why = 'belongs to another role' OR current_setting('wal_level') = 'logical' ORDER BY 1
"""


@dataclass(frozen=True)
class Published:
    """Statements, each list of them for one transaction."""

    hide: list[str]
    """Before the new column is there."""
    out: list[str]
    """In the swap, before the old column goes."""
    back: list[str]
    """In the swap, when the new one has its name: the table is published as it was."""
    listed: list[str]
    """Conditions in SQL, each of which says whether one of those in `hide` has its list."""
    given_up: list[str]
    """How somebody who gives the change up has the table published as it was."""


def published(database: Database, column: OldColumn) -> Published:
    """Of the table and its partitions or children, as it was when the revision first came here.

    Raises `RevisionFailed` where a row with the new column would be sent.
    """
    kept = database.recall(
        f"publications of {column.table}.{column.quoted}", lambda: json.dumps(asdict(_read(database, column)))
    )
    return Published(**json.loads(kept))


def hidden(found: Published) -> Iterator[Step]:
    """Every publication gets its list, all of them at once: a subscriber may have several."""
    if found.hide:
        there = " AND ".join(found.listed)
        yield Step(sql=f"DO $hide$ BEGIN {'; '.join(found.hide)}; END $hide$", unless=f"SELECT {there}")


def _read(database: Database, column: OldColumn) -> Published:
    reasons = [row.words for each in column.family for row in database.ask(_OBSTACLES, table=each.table)]
    if reasons:
        raise RevisionFailed(
            f"The new column of {column.table}.{column.quoted} would be sent to subscribers, which have none:"
            f" {', '.join(dict.fromkeys(reasons))}.",
            "Subscribers take the plain ALTER as it is, and everybody else waits while the table is rewritten:\n"
            f'direct = {{"{column.table}": "why nobody minds"}}\n'
            "Or publish the table by its name, and a partitioned one WITH (publish_via_partition_root).",
        )
    hide, listed = list[str](), list[str]()
    out, back = list[str](), list[str]()
    given_up = list[str]()
    for each in column.family:
        for row in database.ask(_PUBLISHED, table=each.table, new=temporary(column.name)):
            gone, add = (f"ALTER PUBLICATION {row.name} {word} TABLE ONLY {each.table}" for word in ("DROP", "ADD"))
            again = f"{add}{'' if row.whole else row.columns}{row.rows}"
            if not database.cut_over.gives_up("publication", "", row.name):  # else the revision itself publishes it
                out.append(gone)
                back.append(again)
            if row.whole and row.is_sent:
                hide += [gone, f"{add}{row.columns}{row.rows}"]
                listed.append(_is_listed(row.name, each.table))
                given_up += [gone, again]
    return Published(hide, out, back, listed, given_up)


def _is_listed(publication: str, table: str) -> str:
    return (
        "EXISTS (SELECT FROM pg_publication_rel r JOIN pg_publication p ON p.oid = r.prpubid"
        f" WHERE quote_ident(p.pubname) = {literal(publication)} AND r.prrelid = to_regclass({literal(table)})"
        " AND r.prattrs IS NOT NULL)"
    )
