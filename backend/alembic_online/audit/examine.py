"""The whole of it: a server, the project's models, the chain by plain Alembic, and the chain by the toolkit."""

from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory

from alembic.runtime.migration import MigrationContext
from alembic.script import Script
from sqlalchemy import Connection, text

from alembic_online.alembic_seam import version_folders
from alembic_online.audit.env_py import Environment, read_environment
from alembic_online.audit.folder import config_of
from alembic_online.audit.foreign import ForeignScripts, open_scripts
from alembic_online.audit.instead import Instead, carry_out
from alembic_online.audit.plain import PlainWalk, walk_plainly
from alembic_online.audit.stand_ins import named_extensions, write_stand_ins
from alembic_online.autogenerate.compare import compare_with_models
from alembic_online.environment import run_environment
from alembic_online.errors import RequestRefused
from alembic_online.policy import Policy
from alembic_online.postgres.catalogue import Difference
from alembic_online.postgres.connection.engine import one_connection
from alembic_online.postgres.connection.url import DatabaseURL, parse_url
from alembic_online.postgres.embedded import end_server, start_server
from alembic_online.postgres.errors import UserError
from alembic_online.postgres.scratch import Place, in_scratch, read_place, scratch_url
from alembic_online.review.plan.large_tables import Sizes
from alembic_online.revisions.project import Project

Told = Callable[[str, int, int], None]
"""Hears what is done, of how many, how far: for whoever shows it."""
# Nothing here need survive a power cut, and most of the time would be the disk's.
_FAST = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off", "shared_buffers": "'64MB'"}


@dataclass
class Examined:
    """What was seen of one project."""

    folder: Path
    """From where alembic is run."""
    scripts: ForeignScripts
    chain: list[Script]
    """From the oldest on."""
    plain: PlainWalk
    instead: Instead
    environment: Environment
    version: int
    """Of PostgreSQL."""
    sizes: Sizes = field(default_factory=Sizes)
    differences: list[Difference] = field(default_factory=list)
    """Between the models and the heads."""
    not_compared: str = ""
    """Why they were not compared."""
    stand_ins: list[str] = field(default_factory=list)
    """Extensions of which the server knows the names alone."""


def examine(
    folder: Path, policy: Policy, told: Told, x_arguments: Sequence[str] | None = None, sizes: Sizes | None = None
) -> Examined:
    """Look at the project of the working directory, which is `folder`. Raises `UserError` where nothing can be seen.

    `x_arguments` are what `alembic -x` would be given. Tables of which no size is known count as large.
    """
    config = config_of(folder, x_arguments)
    scripts = open_scripts(config, lambda: run_environment(environment.metadata, url=server.dsn))
    chain = list(scripts.walk_revisions())[::-1]
    if not chain:
        raise RequestRefused(
            f"There are no revisions in {', '.join(map(str, version_folders(scripts)))}.",
            "Name another folder, or say in alembic.ini where they are (version_locations).",
        )
    named = named_extensions(Path(script.path).read_text(encoding="utf-8", errors="replace") for script in chain)
    with _server(policy, named) as server:
        place = _place(server)
        environment = in_scratch(server, place, lambda each: read_environment(config, scripts, scratch_url(each)))
        project = Project(config, scripts, environment.metadata, server.dsn, policy)
        sizes = sizes or Sizes()
        seen = Examined(folder, scripts, chain, PlainWalk(), Instead(), environment, place.version, sizes)
        seen.stand_ins = sorted(named & in_scratch(server, place, _stand_ins))
        seen.not_compared = environment.failed

        def compare(at_head: MigrationContext) -> None:
            if not seen.not_compared:
                _compare(seen, at_head, server)

        told_plain, told_instead = (_counting(words, len(chain), told) for words in ("Plain Alembic", "Online"))
        seen.plain = walk_plainly(project, environment.options, place, chain, told_plain, compare)
        if not seen.plain.complete and not seen.not_compared:
            seen.not_compared = "not every revision could be applied, so there is no head to compare them with"
        seen.instead = carry_out(project, place, chain, seen.plain.trials, told_instead, sizes)
        return seen


def _compare(seen: Examined, at_head: MigrationContext, server: DatabaseURL) -> None:
    try:
        seen.differences = compare_with_models(at_head, seen.environment.metadata, server).differences
    except UserError as error:
        seen.not_compared = error.problem


def _counting(words: str, total: int, told: Told) -> Callable[[str], None]:
    done = iter(range(total))
    return lambda revision: told(f"{words}: {revision}", next(done), total)


@contextmanager
def _server(policy: Policy, extensions: Collection[str]) -> Iterator[DatabaseURL]:
    """An embedded server that ends with the audit, or that of MIGRATION_SCRATCH_URL."""
    if policy.scratch_url:
        yield parse_url(policy.scratch_url, source="MIGRATION_SCRATCH_URL")
        return
    with TemporaryDirectory(prefix="online-") as directory:
        folder = Path(directory).resolve()
        settings = {**_FAST, "extension_control_path": write_stand_ins(folder, extensions)}
        server = start_server(folder / "data", settings=settings, temporary=True)
        try:
            yield parse_url(server.get_uri())
        finally:
            end_server(server)


def _stand_ins(connection: Connection) -> set[str]:
    """The extensions that are there under a name only."""
    return set(connection.scalars(text("SELECT name::text FROM pg_available_extension_versions WHERE version = '0'")))


def _place(server: DatabaseURL) -> Place:
    engine = one_connection(server)
    try:
        with engine.connect() as connection:
            return read_place(connection)
    finally:
        engine.dispose()
