"""Indexes of tables and materialized views."""

from collections import Counter
from collections.abc import Iterator

from alembic.operations import MigrateOperation

from alembic_online.autogenerate.cannot_write import CannotWrite
from alembic_online.autogenerate.context import Change, Context, quoted
from alembic_online.autogenerate.definition_parser import after, clauses, is_name, items, name, names, unwrapped
from alembic_online.autogenerate.model_spelling import index_words
from alembic_online.autogenerate.op_rendering import Call, Code, named, sql, text
from alembic_online.autogenerate.search_path_names import shortened
from alembic_online.autogenerate.writers.options import options, set_parameters
from alembic_online.autogenerate.writers.writer import Writer, comment, comment_on
from alembic_online.postgres.catalogue import Attribute, CatalogueObject, Identity, Kind

_IN_PLACE = frozenset(
    {"fillfactor", "deduplicate_items", "fastupdate", "gin_pending_list_limit", "autosummarize", "buffering"}
)
"""Options that an index takes over where it is; any other one, such as those of HNSW, is read when it is built."""
_INVALID = frozenset({Attribute.INVALID, Attribute.NOT_READY})


class IndexWriter(Writer):
    def create(self, entry: CatalogueObject, context: Context) -> list[MigrateOperation]:
        return [_create_index(entry, context), *index_properties(entry)]

    def drop(self, entry: CatalogueObject, context: Context) -> list[MigrateOperation]:
        _, schema, table, name = entry.identity
        return [Call("drop_index", named(name), table_name=table, schema=context.schema_option(schema))]

    def alter(self, change: Change, context: Context) -> list[MigrateOperation] | None:
        before, after = change.before.attributes, change.after.attributes
        left = change.attributes - {
            Attribute.OPTIONS,
            Attribute.TABLESPACE,
            Attribute.STATISTICS_TARGETS,
            Attribute.CLUSTERED,
            Attribute.REPLICA_IDENTITY,
        }
        if Attribute.PART_OF in left:
            return _attached(change)
        repaired = any(name in before for name in left & _INVALID)
        if repaired or left - _INVALID - {Attribute.COMMENT} or not _takes_over(change):
            return None  # what was never finished is made again; nobody wants one back that is not
        lines: list[MigrateOperation] = list(_parameters(change.before, change.after))
        if Attribute.TABLESPACE in change.attributes:
            lines.append(_tablespace(change.after))
        lines.extend(_statistics_targets(change.before, change.after))
        if Attribute.CLUSTERED in change.attributes:
            lines.extend(_clustered(change, context))
        if Attribute.REPLICA_IDENTITY in change.attributes and Attribute.REPLICA_IDENTITY in after:
            lines.append(_replica_identity(change.identity))
        if Attribute.COMMENT in change.attributes:
            lines.append(comment_on(_target(change.identity), change.after))
        return lines


def _attached(change: Change) -> list[MigrateOperation]:
    """A partition's index that becomes a part of the index of the whole."""
    if change.attributes != {Attribute.PART_OF} or not change.after.has(Attribute.PART_OF):
        raise CannotWrite(change.identity, "PostgreSQL takes no index out of the index that it is a part of")
    part, whole = quoted(change.identity.schema, change.identity.name), change.after.attributes[Attribute.PART_OF]
    return [sql(f"ALTER INDEX {whole} ATTACH PARTITION {part}")]


def index_properties(entry: CatalogueObject) -> Iterator[MigrateOperation]:
    """The lines after it for what neither `create_index` nor a constraint says of an index."""
    bare = CatalogueObject(entry.identity, entry.parent, {})
    if entry.parent is not None and entry.parent.kind is Kind.CONSTRAINT:
        yield from _parameters(bare, entry)
        if entry.has(Attribute.TABLESPACE):
            yield _tablespace(entry)
    yield from _statistics_targets(bare, entry)
    if entry.has(Attribute.CLUSTERED):
        yield _cluster_on(entry.identity)
    if entry.has(Attribute.REPLICA_IDENTITY):
        yield _replica_identity(entry.identity)
    yield from comment(_target(entry.identity), entry)


