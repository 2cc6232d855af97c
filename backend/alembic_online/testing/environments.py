"""The same chain makes the same schema and the same rows whatever surrounds it."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial

from alembic import command

from alembic_online.postgres.catalogue import Catalogue, CatalogueObject, Identity, Kind, Value, compare
from alembic_online.postgres.errors import UserError
from alembic_online.revisions.project import Project
from alembic_online.runtime.own_thread import outside_of_loops
from alembic_online.testing.finding import Finding, in_short
from alembic_online.testing.offline import by_script, script
from alembic_online.testing.other_process import OtherProcess, ProcessFailed
from alembic_online.testing.row_snapshot import Contents, lost
from alembic_online.testing.sandbox import Ground, on_ground
from alembic_online.testing.separate_processes import by_processes

ELSEWHERE = "kit_elsewhere"
_FAR_AWAY = {"TimeZone": "Asia/Kathmandu", "DateStyle": "German, DMY", "IntervalStyle": "sql_standard"}


@dataclass(frozen=True)
class Made:
    """What a run of the whole chain made of an empty database."""

    catalogue: Catalogue
    contents: Contents

    @classmethod
    def on(cls, ground: Ground) -> "Made":
        """What is there now."""
        seen = ground.look(made_twice=True)
        return cls(seen.catalogue, seen.contents)


def whole(ground: Ground) -> Made:
    """All revisions by one command."""
    outside_of_loops(lambda: command.upgrade(ground.config(), "heads"))
    return Made.on(ground)


def surroundings(project: Project, plain: Made, made: Mapping[str, Catalogue]) -> list[Finding]:
    """Run the chain in each of them, and hold it against a `plain` run; `made` is what each revision made there."""
    own_path = "search_path" in project.session.settings
    with OtherProcess(project, seed=1) as one, OtherProcess(project, seed=2) as two, ThreadPoolExecutor(1) as meanwhile:
        by_themselves = partial(_by_processes, plain=plain, made=made, others=(one, two))
        waiting = meanwhile.submit(on_ground, project, by_themselves)
        here = [
            *_held("deterministic", plain, lambda: on_ground(project, whole)),
            *_held("time zone", plain, lambda: on_ground(project, whole, settings=_FAR_AWAY)),
            *_held("role", plain, lambda: on_ground(project, whole, role=True)),
            # An env.py that SETs it is surrounded by no other.
            *(() if own_path else _held("search_path", plain, lambda: _in_another_schema(project, plain))),
        ]
        return [*here, *waiting.result(), *_offline(project, plain, one, two)]


def _held(check: str, plain: Made, run: Callable[[], Made]) -> Iterator[Finding]:
    try:
        made = run()
    except UserError as error:
        yield Finding(check, "", f"the chain fails: {in_short(error)}")
        return
    for difference in compare(plain.catalogue, made.catalogue):
        if check == "role" and difference.identity.kind is Kind.EXTENSION:
            continue  # an administrator has installed it
        yield Finding(check, "", f"another schema: {difference}")
    yield from _other_rows(check, plain, made)


def _other_rows(check: str, plain: Made, made: Made) -> Iterator[Finding]:
    for words in lost(plain.contents, made.contents, ()):
        yield Finding(check, "", f"other rows: {words}")


def _by_processes(
    ground: Ground, plain: Made, made: Mapping[str, Catalogue], others: Sequence[OtherProcess]
) -> list[Finding]:
    found = [Finding("process", revision, words) for revision, words in by_processes(ground, made, others)]
    return found or [*_other_rows("process", plain, Made.on(ground))]


def _in_another_schema(project: Project, plain: Made) -> Made:
    """All that names no schema is to land in the first one of the path: then this is as good as the plain run."""
    made = on_ground(project, whole, settings={"search_path": ELSEWHERE})
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


def _offline(project: Project, plain: Made, one: OtherProcess, two: OtherProcess) -> Iterator[Finding]:
    """What `--sql` writes: the same in two processes, and to the same end as the chain itself."""
    try:
        first, second = one.ask(script), two.ask(script)
    except ProcessFailed as error:
        yield Finding("offline", "", f"upgrade --sql fails: {error}")
        return
    if first != second:
        lines = zip(first.splitlines(), second.splitlines(), strict=False)
        example = next((line for line in lines if line[0] != line[1]), ("", "it is longer"))
        yield Finding("deterministic", "", f"two processes write different SQL: {example[0]!r}, then {example[1]!r}")

    def by_psql(ground: Ground) -> Made:
        by_script(ground, first)
        return Made.on(ground)

    yield from _held("offline", plain, lambda: on_ground(project, by_psql))
