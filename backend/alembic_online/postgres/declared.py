"""Database objects that SQLAlchemy has no word for, declared beside the models by their own SQL.

They hang on the MetaData, so whoever has the models has them too: `metadata.create_all()` makes the whole schema,
and a comparison of models and database knows what to expect. PostgreSQL parses the SQL, not this module.
"""

import re
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from enum import IntEnum
from fnmatch import fnmatchcase

from sqlalchemy import Connection, MetaData, Table, UniqueConstraint, event, text

from alembic_online.postgres.sql.verbatim import run_as_written

_KEY = "declared"
_SCHEMA = re.compile(r"\s*CREATE\s+SCHEMA\b", re.IGNORECASE)
_DEFAULT_PRIVILEGES = re.compile(r"\s*ALTER\s+DEFAULT\s+PRIVILEGES\b", re.IGNORECASE)
_BEFORE_TABLES = re.compile(r"\s*CREATE\s+(TYPE|DOMAIN|COLLATION|SEQUENCE)\b", re.IGNORECASE)
_INSTALLED_VERSION = text("SELECT extversion FROM pg_extension WHERE extname = :name")


class ExtensionTooOld(Exception):
    """The database has the extension in a version below the declared minimum; nothing was changed."""

    def __init__(self, extension: "Extension", installed: str) -> None:
        super().__init__(
            f"Extension {extension.name} {installed} is too old: {extension.minimum_version} or newer is needed. "
            f"Run ALTER EXTENSION {extension.name} UPDATE; if the server has nothing newer, install that first."
        )
        self.extension = extension
        self.installed = installed


class Turn(IntEnum):
    """When `create_all()` makes something: extensions come after the schemas, SQLAlchemy's types before the tables'
    own needs."""

    SCHEMAS = 1
    DEFAULT_PRIVILEGES = 2
    BEFORE_TABLES = 3
    AFTER_TABLES = 4


@dataclass(frozen=True)
class Extension:
    """An extension of the database, made before the tables because their columns may use its types."""

    name: str
    minimum_version: str | None = None

    def create(self, connection: Connection) -> None:
        """Create the extension unless it is there: unlike a table, it may serve others in the same database.

        Raises:
            ExtensionTooOld: its version, found or made, is below `minimum_version`.
        """
        installed = self._installed_version(connection)
        if installed is None:
            connection.exec_driver_sql(f"CREATE EXTENSION {_quoted(connection, self.name)}")
            installed = self._installed_version(connection)
        if installed and self.minimum_version and release(installed) < release(self.minimum_version):
            raise ExtensionTooOld(self, installed)

    def _installed_version(self, connection: Connection) -> str | None:
        version: str | None = connection.scalar(_INSTALLED_VERSION, {"name": self.name})
        return version


@dataclass(frozen=True)
class SQLObject:
    """One statement: CREATE FUNCTION, TRIGGER, VIEW, POLICY, ...

    Also ALTER TABLE, for a property of a table that SQLAlchemy has no word for, such as a column's storage. It is run
    after the tables; a type, a domain, a collation and a sequence are made before them, and so is what says
    `before_tables=True`, such as a function that a column's default calls. A schema comes before all else, for
    SQLAlchemy's own types may be in it; and before those ALTER DEFAULT PRIVILEGES is said.
    """

    sql: str
    before_tables: bool = False

    @property
    def turn(self) -> "Turn":
        """When it is made."""
        for pattern, turn in ((_SCHEMA, Turn.SCHEMAS), (_DEFAULT_PRIVILEGES, Turn.DEFAULT_PRIVILEGES)):
            if pattern.match(self.sql):
                return turn
        return Turn.BEFORE_TABLES if self.before_tables or _BEFORE_TABLES.match(self.sql) else Turn.AFTER_TABLES

    def create(self, connection: Connection) -> None:
        """Run the statement as it is written: a percent sign or a colon in it is no parameter."""
        run_as_written(connection, self.sql)