def _create_index(entry: CatalogueObject, context: Context) -> MigrateOperation:
    _, schema, table, name = entry.identity
    definition = entry.text(Attribute.DEFINITION)
    _, method, group, *rest = clauses(definition)
    where = after("WHERE", definition)
    words, order = index_words(entry, context)
    columns, classes = _elements(group)
    given = options(entry)
    given = {key: given[key] for key in sorted(given, key=lambda key: (order.index(key) if key in order else -1, key))}
    return Call(
        "create_index",
        named(name),
        table,
        columns,
        schema=context.schema_option(schema),
        unique=True if entry.has(Attribute.UNIQUE) else None,
        postgresql_using=None if method == "btree" else method,
        postgresql_ops=classes or None,
        postgresql_include=_following(rest, "INCLUDE"),
        postgresql_nulls_not_distinct=True if "NULLS" in rest else None,
        postgresql_with={key: int(value) if value.isdigit() else value for key, value in given.items()} or None,
        postgresql_tablespace=entry.attributes.get(Attribute.TABLESPACE),
        postgresql_where=None if where is None else text(words or unwrapped(where)),
    )


def _following(rest: list[str], word: str) -> list[str] | None:
    return names(rest[rest.index(word) + 1]) if word in rest else None


def _elements(group: str) -> tuple[list[str | Code], dict[str, str]]:
    """The columns and expressions of an index; and the operator classes of plain columns, by name."""
    said = [clauses(item) for item in items(group)]
    often = Counter(first for first, *_ in said)
    elements: list[str | Code] = []
    classes: dict[str, str] = {}
    for item, (first, *rest) in zip(items(group), said, strict=True):
        if not is_name(first) or often[first] > 1 or (rest and not _is_class(rest)):
            elements.append(text(item))
            continue
        elements.append(name(first))
        if rest:
            classes[name(first)] = shortened(" ".join(rest))
    return elements, classes


def _is_class(words: list[str]) -> bool:
    """Whether these words name an operator class and nothing else: `tsvector_ops (siglen='100')`."""
    class_, *arguments = words
    return class_.islower() and "(" not in class_ and all(word.startswith("(") for word in arguments)


def _takes_over(change: Change) -> bool:
    old, new = options(change.before), options(change.after)
    return all(key in _IN_PLACE for key in old.keys() | new.keys() if old.get(key) != new.get(key))


def _parameters(before: CatalogueObject, after: CatalogueObject) -> Iterator[MigrateOperation]:
    return set_parameters(f"ALTER {_target(after.identity)}", options(before), options(after))


def _statistics_targets(before: CatalogueObject, after: CatalogueObject) -> Iterator[MigrateOperation]:
    old, new = (dict(item.split(": ") for item in _targets(entry)) for entry in (before, after))
    for column in sorted(old.keys() | new.keys(), key=int):
        if old.get(column) != new.get(column):
            target = new.get(column, "-1")
            yield sql(f"ALTER {_target(after.identity)} ALTER COLUMN {column} SET STATISTICS {target}")


def _targets(entry: CatalogueObject) -> tuple[str, ...]:
    return entry.items(Attribute.STATISTICS_TARGETS)


def _clustered(change: Change, context: Context) -> Iterator[MigrateOperation]:
    _, schema, table, _ = change.identity
    if change.after.has(Attribute.CLUSTERED):
        yield _cluster_on(change.identity)
        return
    indexes = (entry for entry in context.new.catalogue.values() if entry.kind is Kind.INDEX)
    if not any(one.has(Attribute.CLUSTERED) and one.identity[1:3] == (schema, table) for one in indexes):
        yield sql(f"ALTER TABLE {quoted(schema, table)} SET WITHOUT CLUSTER")


def _cluster_on(identity: Identity) -> MigrateOperation:
    return sql(f"ALTER TABLE {quoted(identity.schema, identity.table)} CLUSTER ON {quoted(identity.name)}")


def _replica_identity(identity: Identity) -> MigrateOperation:
    table = quoted(identity.schema, identity.table)
    return sql(f"ALTER TABLE {table} REPLICA IDENTITY USING INDEX {quoted(identity.name)}")


def _tablespace(entry: CatalogueObject) -> MigrateOperation:
    tablespace = quoted(str(entry.attributes.get(Attribute.TABLESPACE, "pg_default")))
    return sql(f"ALTER {_target(entry.identity)} SET TABLESPACE {tablespace}")


def _target(identity: Identity) -> str:
    return f"INDEX {quoted(identity.schema, identity.name)}"
