"""A scratch database for the chain: what an administrator has put into the live one is there before the first revision.

That is each extension that no revision makes, in the schema in which it is: `extensions` on many managed servers.
"""

from collections.abc import Callable, Iterable
from typing import TypeVar

from sqlalchemy import Connection, text

from alembic_online.autogenerate.context import quoted
from alembic_online.postgres.declared import Extension, declared
from alembic_online.postgres.scratch import Place, in_scratch
from alembic_online.revisions.named_schemas import extensions_of_revisions, schemas_of_project, schemas_of_revisions
from alembic_online.revisions.project import Project

T = TypeVar("T")
_AVAILABLE = text("SELECT name::text FROM pg_available_extensions")
_ELSEWHERE = text(
    """
    SELECT e.extname::text FROM pg_extension e JOIN pg_namespace n ON n.oid = e.extnamespace
    WHERE e.extname = :name AND n.nspname <> :schema AND e.extrelocatable
    """
)


def in_chain_scratch(project: Project, place: Place, work: Callable[[Connection], T]) -> T:
    """What `work` returns for a connection, in autocommit, to a database in which the chain can begin.

    Raises what `in_scratch` raises.
    """
    place = chain_place(project, place)

    def prepared(connection: Connection) -> T:
        share_session(connection, place)
        install(connection, project, place)
        return work(connection)

    return in_scratch(project.target, place, prepared, elsewhere=project.policy.scratch_url)


def chain_place(project: Project, place: Place) -> Place:
    """`place` without the schemas that the chain itself makes."""
    return place.beside(schemas_of_project(project.metadata, project.scripts))


def install(connection: Connection, project: Project, place: Place) -> None:
    """The extensions that are there, or that the models declare, but for those that a revision makes.

    One that a revision makes only IF NOT EXISTS is there too, if it is not in the default schema.
    """
    made, schemas = extensions_of_revisions(project.scripts), schemas_of_revisions(project.scripts)
    there = dict(place.extensions)
    asked = [item.name for item in declared(project.metadata) if isinstance(item, Extension)]
    available = set(connection.scalars(_AVAILABLE))
    for name in dict.fromkeys([*there, *asked]):
        schema = there.get(name, place.schema)
        needed = name not in made or not (made[name] or schema == place.schema or schema in schemas)
        if needed and name in available and schema not in schemas:
            connection.exec_driver_sql(f"CREATE SCHEMA IF NOT EXISTS {quoted(schema)}")
            connection.exec_driver_sql(f"CREATE EXTENSION IF NOT EXISTS {quoted(name)} SCHEMA {quoted(schema)} CASCADE")


def move_extensions(connection: Connection, places: Iterable[tuple[str, str]]) -> None:
    """Put each into a schema, if it can be moved: where the live database has it is no difference."""
    for name, schema in places:
        if connection.scalar(_ELSEWHERE, {"name": name, "schema": schema}) is not None:
            connection.exec_driver_sql(f"CREATE SCHEMA IF NOT EXISTS {quoted(schema)}")
            connection.exec_driver_sql(f"ALTER EXTENSION {quoted(name)} SET SCHEMA {quoted(schema)}")


def share_session(connection: Connection, place: Place) -> None:
    """Alembic's connection is another one: the settings belong to the database."""
    name = connection.scalar(text("SELECT quote_ident(current_database())"))
    for setting, value in place.settings.items():
        written = value if setting == "search_path" else "'" + value.replace("'", "''") + "'"
        connection.exec_driver_sql(f"ALTER DATABASE {name} SET {setting} = {written or 'DEFAULT'}")
