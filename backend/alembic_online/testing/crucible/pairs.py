"""What people take away while they write rows, and make again as it was."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from alembic_online.testing.crucible.kinds import is_computed
from alembic_online.testing.crucible.models import statements_of
from alembic_online.testing.crucible.names import quoted
from alembic_online.testing.crucible.schema import Attached, Column, Index, Reference, Rule, Schema, Table

_WIDER = {"smallint": "integer", "integer": "bigint", "varchar(20)": "text", "varchar(40)": "text", "date": "timestamp"}


@dataclass(frozen=True)
class Pair:
    """Two lines of a revision."""

    away: str
    back: str


def pairs(before: Schema, after: Schema, *, changed: bool) -> Sequence[Pair]:
    """Of what is the same before and after; of tables that are `changed`, or of all."""
    kept = [(was, now) for was, now in _kept(before, after) if was != now or not changed]
    names = {now.name for _, now in kept}
    attached = (each for each in before.attached if each in after.attached and each.table in names)
    return [*_of_tables(kept), *map(_attached, attached)]


def recreated(before: Schema, after: Schema) -> Sequence[Pair]:
    """Columns that may be dropped and added again, with nothing in them."""
    return [
        Pair(f"op.drop_column({now.name!r}, {each.name!r})", _added(now, each))
        for was, now in _kept(before, after)
        for each in was.plain
        if each in now.plain and (each.nullable or each.default) and not is_computed(each.default)
    ]


def _of_tables(kept: Iterable[tuple[Table, Table]]) -> Iterator[Pair]:
    for was, now in kept:
        table = quoted(now.name)
        yield Pair(_sql(f"ALTER TABLE {table} DISABLE TRIGGER USER"), _sql(f"ALTER TABLE {table} ENABLE TRIGGER USER"))
        yield from (_index(now, each) for each in was.indexes if each in now.indexes)
        yield from (_rule(now, each) for each in was.rules if each in now.rules and each.name)
        yield from (_reference(now, each) for each in was.references if each in now.references and each.name)
        for column in was.columns:
            if column in now.columns:
                yield from _column(now, column)


def _kept(before: Schema, after: Schema) -> Iterator[tuple[Table, Table]]:
    for was in before.tables:
        yield from ((was, now) for now in after.tables if now.name == was.name)


def _column(table: Table, column: Column) -> Iterator[Pair]:
    if column.generated:
        yield Pair(f"op.drop_column({table.name!r}, {column.name!r})", _added(table, column))
    if column not in table.plain:
        return
    changed = f"op.alter_column({table.name!r}, {column.name!r}, "
    if column.default:
        yield Pair(f"{changed}server_default=None)", f"{changed}server_default=sa.text({column.default!r}))")
    if not column.nullable:
        yield Pair(f"{changed}nullable=True)", f"{changed}nullable=False)")
    if column.type in _WIDER:
        altered = f"ALTER TABLE {quoted(table.name)} ALTER COLUMN {quoted(column.name)} TYPE"
        yield Pair(_sql(f"{altered} {_WIDER[column.type]}"), _sql(f"{altered} {column.type}"))


def _added(table: Table, column: Column) -> str:
    said = f"ALTER TABLE {quoted(table.name)} ADD COLUMN {quoted(column.name)} {column.type}"
    if column.generated:
        made = column.generated.format(*map(quoted, column.reads))
        return _sql(f"{said} GENERATED ALWAYS AS ({made}) {'STORED' if column.persisted else 'VIRTUAL'}")
    default = f" DEFAULT {column.default}" if column.default else ""
    return _sql(f"{said}{default}{'' if column.nullable else ' NOT NULL'}")


def _index(table: Table, index: Index) -> Pair:
    names = [*map(quoted, index.columns)]
    of = f"({index.expression.format(*names)})" if index.expression else ", ".join(names)
    where = f" WHERE {index.where.format(*names)}" if index.where else ""
    made = f"CREATE {'UNIQUE ' if index.unique else ''}INDEX {quoted(index.name)} ON {quoted(table.name)}"
    return Pair(f"op.drop_index({index.name!r}, {table.name!r})", _sql(f"{made} USING {index.using} ({of}){where}"))


def _rule(table: Table, rule: Rule) -> Pair:
    names = [*map(quoted, rule.columns)]
    made = f"CHECK ({rule.check.format(*names)})" if rule.check else f"UNIQUE ({', '.join(names)})"
    added = f"ALTER TABLE {quoted(table.name)} ADD CONSTRAINT {quoted(rule.name)} {made}"
    return Pair(f"op.drop_constraint({rule.name!r}, {table.name!r})", _sql(added))


def _reference(table: Table, each: Reference) -> Pair:
    deletes = f", ondelete={each.on_delete!r}" if each.on_delete else ""
    of = f"{each.name!r}, {table.name!r}, {each.table!r}, [{each.column!r}], [{each.target!r}]{deletes}"
    return Pair(f"op.drop_constraint({each.name!r}, {table.name!r})", f"op.create_foreign_key({of})")


def _attached(item: Attached) -> Pair:
    on = f" ON {quoted(item.table)}" if item.kind in ("trigger", "policy") else ""
    made = [*statements_of(item)][-1]  # the function of a trigger stays
    return Pair(_sql(f"DROP {item.kind.upper()} {item.name}{on}"), _sql(made))


def _sql(statement: str) -> str:
    return f"op.execute({statement!r})"
