"""Every revision up, down and up again, in one environment: by the whole catalogue, with rows and without."""

from collections.abc import Collection, Generator, Iterator
from dataclasses import dataclass, field
from functools import partial

from alembic.runtime.migration import RevisionStep
from alembic.script import Script

from alembic_online.postgres.catalogue import Catalogue, compare
from alembic_online.postgres.errors import UserError
from alembic_online.review.plan.steps import down, up
from alembic_online.revisions.project import Project
from alembic_online.sample_rows.row_factory import Filler
from alembic_online.testing.backward_compatibility import broken_queries
from alembic_online.testing.finding import Finding, in_short
from alembic_online.testing.row_snapshot import lost
from alembic_online.testing.sandbox import Ground, Seen, on_ground

_HINT = " (Rows that the kit has made: values that fit go into the fixture migration_hints.)"


def chain(project: Project) -> list[Script]:
    """The revisions from the first to the head."""
    return list(project.scripts.walk_revisions())[::-1]


@dataclass
class RoundTrip:
    """One walk along the chain. With `filler`, tables have rows."""

    project: Project
    filler: Filler | None
    findings: list[Finding] = field(default_factory=list)
    made: dict[str, Catalogue] = field(default_factory=dict)
    """What each revision made of the schema."""
    at: str = ""
    doing: str = ""

    @classmethod
    def along(cls, project: Project, filler: Filler | None) -> "RoundTrip":
        """The whole walk. A revision that fails ends it, and it begins again behind that one. Raises `UserError`."""
        walk = cls(project, filler)
        scripts = chain(project)
        start = 0
        while start < len(scripts):
            start = on_ground(project, partial(walk._from, scripts=scripts, start=start))
        return walk

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
            hint = _HINT if self.filler is not None and "violated" in str(error) else ""
            self._say("round trip", f"{self.doing} fails: {in_short(error)}{hint}")
            # On empty tables the upgrade itself cannot be done: nothing behind it can be looked at.
            return len(scripts) if self.doing == "upgrade" else [each.revision for each in scripts].index(self.at) + 1
        return len(scripts)

    def _steps(self, ground: Ground, scripts: list[Script], start: int) -> Iterator[RevisionStep]:
        for script in scripts[:start]:
            self.at, self.doing = script.revision, "upgrade"
            yield up(self.project.scripts, script)
        self._fill(ground, ground.look(), say=False)
        now = ground.look()
        for script in scripts[start:]:
            self.at = script.revision
            now = yield from self._one(ground, script, now)

    def _one(self, ground: Ground, script: Script, before: Seen) -> Generator[RevisionStep, None, Seen]:
        """Up, down and up again from how it is `before`; how it is then."""
        loses = tuple(getattr(script.module, "loses", ()))
        yield self._step("upgrade", script)
        made = ground.look()
        self.made[script.revision] = made.catalogue
        yield self._step("downgrade", script)
        undone = self._hold("after upgrade and downgrade", before, ground.look(), loses)
        if loses:  # what stands in the place of what is lost is to be the same each time
            yield self._step("second upgrade", script)
            yield self._step("second downgrade", script)
            self._hold("after the second downgrade", undone, ground.look(), ())
        yield self._step("second upgrade", script)
        now = self._hold("after the second upgrade", made, ground.look(), loses)
        if self.filler is None:
            return now
        return (yield from self._with_rows(ground, script, self.filler, before, now, loses))

    def _with_rows(
        self, ground: Ground, script: Script, filler: Filler, before: Seen, now: Seen, loses: Collection[str]
    ) -> Generator[RevisionStep, None, Seen]:
        """Old code on the new schema; then down with rows that only the new one knows, and up again."""
        with ground.engine.begin() as connection:
            changed = compare(before.catalogue, now.catalogue)
            for words in broken_queries(connection, before.tables, now.tables, filler, changed, loses):
                self._say("old code", words)
        self._fill(ground, now, say=True)
        yield self._step("downgrade with rows of its own", script)
        self._compare("after a downgrade with rows", before.catalogue, ground.catalogue())
        yield self._step("upgrade again", script)
        again = ground.look()
        self._compare("after an upgrade of other rows", now.catalogue, again.catalogue)
        self._fill(ground, again, say=False)  # what the downgrade took along
        return ground.look(again.catalogue)

    def _step(self, doing: str, script: Script) -> RevisionStep:
        self.doing = doing if self.filler is None else f"{doing} (with rows)"
        return (down if "downgrade" in doing else up)(self.project.scripts, script)

    def _fill(self, ground: Ground, now: Seen, *, say: bool) -> None:
        if self.filler is not None:
            with ground.engine.begin() as connection:
                problems = self.filler.fill(connection, now.tables.values())
            for words in problems if say else ():
                self._say("rows", words)

    def _hold(self, when: str, wanted: Seen, found: Seen, loses: Collection[str]) -> Seen:
        """Say how schema and rows differ; what was found."""
        self._compare(when, wanted.catalogue, found.catalogue)
        for words in lost(wanted.contents, found.contents, loses):
            self._say("rows", f"{when}: {words}")
        return found

    def _compare(self, when: str, wanted: Catalogue, found: Catalogue) -> None:
        for difference in compare(wanted, found):
            self._say("round trip", f"{when}: {difference}")

    def _say(self, check: str, words: str) -> None:
        self.findings.append(Finding(check, self.at, words))
