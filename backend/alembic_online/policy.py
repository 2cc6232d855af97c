"""What may be decided otherwise, in one frozen object; its defaults are right for production."""

import logging
import os
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any

from alembic_online.errors import RequestRefused

log = logging.getLogger("alembic.runtime.migration")

PREFIX = "MIGRATION_"
RENAMED = {
    "connect_patience": "connect_timeout",
    "network_patience": "network_timeout",
    "migrator_patience": "migrator_timeout",
    "lock_budget": "total_lock_timeout",
    "retry_pause": "max_retry_delay_seconds",
    "patient_limit": "concurrent_ddl_timeout",
    "backfill_batch": "backfill_batch_seconds",
    "backfill_pause": "backfill_pause_ratio",
    "backfill_limit": "backfill_upgrade_seconds",
    "backfill_replica_lag": "backfill_replica_lag_seconds",
    "backfill_wal": "backfill_wal_megabytes",
    "backfill_dead_share": "backfill_dead_row_ratio",
    "small_table": "small_table_bytes",
    "index_memory": "index_memory_megabytes",
}
"""Settings by the names that they had before: their variables go on working for a release, with a warning."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """Limits of a migration. Each is also a variable of the environment: `MIGRATION_` and its name in capitals.

    Raises `RequestRefused` for values that contradict each other.
    """

    connect_timeout: float = 30.0
    """Seconds to wait for a server that says it is starting or shutting down."""
    network_timeout: float = 30.0
    """Seconds that a network may be silent before either end takes the other for gone; 2 at the least."""
    migrator_timeout: float = 3600.0
    """Seconds to wait for another migration of the same database to end."""
    lock_timeout: float = 0.1
    """Seconds that a strong lock may be queued for, and so the longest that a client waits because of us."""
    total_lock_timeout: float = 300.0
    """Seconds that one revision may spend in waiting for locks and in trying again, before it fails."""
    max_retry_delay_seconds: float = 2.0
    """The longest pause between two tries, in seconds; the pause is a random part of a growing limit."""
    concurrent_ddl_timeout: float = 6 * 3600.0
    """Seconds for a statement that blocks nobody and waits for everybody, such as CREATE INDEX CONCURRENTLY."""
    backfill_batch_seconds: float = 0.1
    """Seconds that a batch of a backfill may take: the longest that a client waits for a row because of it."""
    backfill_pause_ratio: float = 0.2
    """The pause after a batch, as a share of the batch's own time."""
    backfill_upgrade_seconds: float = 600.0
    """Seconds that a backfill may take inside of an upgrade; a longer one is left to a command of its own."""
    backfill_replica_lag_seconds: float = 10.0
    """Seconds that a replica may be behind before a backfill waits for it."""
    backfill_wal_megabytes: float = 1024.0
    """Megabytes of WAL that replicas may have yet to take before a backfill waits for them."""
    backfill_dead_row_ratio: float = 0.5
    """Dead rows, as a share of the live ones, before a backfill waits for a VACUUM that can remove them."""
    small_table_bytes: float = 1_000_000
    """Bytes: a smaller table is changed directly, by a statement that may also work no longer than `lock_timeout`."""
    index_memory_megabytes: float = 1024.0
    """Megabytes that the build of an index may use at the most."""
    index_workers: float = 2
    """Parallel workers that help the build of an index, at the most."""
    allow_data_loss: str = ""
    """`true`, or ids, with commas between, of revisions whose downgrade may drop what holds rows; in production ids."""
    edited_revisions: str = "warn"
    """`warn` or `error`: a revision file that was edited after it was applied."""
    changed_by_hand: str = "warn"
    """`ignore`, `warn` or `error`: a schema that somebody changed by hand since the last migration."""
    show_literals: bool = False
    """Show other sessions' queries with the values in them."""
    application_version: str = ""
    """Written into the history, to tell which deploy it was."""
    expand_contract: bool = False
    """Each revision says its phase, and an upgrade stops before a contract while an older release is connected."""
    contract_waits: str = "pass"
    """`pass` or `fail`: the exit code of an upgrade that stops there is 0 or 23."""
    unknown_sessions: str = "role"
    """Which sessions that do not say what they are count as an old release: `role` (those of the application's roles,
    and of the migration's), `all`, `none`, or the names of roles with commas between."""
    product: str = ""
    """The name by which processes of this application say what they are; sessions of another product do not count."""
    scratch_url: str = field(default="", repr=False)
    """A server on which autogenerate may make scratch databases; by default the one at hand, else an embedded one."""
    production: bool = False
    """Makes the guards strict: for whoever runs on what others use."""

    def __post_init__(self) -> None:
        for problem, remedy in _contradictions(self):
            raise RequestRefused(problem, remedy)

    @property
    def data_loss_allowed(self) -> list[str]:
        """`allow_data_loss`, taken apart."""
        return [each for part in self.allow_data_loss.split(",") if (each := part.strip())]

    @classmethod
    def from_environment(cls, environ: Mapping[str, str] = os.environ, **otherwise: bool) -> "Policy":
        """Read the variables that are set; of a flag whose variable is not, `otherwise` holds: `production=True`.

        Raises `RequestRefused` for a value that is not what the field holds.
        """
        given: dict[str, Any] = {**otherwise}
        for each in fields(cls):
            variable = f"{PREFIX}{each.name.upper()}"
            if variable not in environ:
                variable = _old_variable(each.name, environ)
            if variable in environ:
                given[each.name] = _READ[each.type](environ[variable], variable)  # type: ignore[index]
        return cls(**given)


