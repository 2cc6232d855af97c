"""What the models want: built for real in a scratch database, and read as PostgreSQL prints it."""

import logging
import re
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, MetaData
from sqlalchemy.exc import DBAPIError

from alembic_online.autogenerate.build import Build
from alembic_online.autogenerate.context import Schema, quoted, read_schema
from alembic_online.autogenerate.obstacles import Obstacle
from alembic_online.autogenerate.scratch_extensions import prepare_like, run
from alembic_online.errors import RequestRefused
from alembic_online.postgres.catalogue import CatalogueObject, Identity, Kind, read_namespaces
from alembic_online.postgres.connection.url import DatabaseURL
from alembic_online.postgres.scratch import Place, in_scratch
from alembic_online.postgres.sqlstate import server_message
from alembic_online.revisions.named_schemas import declared_schemas, schemas_of_models

log = logging.getLogger(__name__)

_REMEDY = (
    "They were tried on an empty scratch database. What they need beside their tables (an extension,\n"
    "a function, a type) is declared with alembic_online.postgres.declared.declare(). If the role may not make\n"
    "databases here, MIGRATION_SCRATCH_URL can name a server that has what is missing."
)


@dataclass(frozen=True)
class Built:
    """What the models make, and what of them PostgreSQL refuses although the live database has it."""

    schema: Schema
    obstacles: tuple[Obstacle, ...] = ()
    helpers: frozenset[Identity] = frozenset()
    """What the models need and do not make: it was taken from the live schema."""


def build_models(metadata: MetaData, live: Schema, place: Place, target: DatabaseURL, elsewhere: str = "") -> Built:
    """The schema that `metadata` makes on a server like the one of `live`.

    What the live database has and the models cannot make is an obstacle, and said in the log. Raises `RequestRefused`
    where something is refused that is not there either: nobody could write a line for it.
    """

    try:
        built = in_scratch(target, place, lambda connection: build(connection, metadata, live), elsewhere=elsewhere)
    except DBAPIError as error:
        raise RequestRefused(f"The models cannot be built: {server_message(error)}.", _REMEDY) from error
    if new := [obstacle for obstacle in built.obstacles if obstacle.is_new(live, built.schema)]:
        raise _cannot_be_built(new)
    for obstacle in built.obstacles:
        log.warning("Not compared, for the models cannot make it: %s", "\n".join([str(obstacle), *obstacle.notes]))
    return built


def _cannot_be_built(obstacles: Sequence[Obstacle]) -> RequestRefused:
    first, *others = obstacles
    lines = [*first.notes, *(f"Nor {other}" for other in others)] or [_REMEDY]
    return RequestRefused(f"The models cannot be built: {first.says}.", "\n".join([f"In {first}", *lines]))


def make_models(connection: Connection, metadata: MetaData, live: Schema) -> Schema:
    """The schema alone."""
    return build(connection, metadata, live).schema


def build(connection: Connection, metadata: MetaData, live: Schema) -> Built:
    """Make them in an empty database, beside the extensions of `live`, and read what came of it."""
    prepare_like(connection, live)
    before = read_namespaces(connection)
    default = connection.exec_driver_sql("SELECT current_schema()").scalar() or "public"
    named = schemas_of_models(metadata)
    for schema in sorted(named - declared_schemas(metadata)):
        run(connection, f"CREATE SCHEMA IF NOT EXISTS {quoted(schema)}")
    attempt = Build(connection, live, str(default))
    attempt.make(metadata)
    made = read_schema(connection)
    needless = attempt.helpers - _needed(made, attempt.helpers)

    def is_wish(entry: CatalogueObject) -> bool:  # a schema that no model names, and is as it was, is none
        if entry.kind is Kind.SCHEMA and entry.name not in named - {"public"}:
            return before.get(entry.identity) != entry and entry.identity not in attempt.helpers
        return entry.identity not in needless

    return Built(made.only(is_wish), tuple(attempt.obstacles), frozenset(attempt.helpers))


def _needed(made: Schema, helpers: set[Identity]) -> set[Identity]:
    """Those that the models' own objects need, and those that the text of a needed one mentions."""
    own = [identity for identity in made.catalogue if identity not in helpers]
    found: set[Identity] = set()
    waiting = [need for identity in own for need in made.needs.get(identity, ())]
    while waiting:
        identity = waiting.pop()
        if identity not in helpers or identity in found:
            continue
        found.add(identity)
        words = set(re.findall(r"\w+", " ".join(map(str, made.catalogue[identity].attributes.values()))))
        waiting += [*made.needs.get(identity, ()), *made.ancestors(identity)]
        waiting += [child.identity for child in made.children(identity)]
        waiting += [other for other in helpers if other.name.partition("(")[0] in words]
    return found
