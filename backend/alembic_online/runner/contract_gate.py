"""What takes something away waits for the releases that may use it: an upgrade of a contract, a downgrade of an expand.

It is looked at before the revision, and again before each strong statement.
"""

import logging
import re
import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from alembic.runtime.migration import RevisionStep
from alembic.script import Script, ScriptDirectory
from sqlalchemy import select, text
from sqlalchemy.ext.asyncio import AsyncConnection

from alembic_online.alembic_seam import SupervisedContext, version_table
from alembic_online.errors import ContractPostponed, ContractWaits, RequestRefused
from alembic_online.policy import Policy
from alembic_online.releases.alive import Release, read_sessions
from alembic_online.releases.older import built_with, older_than
from alembic_online.releases.phase import Phase, Step, said_phase, says_phase
from alembic_online.releases.stored import known_steps
from alembic_online.releases.window import why_not
from alembic_online.runtime.activity import Activity
from alembic_online.runtime.history import History

log = logging.getLogger("alembic.runtime.migration")

_POLL = 0.5  # seconds
_UNITS = {"": 1, "s": 1, "m": 60, "h": 3600}
_TIME = re.compile(r"(\d+(?:\.\d+)?)\s*([smh]?)")


@dataclass(frozen=True)
class Wish:
    """What `alembic -x wait=10m` and `-x force=REASON` say."""

    wait: float = 0.0
    """Seconds."""
    force: str = ""

    @classmethod
    def of(cls, arguments: Mapping[str, Any]) -> "Wish":
        """Raises `RequestRefused` for a time that is none, and a reason that is not given."""
        wait, force = arguments.get("wait", "0"), arguments.get("force", "")
        found = _TIME.fullmatch(str(wait))
        if found is None:
            raise RequestRefused(f"-x wait={wait} is no time.", "Write seconds, minutes or hours: -x wait=10m")
        if force is True or ("force" in arguments and not str(force).strip()):
            raise RequestRefused("-x force gives no reason.", 'Say why: -x force="the old release only reads"')
        return cls(float(found[1]) * _UNITS[found[2]], str(force).strip())


@dataclass(frozen=True)
class Taking:
    """A step that takes something from a release that may be connected."""

    script: Script
    is_upgrade: bool

    @classmethod
    def of(cls, step: RevisionStep) -> "Taking | None":
        """None for one that only gives: an upgrade of an expand, a downgrade of a contract, a merge.

        The downgrade of a revision that says no phase waits for nobody: it was written before there were any.
        """
        script = step.revision
        assert isinstance(script, Script), "a merge of branches is one too"
        gives = (Phase.EXPAND,) if step.is_upgrade else (Phase.CONTRACT, None)
        is_silent_merge = script.is_merge_point and not says_phase(script)
        return None if is_silent_merge or said_phase(script) in gives else cls(script, step.is_upgrade)

    @property
    def revision(self) -> str:
        """Its id."""
        return str(self.script.revision)

    @property
    def name(self) -> str:
        """In a sentence."""
        return self.revision if self.is_upgrade else f"the downgrade of {self.revision}"

    @property
    def what(self) -> str:
        """Why it waits."""
        if said_phase(self.script) is None:
            return 'which says no phase (phase = "expand" or "contract")'
        return "a contract step" if self.is_upgrade else "which takes back an expand"


class ContractGate:
    """Of one run."""

    def __init__(
        self,
        context: SupervisedContext,
        history: History,
        own_pids: tuple[int, int],
        policy: Policy,
        activity: Activity,
        wish: Wish,
    ) -> None:
        self._context, self._history, self._own_pids = context, history, own_pids
        self._policy, self._activity, self._wish = policy, activity, wish
        self._until = time.monotonic() + wish.wait
        self._taking: Taking | None = None
        """What is run, where it waits for somebody and is not forced."""
        self._steps: Mapping[str, Step] = {}
        self.has_stopped = False
        """Whether a contract was not let pass, and nothing was raised."""

    def lets_pass(self, step: RevisionStep) -> bool:
        """Whether this one may be run now, once that has been waited for; if not, why is said.

        Raises `ContractWaits` for a downgrade, and where the policy is to fail.
        """
        self._taking = taking = Taking.of(step)
        if taking is None or not (found := self._wait_for(taking)):
            return True
        if self._wish.force:
            self._taking = None
            names = "; ".join(each.name for each in found)
            log.warning("Goes on with %s (-x force), although it takes something from %s.", taking.name, names)
            reason = f"{self._wish.force} [{names}]"
            self._history.note_forced(taking.revision, self._policy.application_version, reason)
            return True
        waits = self._waits(taking, found)
        if waits.exit_code:
            raise waits
        log.warning("%s", waits)
        self.has_stopped = True
        return False

    def look_again(self) -> None:
        """Right before a strong statement. Raises `ContractWaits`: what is committed stays, and is gone on from."""
        if self._taking is not None and (found := self._look(self._taking)):
            raise self._waits(self._taking, found)

    def _wait_for(self, taking: Taking) -> list[Release]:
        """Who is still there after the time that may be waited."""
        said = ""
        while found := self._look(taking):
            if self._wish.force or time.monotonic() >= self._until:
                break
            line = f"{taking.name} waits for {'; '.join(each.name for each in found)}"
            self._activity.wait(line)
            if line != said:
                log.info("%s", line)
                said = line
            self._history.sleep(_POLL)
        self._activity.stop_waiting()
        return found

    def _look(self, taking: Taking) -> list[Release]:
        async def ask(connection: AsyncConnection) -> list[Release]:
            steps, sessions = await self._known(connection), await read_sessions(connection, self._own_pids)
            if not taking.is_upgrade:
                return built_with(taking.revision, steps, sessions, self._policy)
            roles = set((await connection.execute(text("SELECT current_user::text, session_user::text"))).one())
            # Where neither side says anything, nothing is known: plain Alembic would go on.
            policy = self._policy if said_phase(taking.script) else replace(self._policy, unknown_sessions="none")
            return older_than(taking.revision, steps, sessions, policy, roles)

        return self._history.ask(ask)

    async def _known(self, connection: AsyncConnection) -> Mapping[str, Step]:
        """Of the files, and of what newer code has left here."""
        if not self._steps:
            stamped = self._context.version_table, self._context.version_table_schema
            self._steps = await known_steps(connection, self._scripts, stamped)
        return self._steps

    async def _is_enough(self, connection: AsyncConnection) -> bool:
        """Whether the code of these files can serve the database as it is."""
        current = (await connection.scalars(select(version_table(self._context).c.version_num))).all()
        return not why_not(await self._known(connection), self._scripts.get_heads(), current)

    @property
    def _scripts(self) -> ScriptDirectory:
        scripts = self._context.script
        assert scripts is not None, "Alembic gives every environment its script directory"
        return scripts

    def _waits(self, taking: Taking, found: list[Release]) -> ContractWaits:
        is_contract = taking.is_upgrade and said_phase(taking.script) is Phase.CONTRACT
        command = "The same command, or `alembic-online contract`," if is_contract else "The same command"
        passes = is_contract and self._policy.contract_waits == "pass" and self._history.ask(self._is_enough)
        return (ContractPostponed if passes else ContractWaits)(
            f"Stopped before {taking.name}, {taking.what}: it waits for {'; '.join(each.name for each in found)}.",
            f"{command} goes on once that is gone. To wait for it: -x wait=10m. Not to: -x force=REASON",
        )
