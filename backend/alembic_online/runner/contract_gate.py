"""A contract step waits for the releases before it: looked at before the revision, and before each strong statement."""

import logging
import re
import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from alembic.runtime.migration import RevisionStep
from alembic.script import Script
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from alembic_online.alembic_seam import SupervisedContext
from alembic_online.errors import ContractWaits, RequestRefused
from alembic_online.policy import Policy
from alembic_online.releases.alive import Release, read_sessions
from alembic_online.releases.older import older_than
from alembic_online.releases.phase import Phase, Step, said_phase
from alembic_online.releases.stored import known_steps
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
        self._contract: Script | None = None
        """The one that is run, where it waits for somebody and is not forced."""
        self._steps: Mapping[str, Step] = {}
        self.has_stopped = False
        """Whether a contract was not let pass."""

    def lets_pass(self, step: RevisionStep) -> bool:
        """Whether this one may be run now, once that has been waited for; if not, why is said.

        Raises `ContractWaits` where the policy is to fail.
        """
        script = step.revision
        assert isinstance(script, Script), "a merge of branches is one too"
        self._contract = script if step.is_upgrade and said_phase(script) is not Phase.EXPAND else None
        if self._contract is None or not (found := self._wait_for(script)):
            return True
        if self._wish.force:
            self._contract = None
            names = "; ".join(each.name for each in found)
            log.warning("Goes on with %s (-x force), although it takes something from %s.", script.revision, names)
            reason = f"{self._wish.force} [{names}]"
            self._history.note_forced(script.revision, self._policy.application_version, reason)
            return True
        waits = self._waits(script, found)
        if self._policy.contract_waits == "fail":
            raise waits
        log.warning("%s", waits)
        self.has_stopped = True
        return False

    def look_again(self) -> None:
        """Right before a strong statement. Raises `ContractWaits`: what is committed stays, and is gone on from."""
        if self._contract is not None and (found := self._look(self._contract)):
            raise self._waits(self._contract, found)

    def _wait_for(self, script: Script) -> list[Release]:
        """Who is still there after the time that may be waited."""
        said = ""
        while found := self._look(script):
            if self._wish.force or time.monotonic() >= self._until:
                break
            line = f"{script.revision} waits for {'; '.join(each.name for each in found)}"
            self._activity.wait(line)
            if line != said:
                log.info("%s", line)
                said = line
            self._history.sleep(_POLL)
        self._activity.stop_waiting()
        return found

    def _look(self, script: Script) -> list[Release]:
        async def ask(connection: AsyncConnection) -> list[Release]:
            role = str(await connection.scalar(text("SELECT current_user::text")))
            sessions = await read_sessions(connection, self._own_pids)
            # Where neither side says anything, nothing is known: plain Alembic would go on.
            policy = self._policy if said_phase(script) else replace(self._policy, unknown_sessions="none")
            return older_than(script.revision, await self._known(connection), sessions, policy, role)

        return self._history.ask(ask)

    async def _known(self, connection: AsyncConnection) -> Mapping[str, Step]:
        """Of the files, and of what newer code has left here."""
        if not self._steps:
            scripts = self._context.script
            assert scripts is not None, "Alembic gives every environment its script directory"
            self._steps = await known_steps(connection, scripts, self._context.version_table_schema)
        return self._steps

    def _waits(self, script: Script, found: list[Release]) -> ContractWaits:
        phase = said_phase(script)
        what = "a contract step" if phase else 'which says no phase (phase = "expand" or "contract")'
        waits = ContractWaits(
            f"Stopped before {script.revision}, {what}: it waits for {'; '.join(each.name for each in found)}.",
            "The same command, or `alembic-online contract`, goes on once that is gone."
            " To wait for it: -x wait=10m. Not to: -x force=REASON",
        )
        if self._policy.contract_waits == "pass":
            waits.exit_code = 0  # type: ignore[misc]
        return waits
