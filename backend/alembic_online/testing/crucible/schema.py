"""A schema as plain data: small enough to be printed, written to a file, and taken apart piece by piece."""

from collections.abc import Iterable
from dataclasses import asdict, dataclass, replace
from typing import Any


@dataclass(frozen=True)
class Column:
    """`default` is an expression of SQL; `generated` one with `{0}`, ... for the columns that it `reads`."""

    name: str
    type: str
    nullable: bool = True
    default: str = ""
    generated: str = ""
    reads: tuple[str, ...] = ()
    persisted: bool = True
    identity: str = ""
    """`always` or `by default`."""
    renamed_from: str = ""


@dataclass(frozen=True)
class Rule:
    """A unique constraint, or a check whose text has `{0}` for the first of its columns."""

    name: str
    columns: tuple[str, ...]
    check: str = ""


@dataclass(frozen=True)
class Reference:
    """A foreign key to the key of another table."""

    name: str
    column: str
    table: str
    on_delete: str = ""
    target: str = "id"


@dataclass(frozen=True)
class Index:
    """`expression` has `{0}` for the first column; empty for the columns themselves."""

    name: str
    columns: tuple[str, ...]
    unique: bool = False
    expression: str = ""
    where: str = ""
    using: str = "btree"


@dataclass(frozen=True)
class Table:
    """With a key of one or two columns, `key`."""

    name: str
    columns: tuple[Column, ...]
    key: tuple[str, ...]
    rules: tuple[Rule, ...] = ()
    references: tuple[Reference, ...] = ()
    indexes: tuple[Index, ...] = ()
    partitions: int = 0
    """How many, by range of the key's first column."""
    renamed_from: str = ""
    fixed: tuple[str, ...] = ()
    """Columns that are mentioned by what nothing here changes."""

    def column(self, name: str) -> Column:
        """The one of this name. Raises `StopIteration`."""
        return next(column for column in self.columns if column.name == name)

    @property
    def id(self) -> Column:
        """The first of the key."""
        return self.column(self.key[0])

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(column.name for column in self.columns)

    @property
    def plain(self) -> tuple[Column, ...]:
        """Columns that are neither in the key nor generated nor in a foreign key nor numbered nor fixed."""
        bound = {*self.key, *self.fixed, *(reference.column for reference in self.references)}
        return tuple(
            each for each in self.columns if each.name not in bound and not each.generated and not each.identity
        )

    @property
    def unique(self) -> frozenset[str]:
        """Columns in a unique constraint or index."""
        keys = [rule.columns for rule in self.rules if not rule.check]
        keys += [index.columns for index in self.indexes if index.unique]
        return frozenset(name for columns in keys for name in columns)

    def having(self, column: Column) -> "Table":
        """With this one in the place of the one of its name."""
        return replace(self, columns=tuple(column if each.name == column.name else each for each in self.columns))


@dataclass(frozen=True)
class Enum:
    """A native enum type. `renamed` says what labels were called, (new, old); `merged` what went into another."""

    name: str
    labels: tuple[str, ...]
    renamed: tuple[tuple[str, str], ...] = ()
    merged: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class Attached:
    """A view, a trigger or a policy of one table; it reads the columns."""

    name: str
    kind: str
    table: str
    columns: tuple[str, ...]


@dataclass(frozen=True)
class Schema:
    """All of it, tables that are referred to first. `others` are statements that nothing here changes."""

    tables: tuple[Table, ...] = ()
    enums: tuple[Enum, ...] = ()
    attached: tuple[Attached, ...] = ()
    others: tuple[str, ...] = ()
    extensions: tuple[str, ...] = ()
    firsts: tuple[str, ...] = ()
    """Statements that come before the tables."""

    def table(self, name: str) -> Table:
        """The one of this name. Raises `StopIteration`."""
        return next(table for table in self.tables if table.name == name)

    def having(self, table: Table, *, called: str = "") -> "Schema":
        """With this one in the place of the one that is `called` so, else of the one of its name."""
        called = called or table.name
        return replace(self, tables=tuple(table if each.name == called else each for each in self.tables))

    def labels(self, type_: str) -> tuple[str, ...]:
        """Of the enum of this name; empty for another type."""
        return next((enum.labels for enum in self.enums if enum.name == type_), ())


def to_json(schema: Schema) -> dict[str, Any]:
    """For `json.dumps`."""
    return asdict(schema)


def from_json(data: dict[str, Any]) -> Schema:
    """What `to_json` made."""
    return Schema(
        tuple(_table(each) for each in data["tables"]),
        tuple(
            Enum(each["name"], tuple(each["labels"]), _pairs(each.get("renamed", [])), _pairs(each["merged"]))
            for each in data["enums"]
        ),
        tuple(Attached(**{**each, "columns": tuple(each["columns"])}) for each in data["attached"]),
        tuple(data["others"]),
        tuple(data["extensions"]),
        tuple(data.get("firsts", ())),
    )


def _pairs(data: list[list[str]]) -> tuple[tuple[str, str], ...]:
    return tuple((new, old) for new, old in data)


def _table(data: dict[str, Any]) -> Table:
    return Table(
        **{
            **data,
            "key": tuple(data["key"]),
            "fixed": tuple(data.get("fixed", ())),
            "columns": tuple(Column(**_tuples(each)) for each in data["columns"]),
            "rules": tuple(Rule(**_tuples(each)) for each in data["rules"]),
            "references": tuple(Reference(**each) for each in data["references"]),
            "indexes": tuple(Index(**_tuples(each)) for each in data["indexes"]),
        }
    )


def _tuples(data: dict[str, Any]) -> dict[str, Any]:
    return {name: tuple(value) if isinstance(value, list) else value for name, value in data.items()}


def without(items: Iterable[Any], name: str) -> tuple[Any, ...]:
    """Those of another name."""
    return tuple(item for item in items if item.name != name)
