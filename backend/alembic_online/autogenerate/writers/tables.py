"""Tables, with their columns and constraints."""

from collections.abc import Callable, Iterator
from typing import Any

from alembic.operations import MigrateOperation

from alembic_online.autogenerate.context import Change, Context, quoted
from alembic_online.autogenerate.inheritance import before_attached
from alembic_online.autogenerate.op_rendering import Call, Code, code, sql
from alembic_online.autogenerate.search_path_names import shortened
from alembic_online.autogenerate.writers.columns import column, column_extras
from alembic_online.autogenerate.writers.constraints import constraint, constraint_properties
from alembic_online.autogenerate.writers.first_privileges import first_grants
from alembic_online.autogenerate.writers.options import options, set_parameters
from alembic_online.autogenerate.writers.privileges import altered_grants
from alembic_online.autogenerate.writers.writer import Writer
from alembic_online.postgres.catalogue import Attribute, CatalogueObject, Identity, Kind

Lines = Iterator[MigrateOperation]


class TableWriter(Writer):
    def create(self, entry: CatalogueObject, context: Context) -> list[MigrateOperation]:
        return list(_created(entry, context))

    def drop(self, entry: CatalogueObject, context: Context) -> list[MigrateOperation]:
        return [Call("drop_table", entry.name, schema=context.schema_option(entry.schema))]

    def alter(self, change: Change, context: Context) -> list[MigrateOperation] | None:
        if (
            change.attributes
            - _ALTERED.keys()
            - {Attribute.COMMENT, Attribute.PRIVILEGES, Attribute.INHERITS, Attribute.PARTITION}
        ):
            return None
        lines: list[MigrateOperation] = []
        for attribute, alter in _ALTERED.items():
            if attribute in change.attributes:
                lines.extend(alter(change))
        if Attribute.COMMENT in change.attributes:
            lines.append(_comment(change, context))
        return [*lines, *altered_grants(f"TABLE {_name(change.identity)}", change)]

    def covers(self, parent: CatalogueObject, child: CatalogueObject, context: Context) -> bool:
        if child.kind is Kind.CONSTRAINT:
            return child.identity not in context.separate and constraint(child, context) is not None
        return child.kind is Kind.COLUMN


def _created(entry: CatalogueObject, context: Context) -> Lines:
    own = [child for child in context.new.children(entry.identity) if not _comes_from_parent(entry, child)]
    columns = [before_attached(child, context.new) for child in own if child.kind is Kind.COLUMN]
    constraints = [child for child in own if child.kind is Kind.CONSTRAINT and _covered(child, context)]
    arguments = [*(column(child, context) for child in columns), *(constraint(child, context) for child in constraints)]
    yield Call("create_table", entry.name, *arguments, **_table_options(entry, context))
    for child in columns:
        yield from column_extras(child, context)
    for child in constraints:
        yield from constraint_properties(child, context)
    bare = Change(CatalogueObject(entry.identity, entry.parent, {}), entry)
    for attribute, alter in _ALTERED.items():
        if attribute in entry.attributes and attribute not in _IN_CREATE:
            yield from alter(bare)
    yield from first_grants(f"TABLE {_name(entry.identity)}", entry, context)


def _comes_from_parent(entry: CatalogueObject, child: CatalogueObject) -> bool:
    return entry.has(Attribute.INHERITS) and child.has(Attribute.INHERITED)


def _covered(child: CatalogueObject, context: Context) -> Code | None:
    return None if child.identity in context.separate else constraint(child, context)


def _table_options(entry: CatalogueObject, context: Context) -> dict[str, Any]:
    stated = entry.attributes
    parents = entry.items(Attribute.INHERITS)
    return {
        "schema": context.schema_option(entry.schema),
        "comment": stated.get(Attribute.COMMENT),
        "prefixes": ["UNLOGGED"] if Attribute.UNLOGGED in stated else None,
        "postgresql_partition_by": stated.get(Attribute.PARTITIONED_BY),
        "postgresql_inherits": [code("sa.quoted_name", shortened(name), quote=False) for name in parents] or None,
        "postgresql_using": stated.get(Attribute.ACCESS_METHOD),
        "postgresql_tablespace": stated.get(Attribute.TABLESPACE),
    }


def _comment(change: Change, context: Context) -> MigrateOperation:
    before, after = (entry.attributes.get(Attribute.COMMENT) for entry in (change.before, change.after))
    given: dict[str, Any] = {"existing_comment": before, "schema": context.schema_option(change.identity.schema)}
    if after is None:
        return Call("drop_table_comment", change.identity.name, **given)
    return Call("create_table_comment", change.identity.name, after, **given)


def _options(change: Change) -> Lines:
    return set_parameters(_alter(change), options(change.before), options(change.after))


def _unlogged(change: Change) -> Lines:
    yield sql(f"{_alter(change)} SET {'UNLOGGED' if change.after.has(Attribute.UNLOGGED) else 'LOGGED'}")


def _tablespace(change: Change) -> Lines:
    tablespace = change.after.text(Attribute.TABLESPACE) or "pg_default"
    yield sql(f"{_alter(change)} SET TABLESPACE {quoted(tablespace)}")


def _access_method(change: Change) -> Lines:
    method = change.after.text(Attribute.ACCESS_METHOD) or "heap"
    yield sql(f"{_alter(change)} SET ACCESS METHOD {quoted(method)}")


def _replica_identity(change: Change) -> Lines:
    wanted = str(change.after.attributes.get(Attribute.REPLICA_IDENTITY, "default"))
    if wanted != "index":  # which the index says
        yield sql(f"{_alter(change)} REPLICA IDENTITY {wanted.upper()}")


def _row_security(change: Change) -> Lines:
    yield sql(
        f"{_alter(change)} {'ENABLE' if change.after.has(Attribute.ROW_SECURITY) else 'DISABLE'} ROW LEVEL SECURITY"
    )


def _row_security_forced(change: Change) -> Lines:
    forced = "" if change.after.has(Attribute.ROW_SECURITY_FORCED) else "NO "
    yield sql(f"{_alter(change)} {forced}FORCE ROW LEVEL SECURITY")


def _of_type(change: Change) -> Lines:
    of_type = change.after.attributes.get(Attribute.OF_TYPE)
    yield sql(f"{_alter(change)} {'NOT OF' if of_type is None else f'OF {of_type}'}")


def _alter(change: Change) -> str:
    return f"ALTER TABLE {_name(change.identity)}"


def _name(identity: Identity) -> str:
    return quoted(identity.schema, identity.name)


_IN_CREATE = frozenset({Attribute.UNLOGGED, Attribute.TABLESPACE, Attribute.ACCESS_METHOD})
_ALTERED: dict[str, Callable[[Change], Lines]] = {
    Attribute.OPTIONS: _options,
    Attribute.UNLOGGED: _unlogged,
    Attribute.TABLESPACE: _tablespace,
    Attribute.ACCESS_METHOD: _access_method,
    Attribute.OF_TYPE: _of_type,
    Attribute.REPLICA_IDENTITY: _replica_identity,
    Attribute.ROW_SECURITY: _row_security,
    Attribute.ROW_SECURITY_FORCED: _row_security_forced,
}
