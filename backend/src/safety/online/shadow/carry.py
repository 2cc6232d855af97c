"""What hangs on the old column, made again for the new one under a name of its own until the two are swapped."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from src.postgres.tokens import Token, tokens
from src.safety.online.database import Database
from src.safety.online.names import literal, quoted
from src.safety.online.shadow.column import OldColumn
from src.safety.online.step import Step

_LONGEST = 63  # bytes: NAMEDATALEN - 1
_ENDING = "__new"

_INDEXES = """
    SELECT i.relname::text AS name, n.nspname::text AS schema, x.indisunique AS is_unique,
           k.conname::text AS "constraint", x.indisclustered AS clustered,
           k.contype::text AS kind, coalesce(k.condeferrable, false) AS deferrable,
           coalesce(k.condeferred, false) AS deferred,
           substr(pg_get_indexdef(i.oid), length('CREATE ' || CASE WHEN x.indisunique THEN 'UNIQUE ' ELSE '' END
                  || 'INDEX ' || quote_ident(i.relname)) + 1) AS rest,
           obj_description(i.oid, 'pg_class') AS comment, obj_description(k.oid, 'pg_constraint') AS constraint_comment
    FROM pg_index x JOIN pg_class i ON i.oid = x.indexrelid JOIN pg_namespace n ON n.oid = i.relnamespace
    LEFT JOIN pg_constraint k ON k.conindid = i.oid AND k.contype IN ('p', 'u') AND k.conrelid = x.indrelid
    WHERE x.indrelid = to_regclass(:table) AND EXISTS (
        SELECT FROM pg_depend d WHERE d.refclassid = 'pg_class'::regclass AND d.refobjid = x.indrelid
        AND d.refobjsubid = :number AND (d.classid, d.objid) IN
            (('pg_class'::regclass, i.oid), ('pg_constraint'::regclass, k.oid)))
    ORDER BY i.relname
"""
_CONSTRAINTS = """
    SELECT k.conname::text AS name, k.contype::text AS kind, k.conrelid::regclass::text AS "table",
           pg_get_constraintdef(k.oid) AS definition, k.convalidated AS valid,
           obj_description(k.oid, 'pg_constraint') AS comment,
           k.conrelid = to_regclass(:table) AND :number = ANY (k.conkey) AS own,
           coalesce(k.confrelid = to_regclass(:table) AND :number = ANY (k.confkey), false) AS theirs
    FROM pg_constraint k
    WHERE k.contype IN ('c', 'f') AND k.conparentid = 0
      AND (k.conrelid = to_regclass(:table) AND :number = ANY (k.conkey)
           OR k.confrelid = to_regclass(:table) AND :number = ANY (k.confkey))
    ORDER BY k.contype, k.conrelid::regclass::text, k.conname
"""
_STATISTICS = """
    SELECT s.stxname::text AS name, n.nspname::text AS schema, obj_description(s.oid, 'pg_statistic_ext') AS comment,
           substr(pg_get_statisticsobjdef(s.oid), length(format('CREATE STATISTICS %I.%I', n.nspname, s.stxname)) + 1)
           AS rest
    FROM pg_statistic_ext s JOIN pg_namespace n ON n.oid = s.stxnamespace
    WHERE s.stxrelid = to_regclass(:table) AND EXISTS (
        SELECT FROM pg_depend WHERE classid = 'pg_statistic_ext'::regclass AND objid = s.oid
        AND refobjid = s.stxrelid AND refobjsubid = :number)
    ORDER BY s.stxname
