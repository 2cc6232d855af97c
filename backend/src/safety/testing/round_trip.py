"""Every revision up, down and up again, in one environment: by the whole catalogue, with rows and without."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import partial

from alembic.runtime.migration import RevisionStep
from alembic.script import Script

from src.postgres.catalogue import Catalogue, compare
from src.postgres.errors import UserError
from src.safety.plan.steps import down, up
from src.safety.project import Project
from src.safety.testing.contents import Contents, lost
from src.safety.testing.filling import Filler, Hints
from src.safety.testing.finding import Finding
from src.safety.testing.ground import Ground, on_ground
from src.safety.testing.old_code import broken_queries
from src.safety.testing.tables import read_tables


def chain(project: Project) -> list[Script]:
    """The revisions from the first to the head."""
    return list(project.scripts.walk_revisions())[::-1]


@dataclass
class RoundTrip:
    """One walk along the chain. With `filler`, tables have rows."""

    project: Project
    filler: Filler | None
    findings: list[Finding] = field(default_factory=list)
    at: str = ""
    doing: str = ""

    def walk(self) -> list[Finding]:
        """What was found. A revision that fails ends the walk, which begins again behind it."""
        scripts = chain(self.project)
        start = 0
        while start < len(scripts):
            start = on_ground(self.project, partial(self._from, scripts=scripts, start=start))
        return self.findings

    def _from(self, ground: Ground, scripts: list[Script], start: int) -> int:
        """Check from revision number `start`; the number of the one to go on with."""
        self.at = ""
        if self.filler is not None:
            self.filler = Filler(self.filler.hints)
        try:
            ground.run(lambda: self._steps(ground, scripts, start))
        except UserError as error:
            if not self.at:
                raise  # before any revision: it is nobody's but the machine's
            self._say("round trip", f"{self.doing} fails: {_first_lines(error)}")
            # On empty tables the upgrade itself cannot be done: nothing behind it can be looked at.
            return len(scripts) if self.doing == "upgrade" else [each.revision for each in scripts].index(self.at) + 1
        return len(scripts)

    def _steps(self, ground: Ground, scripts: list[Script], start: int) -> Iterator[RevisionStep]:
        for script in scripts[:start]:
            self.at, self.doing = script.revision, "upgrade"
            yield up(self.project.scripts, script)
        self._fill(ground, say=False)
        for script in scripts[start:]:
            self.at = script.revision
            yield from self._one(ground, script)

    def _one(self, ground: Ground, script: Script) -> Iterator[RevisionStep]:
        loses = tuple(getattr(script.module, "loses", ()))
        before, rows = ground.catalogue(), ground.contents()
        with ground.engine.begin() as connection:
            tables = read_tables(connection)
        yield self._step("upgrade", script)
        made, made_rows = ground.catalogue(), ground.contents()
        yield self._step("downgrade", script)
        self._compare("after upgrade and downgrade", before, ground.catalogue())
        self._hold("after upgrade and downgrade", rows, ground.contents(), loses)
        yield self._step("second upgrade", script)
        self._compare("after the second upgrade", made, ground.catalogue())
        self._hold("after the second upgrade", made_rows, ground.contents(), loses)
        if self.filler is not None:
            with ground.engine.begin() as connection:
                for words in broken_queries(connection, tables, self.filler, loses):
                    self._say("old code", words)
            self._fill(ground, say=True)
            yield self._step("downgrade with rows of its own", script)
            self._compare("after a downgrade with rows", before, ground.catalogue())
            yield self._step("upgrade again", script)
            self._fill(ground, say=False)  # what the downgrade took along

    def _step(self, doing: str, script: Script) -> RevisionStep:
        self.doing = doing if self.filler is None else f"{doing} (with rows)"
        return (down if doing.startswith("downgrade") else up)(self.project.scripts, script)

    def _fill(self, ground: Ground, *, say: bool) -> None:
        if self.filler is not None:
            with ground.engine.begin() as connection:
                problems = self.filler.fill(connection)
            for words in problems if say else ():
                self._say("rows", words)

    def _compare(self, when: str, wanted: Catalogue, found: Catalogue) -> None:
        for difference in compare(wanted, found):
            self._say("round trip", f"{when}: {difference}")

    def _hold(self, when: str, wanted: Contents, found: Contents, loses: tuple[str, ...]) -> None:
        for words in lost(wanted, found, loses):
            self._say("rows", f"{when}: {words}")

    def _say(self, check: str, words: str) -> None:
        self.findings.append(Finding(check, self.at, words))


def round_trips(project: Project, hints: Hints) -> list[Finding]:
    """Without rows, then with rows; what both find is said once."""
    empty = RoundTrip(project, None).walk()
    return list(dict.fromkeys([*empty, *RoundTrip(project, Filler(hints)).walk()]))


def _first_lines(error: UserError) -> str:
    return " ".join(str(error).splitlines()[:3])
