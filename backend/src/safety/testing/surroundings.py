"""The same chain makes the same schema and the same rows whatever surrounds it."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

from alembic import command
from alembic.config import Config

from src.postgres.catalogue import Catalogue, CatalogueObject, Identity, Kind, Value, compare
from src.postgres.errors import UserError
from src.safety.project import Project, open_project
from src.safety.testing.contents import Contents, lost
from src.safety.testing.finding import Finding
from src.safety.testing.ground import Ground, on_ground
from src.safety.testing.offline import by_script, scripts_of_two_processes
from src.safety.testing.round_trip import chain

ELSEWHERE = "kit_elsewhere"
_FAR_AWAY = {"TimeZone": "Asia/Kathmandu", "DateStyle": "German, DMY", "IntervalStyle": "sql_standard"}


@dataclass(frozen=True)
class Made:
    """What a run of the whole chain made of an empty database."""

    catalogue: Catalogue
    contents: Contents


def surroundings(project: Project) -> list[Finding]:
    """Run the chain in each of them, and hold it against a plain run. Nothing where the plain run itself fails."""
    try:
        plain = on_ground(project, _whole)
    except UserError:
        return []  # the round trip says it
    found = [*_held("deterministic", plain, lambda: on_ground(project, _whole))]
    found += _held("time zone", plain, lambda: on_ground(project, _one_by_one, settings=_FAR_AWAY))
    found += _held("role", plain, lambda: on_ground(project, _whole, role=True))
    found += _held("search_path", plain, lambda: _in_another_schema(project, plain))
    return [*found, *_offline(project, plain)]


def _held(check: str, plain: Made, run: Callable[[], Made]) -> Iterator[Finding]:
    try:
        made = run()
    except UserError as error:
        yield Finding(check, "", f"the chain fails: {' '.join(str(error).splitlines()[:3])}")
        return
    for difference in compare(plain.catalogue, made.catalogue):
        if check == "role" and difference.identity.kind is Kind.EXTENSION:
            continue  # an administrator has installed it
        yield Finding(check, "", f"another schema: {difference}")
    for words in lost(plain.contents, made.contents, ()):
        yield Finding(check, "", f"other rows: {words}")


def _whole(ground: Ground) -> Made:
    command.upgrade(ground.config(), "heads")
    return _read(ground)


def _one_by_one(ground: Ground) -> Made:
    """Each revision in an environment of its own, its file and env.py read anew: as when it was deployed alone."""
    for script in chain(ground.project):
        anew = open_project(Config(ground.project.config.config_file_name))
        command.upgrade(replace(ground, project=anew).config(), script.revision)
    return _read(ground)


def _read(ground: Ground) -> Made:
    return Made(ground.catalogue(), ground.contents(made_twice=True))


def _in_another_schema(project: Project, plain: Made) -> Made:
    """All that names no schema is to land in the first one of the path: then this is as good as the plain run."""
    made = on_ground(project, _whole, settings={"search_path": ELSEWHERE})
    contents = {table.removeprefix(f"{ELSEWHERE}."): rows for table, rows in made.contents.items()}
    moved = Catalogue(_moved(entry) for entry in made.catalogue.values() if entry.kind is not Kind.SCHEMA)
    schemas = [entry for entry in plain.catalogue.values() if entry.kind is Kind.SCHEMA]
    return Made(Catalogue([*schemas, *moved.values()]), contents)


def _moved(entry: CatalogueObject) -> CatalogueObject:
    def home(value: Value) -> Value:
        if isinstance(value, tuple):
            return tuple(each.replace(ELSEWHERE, "public") for each in value)
        return value.replace(ELSEWHERE, "public") if isinstance(value, str) else value

    identity = Identity(entry.kind, *(part.replace(ELSEWHERE, "public") for part in entry.identity[1:]))
    attributes = {name: home(value) for name, value in entry.attributes.items()}
    return CatalogueObject(identity, entry.parent, attributes)


def _offline(project: Project, plain: Made) -> Iterator[Finding]:
    """What `--sql` writes: the same in two processes, and to the same end as the chain itself."""
    first, second = scripts_of_two_processes(project)
    if first.refused:
        yield Finding("offline", "", f"upgrade --sql fails: {first.refused}")
        return
    if first.sql != second.sql:
        lines = zip(first.sql.splitlines(), second.sql.splitlines(), strict=False)
        example = next((line for line in lines if line[0] != line[1]), ("", "it is longer"))
        yield Finding("deterministic", "", f"two processes write different SQL: {example[0]!r}, then {example[1]!r}")

    def by_psql(ground: Ground) -> Made:
        by_script(ground, first)
        return _read(ground)

    yield from _held("offline", plain, lambda: on_ground(project, by_psql))
