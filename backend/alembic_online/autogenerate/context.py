"""What a writer is given: the schema before, the schema after, and what only the models know."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property

from sqlalchemy import Connection, MetaData
from sqlalchemy.dialects import postgresql

from alembic_online.autogenerate.op_rendering import Code
from alembic_online.autogenerate.search_path_names import schema_option
from alembic_online.postgres.catalogue import Attribute, Catalogue, CatalogueObject, Identity, Kind, read_catalogue
from alembic_online.postgres.catalogue.dependencies import Dependencies, read_dependencies
from alembic_online.runtime.history import BOOKKEEPING

_PARTS = frozenset({Kind.COLUMN, Kind.CONSTRAINT, Kind.INDEX})
"""The parts of a table without which what refers to it could not be made."""
# With the paramstyle of psycopg, a percent sign in a name would be doubled.
_quote = postgresql.dialect(paramstyle="named").identifier_preparer.quote  # type: ignore[no-untyped-call]
_TYPES = frozenset({Kind.ENUM, Kind.DOMAIN, Kind.COMPOSITE, Kind.RANGE, Kind.BASE_TYPE})


@dataclass(frozen=True)
class Schema:
    """A catalogue, and what each of its objects needs."""

    catalogue: Catalogue
    needs: Dependencies
    default: str = "public"
    """The schema of names that say none."""
    version: int = 18
    """The major version of PostgreSQL."""

    def only(self, keep: Callable[[CatalogueObject], bool]) -> "Schema":
        """Without the objects that `keep` does not want."""
        return replace(self, catalogue=Catalogue(filter(keep, self.catalogue.values())))

    def needed_for(self, wanted: Iterable[Identity]) -> list[CatalogueObject]:
        """The objects of these names, and all that they need, with what it belongs to and its parts."""
        found: set[Identity] = set()
        waiting = list(wanted)
        while waiting:
            identity = waiting.pop()
            if identity in found or identity not in self.catalogue:
                continue
            found.add(identity)
            waiting += [*self.needs.get(identity, ()), *self.ancestors(identity)]
            waiting += [part.identity for part in self.children(identity) if part.kind in _PARTS]
        return [entry for entry in self.catalogue.values() if entry.identity in found]

    @cached_property
    def needed_by(self) -> dict[Identity, set[Identity]]:
        """The other way round."""
        found: defaultdict[Identity, set[Identity]] = defaultdict(set)
        for identity, needs in self.needs.items():
            if identity in self.catalogue:
                for needed in needs:
                    found[needed].add(identity)
        return found

    @cached_property
    def types(self) -> dict[tuple[str, str], CatalogueObject]:
        """The types of the catalogue by schema and name, which one schema gives once."""
        return {(entry.schema, entry.name): entry for entry in self.catalogue.values() if entry.kind in _TYPES}

    @cached_property
    def _children(self) -> dict[Identity, list[CatalogueObject]]:
        found: defaultdict[Identity, list[CatalogueObject]] = defaultdict(list)
        for entry in self.catalogue.values():
            if entry.parent is not None:
                found[entry.parent].append(entry)
        return found

    @cached_property
    def indexes(self) -> list[CatalogueObject]:
        """All indexes."""
        return [entry for entry in self.catalogue.values() if entry.kind is Kind.INDEX]

    def children(self, identity: Identity, kind: Kind | None = None) -> list[CatalogueObject]:
        """The objects that live and die with it; columns in their order, all else by name."""
        found = [entry for entry in self._children.get(identity, []) if kind in (None, entry.kind)]
        return sorted(found, key=lambda entry: (entry.kind, int(entry.text(Attribute.POSITION) or 0), entry.name))

    def ancestors(self, identity: Identity) -> Iterator[Identity]:
        """Its parent, its parent's parent, ..."""
        entry = self.catalogue.get(identity)
        while entry is not None and entry.parent is not None:
            yield entry.parent
            entry = self.catalogue.get(entry.parent)


def read_schema(connection: Connection, *ignored: str) -> Schema:
    """The whole schema of the connection's database, without the migrations' own tables, and those `ignored`."""
    default = connection.exec_driver_sql("SELECT current_schema()").scalar() or "public"
    version = connection.exec_driver_sql("SHOW server_version_num").scalar()
    catalogue = read_catalogue(connection, ignore_tables=(*BOOKKEEPING, *ignored))
    return Schema(catalogue, read_dependencies(connection), str(default), int(version or 0) // 10000)


@dataclass(frozen=True)
class Context:
    """One way, from `old` to `new`. `models` are there on the way to them, and None on the way back."""

    old: Schema
    new: Schema
    models: MetaData | None = None
    hold_null: frozenset[Identity] = frozenset()
    """Columns of which rows hold NULL in the database of `old`, that are not to."""
    rebuild: bool = False
    """Whether functions and views are dropped and made again, rather than replaced."""
    merged: Mapping[Identity, Mapping[str, str]] = field(default_factory=dict)
    """For each enum what an old label becomes, on the way to the models."""
    separate: frozenset[Identity] = field(default_factory=frozenset)
    """Foreign keys of new tables that refer to each other: they are made when all the tables are there."""

    own_type: Callable[[CatalogueObject], Code | None] | None = None
    """How the project itself writes the type of a column; None from it leaves that to the toolkit."""

    def schema_option(self, schema: str) -> str | None:
        """A schema as an argument of an operation: None for the default one."""
        return schema_option(schema, self.new.default)


@dataclass(frozen=True)
class Change:
    """One object that is there before and after, and differs."""

    before: CatalogueObject
    after: CatalogueObject

    @property
    def identity(self) -> Identity:
        return self.after.identity

    @cached_property
    def attributes(self) -> frozenset[Attribute]:
        """The names of the attributes that differ."""
        old, new = self.before.compared, self.after.compared
        return frozenset(name for name in old.keys() | new.keys() if old.get(name) != new.get(name))


def quoted(*names: str) -> str:
    """A name of SQL, qualified: `public."Odd name"`. Empty parts are left out."""
    return ".".join(_quote(name) for name in names if name)