def _old_variable(name: str, environ: Mapping[str, str]) -> str:
    """The variable by which a setting was known before, if that is set; then it says what it is called now."""
    old = next((f"{PREFIX}{was.upper()}" for was, now in RENAMED.items() if now == name), "")
    if old in environ:
        log.warning("%s is called %s%s now; the old name goes with the next release.", old, PREFIX, name.upper())
    return old


def _contradictions(policy: Policy) -> list[tuple[str, str]]:
    """What cannot be meant, with the way out."""
    found = []
    if not 0 < policy.lock_timeout <= policy.total_lock_timeout:
        problem = (
            f"lock_timeout is {policy.lock_timeout:g} s and total_lock_timeout is {policy.total_lock_timeout:g} s."
        )
        found.append(
            (problem, "Set lock_timeout above 0 (0 would wait without limit) and not above total_lock_timeout.")
        )
    if policy.network_timeout < 2:
        problem = f"network_timeout is {policy.network_timeout:g} s."
        found.append((problem, "Set it to 2 or more: systems ask in whole seconds, and must ask before they give up."))
    if policy.edited_revisions not in ("warn", "error"):
        found.append((f"edited_revisions is {policy.edited_revisions!r}.", "Set it to warn or to error."))
    if policy.changed_by_hand not in ("ignore", "warn", "error"):
        problem = f"changed_by_hand is {policy.changed_by_hand!r}."
        found.append((problem, "Set it to ignore, to warn or to error."))
    if policy.contract_waits not in ("pass", "fail"):
        found.append((f"contract_waits is {policy.contract_waits!r}.", "Set it to pass or to fail."))
    if policy.production and "true" in policy.data_loss_allowed:
        problem = "allow_data_loss is true, and this is production."
        found.append((problem, "Set MIGRATION_ALLOW_DATA_LOSS to the ids of the revisions whose data may go."))
    return found


def _number(text: str, variable: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not 0 <= value < float("inf"):
        raise RequestRefused(f"{variable} is {text!r}.", "Set it to a number, 0 or more.")
    return value


def _flag(text: str, variable: str) -> bool:
    if text.lower() in ("1", "true", "yes", "on"):
        return True
    if text.lower() in ("0", "false", "no", "off", ""):
        return False
    raise RequestRefused(f"{variable} is {text!r}.", "Set it to true or false.")


def _text(text: str, _: str) -> str:
    return text.strip()


_READ = {float: _number, bool: _flag, str: _text}
