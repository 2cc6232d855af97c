"""The Alembic command at hand: its name, what it needs, and what it did."""

import logging
from argparse import Namespace
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from alembic.runtime.environment import EnvironmentContext
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from alembic.util import to_tuple

from alembic_online.alembic_seam import environment_at_hand
from alembic_online.postgres.connection.url import DatabaseURL

log = logging.getLogger("alembic.runtime.migration")


class XArguments(Namespace):
    """What env.py was given by `-x` of a command that is not Alembic's own."""

    x: list[str]


def x_arguments(given: Sequence[str]) -> XArguments | None:
    """Of a Config's `cmd_opts`; None for none."""
    return XArguments(x=list(given)) if given else None


@dataclass
class Command:
    """One run of a function of `alembic.command`."""

    name: str
    environment: EnvironmentContext
    target: DatabaseURL | None = None
    steps: int = 0
    heads_seen: tuple[str, ...] = ()
    _options: dict[str, Any] = field(init=False)

    def __post_init__(self) -> None:
        self._options = self.environment.context_opts

    @classmethod
    def at_hand(cls) -> "Command":
        """The command whose environment is being run."""
        # Alembic gives its environment only a callback, named inside the command: "upgrade.<locals>.upgrade".
        environment = environment_at_hand()
        assert environment is not None, "only an env.py asks"
        return cls(environment.context_opts["fn"].__qualname__.partition(".")[0], environment)

    @property
    def scripts(self) -> ScriptDirectory:
        """The revision files."""
        return self.environment.script

    @property
    def offline(self) -> bool:
        """Whether SQL is to be written (`--sql`) and not run."""
        return self.environment.is_offline_mode()

    @property
    def from_command_line(self) -> bool:
        """Whether a person or a script typed it, and no program called it."""
        return not isinstance(self.environment.config.cmd_opts, XArguments | None)

    @property
    def wants_traceback(self) -> bool:
        """Whether `--raiseerr` was given."""
        return bool(getattr(self.environment.config.cmd_opts, "raiseerr", False))

    @property
    def autogenerates(self) -> bool:
        """Whether a revision is to be written with what differs."""
        return self.name == "revision" and bool(self._options["revision_context"].command_args["autogenerate"])

    @property
    def needs_database(self) -> bool:
        """Making an empty revision, merging and reading the history need none, and must work without."""
        if self.name == "revision":
            return self.autogenerates
        if self.name == "history":
            typed = self.environment.config.cmd_opts
            return typed is None or typed.indicate_current or "current" in (typed.rev_range or "")
        return self.name != "merge"

    @property
    def start(self) -> tuple[str, ...]:
        """Where the database is, or where `--sql` is told to begin; empty for base. Known after `heads_seen` is."""
        return self.heads_seen or to_tuple(self._options.get("starting_rev"), default=())

    @property
    def destination(self) -> tuple[str, ...]:
        """What was typed as the revision to go to."""
        return to_tuple(self._options.get("destination_rev"), default=())

    @property
    def purges(self) -> bool:
        """Whether a stamp empties the version table before."""
        return bool(self._options.get("purge"))

    @property
    def changes_database(self) -> bool:
        """Whether it needs the migrator's lock."""
        return self.name in ("upgrade", "downgrade", "stamp")

    @property
    def runs_revisions(self) -> bool:
        """Whether revisions are run, for which the driver matters."""
        return self.name in ("upgrade", "downgrade")

    def run_on_files(self, migration_context: MigrationContext) -> None:
        """Run a command that needs no database: its callback, with no revision current."""
        list(self._options["fn"]((), migration_context))

    def count_step(self, **_: Any) -> None:
        """Alembic's `on_version_apply`."""
        self.steps += 1

    def report(self) -> None:
        """Say where the database is when an upgrade or downgrade found nothing to do, and when it is nowhere."""
        if self.name == "current" and not self.heads_seen:
            log.info("The database is at base: no revision is applied.")
        if self.name in ("upgrade", "downgrade") and self.steps == 0:
            heads = ", ".join(self.heads_seen) or "base"
            self.environment.config.print_stdout(f"Nothing to do: the database is at {heads}.")
