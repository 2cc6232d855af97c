"""The table that is to be rebuilt, as the catalogue has it (PostgreSQL 16 to 18)."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from alembic_online.backfill.keyset import KEY_OF_TABLE
from alembic_online.errors import RevisionFailed
from alembic_online.postgres.locks.reader import statements
from alembic_online.recipes.database import Database
from alembic_online.recipes.names import folded, quoted, temporary

_TABLE = """
    SELECT n.nspname::text AS schema, c.relname::text AS name, quote_ident(pg_get_userbyid(c.relowner)) AS owner
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE c.oid = to_regclass(:table)
"""
_COLUMNS = """
    SELECT attname::text AS name FROM pg_attribute
    WHERE attrelid = to_regclass(:table) AND attnum > 0 AND NOT attisdropped AND attgenerated = '' ORDER BY attnum
"""
_OBSTACLES = """
    SELECT words FROM pg_class c CROSS JOIN LATERAL (
        SELECT 'it is a foreign table' WHERE c.relkind = 'f'
        UNION ALL SELECT 'it is a partition: change the whole' WHERE c.relispartition AND NOT :whole
        UNION ALL SELECT 'it inherits, or is inherited from'
        WHERE NOT c.relispartition AND EXISTS (SELECT FROM pg_inherits WHERE c.oid IN (inhrelid, inhparent))
        UNION ALL SELECT 'it is of the type ' || c.reloftype::regtype WHERE c.reloftype <> 0
        UNION ALL SELECT 'row level security hides rows from this role' WHERE row_security_active(c.oid)
        UNION ALL SELECT format('constraint %I is NOT VALID', conname) FROM pg_constraint
        WHERE conrelid = c.oid AND contype <> 'f' AND NOT convalidated
        UNION ALL SELECT format('constraint %I excludes rows', indexrelid::regclass) FROM pg_index
        WHERE indrelid = c.oid AND indisexclusion
        UNION ALL SELECT format('publication %I of all tables would send the copy', pubname)
        FROM pg_publication WHERE puballtables AND current_setting('wal_level') = 'logical'
        UNION ALL SELECT format('publication %I belongs to another role', pubname) FROM pg_publication p
        JOIN pg_publication_rel ON prpubid = p.oid WHERE prrelid = c.oid AND NOT pg_has_role(pubowner, 'USAGE')
        UNION ALL SELECT 'its rows are a type of column ' || a.attrelid::regclass || '.' || quote_ident(a.attname)
        FROM pg_attribute a JOIN pg_type t ON t.oid = a.atttypid
        WHERE c.reltype IN (t.oid, t.typelem) AND NOT a.attisdropped
          AND a.attrelid IN (SELECT oid FROM pg_class WHERE relkind IN ('r', 'p', 'c', 'm'))
    ) AS found (words) WHERE c.oid = to_regclass(:table)
"""

"""The query for the key that the table is walked by."""

NOTHING: Mapping[str, str] = {}


@dataclass(frozen=True)
class OldTable:
    """One table. Names are plain where nothing else is said."""

    schema: str
    name: str
    owner: str
    """As SQL writes it."""
    columns: list[str]
    """Those that hold values; what is generated is generated again."""
    key: list[str]
    """The columns of the key that it is walked by, as SQL writes them."""
    computed: Mapping[str, str] = field(default_factory=dict)
    """Columns whose values are not copied as they are, with the SQL of those that the new table gets."""
    dropped: list[str] = field(default_factory=list)
    """Columns that the change drops."""

    @property
    def sql(self) -> str:
        """With its schema."""
        return f"{quoted(self.schema)}.{quoted(self.name)}"

    @property
    def shadow(self) -> str:
        """The schema of the new one until the swap, as SQL writes it: two schemas may have a table of one name."""
        return quoted(temporary(self.name if self.schema == "public" else f"{self.schema}_{self.name}"))

    @property
    def new(self) -> str:
        """The new one until the swap."""
        return f"{self.shadow}.{quoted(self.name)}"

    @property
    def noted(self) -> str:
        """The table of the keys that were written meanwhile."""
        return f"{self.shadow}.{quoted(temporary('noted'))}"

    @property
    def note(self) -> str:
        """The function of the trigger that notes them."""
        return f"{self.shadow}.note()"

    @property
    def values(self) -> dict[str, str]:
        """Each column, with the SQL of what is copied into it."""
        return {column: self.computed.get(column, quoted(column)) for column in self.columns}

    @property
    def listed(self) -> str:
        """The columns, as SQL writes them: `a, "B"`."""
        return ", ".join(map(quoted, self.columns))


def read_table(
    database: Database, table: str, change: str, computed: Mapping[str, str] = NOTHING, *, whole: bool = False
) -> OldTable:
    """The table, which must be there; `whole` says that a partition is rebuilt with all others.

    Raises `RevisionFailed` where it cannot be rebuilt.
    """
    (row,) = database.ask(_TABLE, table=table)
    keys = database.ask(KEY_OF_TABLE, table=table)
    in_the_way = [words for (words,) in database.ask(_OBSTACLES, table=table, whole=whole)]
    if not keys:
        in_the_way.append("it has no primary key, and no other unique key without NULL")
    if in_the_way:
        raise cannot(table, change, in_the_way)
    dropped = _dropped(change)
    columns = [name for (name,) in database.ask(_COLUMNS, table=table) if name not in dropped]
    return OldTable(row.schema, row.name, row.owner, columns, list(keys[0].columns), dict(computed), dropped)


def _dropped(change: str) -> list[str]:
    """The columns that these actions drop."""
    found = []
    for action in (action for reader in statements(change) for action in reader.split()):
        if action.accept("DROP") and not action.comes("CONSTRAINT"):
            action.accept("COLUMN")
            action.accept("IF EXISTS")
            found.append(folded(action.name()))
    return found


def cannot(table: str, change: str, in_the_way: list[str]) -> RevisionFailed:
    """The refusal of a change that only a new table could have."""
    generated = "GENERATED" in change or "EXPRESSION" in change
    otherwise = (
        "that is VIRTUAL (from PostgreSQL 18 on), or plain and kept by a trigger,"
        if generated
        else "of the domain's own base type, with the rule as a CHECK of the table,"
    )
    return RevisionFailed(
        f"{change} rewrites {table}, and a new table cannot take its place: {', '.join(in_the_way)}.",
        f"A column {otherwise} needs no new table.\n"
        f'If all may wait while it is rewritten, let the revision say why: direct = {{"{table}": "..."}}',
    )
