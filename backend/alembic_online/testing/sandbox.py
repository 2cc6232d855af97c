"""Where the kit tries things: a scratch database, a way to read it, and Alembic's steps one after the other on it."""

import secrets
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import NamedTuple, TypeVar
from urllib.parse import parse_qsl, quote, urlencode, urlsplit, urlunsplit

from alembic.config import Config
from alembic.runtime.migration import RevisionStep
from sqlalchemy import Connection, Engine

from alembic_online.policy import Policy
from alembic_online.postgres.catalogue import Catalogue, read_catalogue, stay_neutral
from alembic_online.postgres.connection.engine import one_connection
from alembic_online.postgres.connection.url import DatabaseURL
from alembic_online.postgres.declared import Extension, declared
from alembic_online.postgres.scratch import Place, entries, in_scratch, read_place, scratch_url
from alembic_online.review.plan.chain import share_session
from alembic_online.review.plan.rehearsal import consenting, rehearsing
from alembic_online.review.plan.steps import upgrade
from alembic_online.revisions.project import Project
from alembic_online.runtime.history import BOOKKEEPING
from alembic_online.runtime.rehearsal import NextStatement
from alembic_online.runtime.table_facts import TableFacts
from alembic_online.sample_rows.tables import Table, read_tables
from alembic_online.testing.row_snapshot import Contents, read_contents

T = TypeVar("T")
PLAIN: Mapping[str, str] = {"search_path": "public", "TimeZone": "UTC", "DateStyle": "ISO, MDY"}


@dataclass(frozen=True)
class Elsewhere:
    """A rehearsal that only says where to run, and as whom."""

    target: DatabaseURL
    policy: Policy

    def facts(self, there: TableFacts) -> TableFacts:
        """The scratch database's own."""
        return there

    def fills(self, words: str, table: str) -> None:
        """Nobody looks."""

    def before(self, connection: Connection, coming: NextStatement) -> None:
        """Nobody looks."""

    def after(self, connection: Connection) -> None:
        """Nobody looks."""


class Seen(NamedTuple):
    """What a scratch database held at one moment."""

    catalogue: Catalogue
    tables: dict[str, Table]
    contents: Contents


@dataclass(frozen=True)
class Ground:
    """One scratch database of a project."""

    project: Project
    target: DatabaseURL
    engine: Engine
    reader: Engine
    """For the catalogue. Both have one connection each: a new one would read PostgreSQL's own tables again."""
    known: dict[Catalogue, dict[str, Table]] = field(default_factory=dict)
    """The tables of a schema that was seen before."""

    def catalogue(self) -> Catalogue:
        """All that is in it but the migrations' own."""
        with self.reader.begin() as connection:
            return read_catalogue(connection, ignore_tables=BOOKKEEPING)

    def look(self, catalogue: Catalogue | None = None, *, made_twice: bool = False) -> Seen:
        """Everything that is in it; `catalogue` is how it is, if that is known. For the rows see `read_contents`."""
        catalogue = self.catalogue() if catalogue is None else catalogue
        with self.engine.begin() as connection:
            if catalogue not in self.known:
                self.known[catalogue] = read_tables(connection)
            tables = self.known[catalogue]
            return Seen(catalogue, tables, read_contents(connection, tables.values(), made_twice=made_twice))

    def config(self) -> Config:
        """For a command of Alembic's: with it, env.py finds this database in the place of its own."""
        return rehearsing(self.project, Elsewhere(self.target, consenting(self.project.policy)))

    def run(self, steps: Callable[[], Iterator[RevisionStep]]) -> None:
        """Alembic's upgrade by the project's env.py; what the iterator does happens between two revisions.

        Raises `UserError`.
        """
        upgrade(self.project, self.config(), steps)


def on_ground(
    project: Project, work: Callable[[Ground], T], *, role: bool = False, settings: Mapping[str, str] | None = None
) -> T:
    """What `work` returns for a new database with `settings`; with `role`, it belongs to a role of few rights.

    A search_path that env.py itself SETs is that of the database.
    """
    own = {name: setting for name, setting in project.session.settings.items() if name in PLAIN}
    settings = {**PLAIN, **own, **(settings or {})}
    schema = next(entries(settings["search_path"], project.target.role), "public")
    version = _version(project)
    place = Place(settings, schema, (), version)

    def with_(connection: Connection) -> T:
        quoted = connection.dialect.identifier_preparer.quote
        share_session(connection, place)
        target = scratch_url(connection)
        if not role:
            return _work(project, target, work)
        for extension in declared(project.metadata):
            if isinstance(extension, Extension):  # which an administrator installs where the role may not
                connection.exec_driver_sql(f"CREATE EXTENSION IF NOT EXISTS {quoted(extension.name)}")
        with _owner(connection, target) as owned:
            if schema != "public":  # which is the database owner's anyway
                connection.exec_driver_sql(f"ALTER SCHEMA {quoted(schema)} OWNER TO {quoted(owned.role)}")
            return _work(project, owned, work)

    return in_scratch(project.target, place, with_, elsewhere=project.policy.scratch_url)


def _version(project: Project) -> int:
    engine = one_connection(project.target)
    with engine.connect() as connection:
        version = read_place(connection).version
    engine.dispose()
    return version


def _work(project: Project, target: DatabaseURL, work: Callable[[Ground], T]) -> T:
    # Of the tables nothing is prepared: they are others after the next revision ("cached plan must not change").
    engine, reader = one_connection(target, prepare=None), one_connection(target)
    try:
        with reader.begin() as connection:
            stay_neutral(connection)
        return work(Ground(project, target, engine, reader))
    finally:
        engine.dispose()
        reader.dispose()


@contextmanager
def _owner(connection: Connection, target: DatabaseURL) -> Iterator[DatabaseURL]:
    """A role that owns the database and may nothing else, gone afterwards."""
    name, password = f"kit_{secrets.token_hex(4)}", secrets.token_hex(8)
    database = connection.dialect.identifier_preparer.quote(target.database)
    connection.exec_driver_sql(f"CREATE ROLE {name} LOGIN NOSUPERUSER PASSWORD '{password}'")
    try:
        connection.exec_driver_sql(f"ALTER DATABASE {database} OWNER TO {name}")
        yield _as(target, name, password)
    finally:
        connection.exec_driver_sql(f"ALTER DATABASE {database} OWNER TO CURRENT_USER")
        for undo in ("REASSIGN OWNED BY {} TO CURRENT_USER", "DROP OWNED BY {}", "DROP ROLE {}"):
            connection.exec_driver_sql(undo.format(name))


def _as(target: DatabaseURL, role: str, password: str) -> DatabaseURL:
    split = urlsplit(target.dsn)
    query = {key: value for key, value in parse_qsl(split.query) if key not in ("user", "password")}
    netloc = f"{role}:{password}@{split.netloc.rpartition('@')[2]}"
    dsn = urlunsplit(split._replace(netloc=netloc, query=urlencode(query, quote_via=quote)))
    return replace(target, dsn=dsn, role=role)