@dataclass(frozen=True)
class LeaveAlone:
    """Objects of others in a schema of ours, by a pattern such as `legacy_*` or `archive.*`: never compared or dropped.

    The pattern is matched with an object's name and with `schema.name`; what belongs to a table goes with the table.
    """

    pattern: str

    def matches(self, schema: str, name: str) -> bool:
        """Whether the object of this name is meant."""
        return fnmatchcase(name, self.pattern) or fnmatchcase(f"{schema}.{name}", self.pattern)

    def create(self, connection: Connection) -> None:
        """Nothing: others make it."""


Declared = Extension | SQLObject | LeaveAlone


def declare(metadata: MetaData, *objects: Declared) -> None:
    """Attach objects to the metadata. `create_all()` makes them in the order of declaration, schemas
    and extensions first."""
    if _KEY not in metadata.info:
        metadata.info[_KEY] = []
        # An Enum of this metadata listens since it was made, which may be sooner than this.
        event.listen(metadata, "before_create", _create_first, insert=True)
        event.listen(metadata, "before_create", _create_before)
        event.listen(metadata, "after_create", _create_after)
    metadata.info[_KEY].extend(objects)


def declared(metadata: MetaData) -> tuple[Declared, ...]:
    """Everything attached to the metadata, in the order of declaration."""
    return tuple(metadata.info.get(_KEY, ()))


def one_metadata(given: MetaData | Iterable[MetaData] | None) -> MetaData:
    """The models as one: a project may have its tables in several, or none at all."""
    if isinstance(given, MetaData):
        return given
    whole = MetaData()
    for metadata in given or ():
        if declares_objects(metadata) or declared(metadata):
            declare(whole, *declared(metadata))
        for table in metadata.tables.values():
            _name_alike(table, table.to_metadata(whole))
    return whole


def _name_alike(table: Table, copy: Table) -> None:
    """What a column's own flag asks for (`index=True`) is made another time with the copy, and not by the naming
    convention of its models."""
    unique = [[each for each in one.constraints if isinstance(each, UniqueConstraint)] for one in (table, copy)]
    for there, made in ((table.indexes, copy.indexes), unique):
        named = {each.name for each in there}
        left = {tuple(each.columns.keys()): each.name for each in there if each.name not in {one.name for one in made}}
        for each in made:
            if each.name not in named:
                each.name = left.get(tuple(each.columns.keys()), each.name)


def declares_objects(metadata: MetaData) -> bool:
    """Whether the project keeps account of what SQLAlchemy has no word for. It says `declare(metadata)` where the last
    of them is gone."""
    found = declared(metadata)
    return any(isinstance(item, SQLObject) for item in found) if found else _KEY in metadata.info


def _create_first(metadata: MetaData, connection: Connection, *, tables: Collection[Table], **_: object) -> None:
    _create(metadata, connection, tables, Turn.SCHEMAS)
    for item in declared(metadata):
        if isinstance(item, Extension):
            item.create(connection)
    _create(metadata, connection, tables, Turn.DEFAULT_PRIVILEGES)


def _create_before(metadata: MetaData, connection: Connection, *, tables: Collection[Table], **_: object) -> None:
    _create(metadata, connection, tables, Turn.BEFORE_TABLES)


def _create_after(metadata: MetaData, connection: Connection, *, tables: Collection[Table], **_: object) -> None:
    _create(metadata, connection, tables, Turn.AFTER_TABLES)


def _create(metadata: MetaData, connection: Connection, tables: Collection[Table], turn: Turn) -> None:
    if metadata.tables and not tables:  # a second create_all() found every table there, and so the objects on them
        return
    for item in declared(metadata):
        if isinstance(item, SQLObject) and item.turn is turn:
            item.create(connection)


def _quoted(connection: Connection, name: str) -> str:
    return connection.dialect.identifier_preparer.quote(name)


def release(version: str) -> tuple[int, ...]:
    """The numbers of a version, to compare with another's: "0.8.5" is (0, 8, 5)."""
    return tuple(int(number) for number in re.findall(r"\d+", version))