"""


@dataclass(frozen=True)
class Index:
    """One that holds the old column; with a `constraint` it is a primary key's or a unique constraint's."""

    name: str
    schema: str
    constraint: str | None
    kind: str | None
    deferrable: bool
    deferred: bool
    clustered: bool
    constraint_comment: str | None


def temporary(name: str) -> str:
    """The name until the swap."""
    return name.encode()[: _LONGEST - len(_ENDING)].decode(errors="ignore") + _ENDING


def with_column(sql: str, old: str, new: str) -> str:
    """`sql` as PostgreSQL prints an expression, with `new` for the column `old`; both as SQL writes them."""
    found = list(tokens(sql))
    parts, end = [], 0
    for at, token in enumerate(found):
        if token.text == old and _is_column(found, at):
            parts += [sql[end : token.start], new]
            end = token.start + len(token.text)
    return "".join([*parts, sql[end:]])


def _is_column(found: Sequence[Token], at: int) -> bool:
    """Not a function, a type, a table or a schema of the same name."""
    before = found[at - 1] if at else None
    after = found[at + 1].text if at + 1 < len(found) else ""
    is_other = before is not None and (
        before.text in (".", "::") or before.keyword in ("COLLATE", "FROM", "REFERENCES")
    )
    return not is_other and after not in ("(", ".")


def indexes(database: Database, column: OldColumn) -> Iterator[tuple[Index, list[Step]]]:
    """Each index, and the steps that make it for the new column."""
    for row in database.ask(_INDEXES, table=column.table, number=column.number):
        name = f"{quoted(row.schema)}.{quoted(temporary(row.name))}"
        rest = with_column(row.rest, column.quoted, quoted(temporary(column.name)))
        unique = "UNIQUE " if row.is_unique else ""
        valid = (
            f"SELECT coalesce((SELECT indisvalid FROM pg_index WHERE indexrelid = to_regclass({literal(name)})), false)"
        )
        steps = [Step(sql=f"CREATE {unique}INDEX CONCURRENTLY {quoted(temporary(row.name))}{rest}", unless=valid)]
        if row.comment is not None:
            steps.append(Step(sql=f"COMMENT ON INDEX {name} IS {literal(row.comment)}"))
        yield (
            Index(
                row.name,
                row.schema,
                row.constraint,
                row.kind,
                row.deferrable,
                row.deferred,
                row.clustered,
                row.constraint_comment,
            ),
            steps,
        )


def constraints(database: Database, column: OldColumn) -> Iterator[Step]:
    """CHECK and foreign keys in both directions: made, validated, and put in the place of the old ones."""
    for row in database.ask(_CONSTRAINTS, table=column.table, number=column.number):
        name, new = quoted(row.name), quoted(temporary(row.name))
        there = f"FROM pg_constraint WHERE conrelid = {literal(row.table)}::regclass AND conname = "
        made = f"{there}{literal(temporary(row.name))}"
        definition = _definition(row.definition.removesuffix(" NOT VALID"), column, own=row.own, theirs=row.theirs)
        yield Step(
            sql=f"ALTER TABLE {row.table} ADD CONSTRAINT {new} {definition} NOT VALID",
            unless=f"SELECT EXISTS (SELECT {made})",
        )
        if row.valid:
            yield Step(sql=f"ALTER TABLE {row.table} VALIDATE CONSTRAINT {new}", unless=f"SELECT convalidated {made}")
        yield Step(sql=f"ALTER TABLE {row.table} DROP CONSTRAINT {name}", with_next=True)
        commented = row.comment is not None
        yield Step(sql=f"ALTER TABLE {row.table} RENAME CONSTRAINT {new} TO {name}", with_next=commented)
        if commented:
            yield Step(sql=f"COMMENT ON CONSTRAINT {name} ON {row.table} IS {literal(row.comment)}")


def _definition(definition: str, column: OldColumn, *, own: bool, theirs: bool) -> str:
    """A foreign key names columns of two tables, before and after REFERENCES."""
    new = quoted(temporary(column.name))
    before, references, after = definition.partition(" REFERENCES ")
    if own:
        before = with_column(before, column.quoted, new)
    if theirs:
        place, parenthesis, rest = after.partition("(")
        after = place + parenthesis + with_column(rest, column.quoted, new)
    return before + references + after


def statistics(database: Database, column: OldColumn) -> Iterator[tuple[str, Step]]:
    """Each statistics object's name, and the step that makes it for the new column."""
    for row in database.ask(_STATISTICS, table=column.table, number=column.number):
        name = f"{quoted(row.schema)}.{quoted(temporary(row.name))}"
        rest = with_column(row.rest, column.quoted, quoted(temporary(column.name)))
        there = f"SELECT EXISTS (SELECT FROM pg_statistic_ext WHERE stxname = {literal(temporary(row.name))})"
        yield f"{quoted(row.schema)}.{quoted(row.name)}", Step(sql=f"CREATE STATISTICS {name}{rest}", unless=there)
