"""The words for who is in the way: each kind is told for what it is, and with what ends it."""

import pytest

from alembic_online.postgres.blockers import Blocker
from alembic_online.postgres.locks import LockMode
from alembic_online.runtime.blocker_report import blockers_table_text, duration, waiting_line


def blocker(**changed: object) -> Blocker:
    facts: dict[str, object] = {
        "pid": 4711, "kind": "client", "role": "report", "application": "bi", "client": None,
        "state": "idle in transaction", "wait_event": "Client: ClientRead", "transaction_age": 75.0, "state_age": 12.4,
        "query": "SELECT * FROM chapters WHERE id = ?", "not_visible": None, "lock_type": "relation",
        "relation": "chapters", "mode": LockMode.ACCESS_SHARE, "held": True, "waiting": False,
    }  # fmt: skip
    return Blocker(**{**facts, **changed})  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("blockers", "told"),
    [
        (
            [blocker()],
            ": pid 4711 (report@bi, idle in transaction for 12 s): SELECT * FROM chapters WHERE id = ?",
        ),
        (
            [blocker(application=None, client="10.0.0.7", query="COMMIT"), blocker()],
            ": pid 4711 (report@10.0.0.7, idle in transaction for 12 s): COMMIT (and 1 more)",
        ),
        (
            [blocker(state=None, state_age=None, query=None, not_visible="GRANT pg_read_all_stats TO me")],
            ": pid 4711 (report@bi): not visible: GRANT pg_read_all_stats TO me",
        ),
        (
            [blocker(kind="prepared transaction", pid=None, application=None, query="it's", transaction_age=3700.0)],
            ": prepared transaction (report, prepared for 1 h 1 min): ROLLBACK PREPARED 'it''s' ends it",
        ),
        (
            [blocker(kind="anti-wraparound autovacuum", role=None, application=None, query="autovacuum: VACUUM t")],
            ": pid 4711 (anti-wraparound autovacuum, which gives way to nobody for 1 min 15 s): autovacuum: VACUUM t",
        ),
        ([], ""),
    ],
)
def test_the_one_line_says_for_what_and_for_whom_a_migration_waits(blockers: list[Blocker], told: str) -> None:
    assert waiting_line(3.21, LockMode.ACCESS_EXCLUSIVE, "chapters", blockers) == (
        f"Waiting 3.2 s for ACCESS EXCLUSIVE on chapters{told}"
    )


def test_the_table_of_an_error_has_a_line_for_each_blocker_however_long_its_query() -> None:
    table = blockers_table_text([blocker(), blocker(pid=9, query="SELECT " + "x, " * 60)])
    assert [line.split()[0] for line in table.splitlines()] == ["Pid", "4711", "9"]
    assert all(len(line) <= 200 for line in table.splitlines())


@pytest.mark.parametrize(("seconds", "words"), [(0.4, "0 s"), (59.9, "59 s"), (60, "1 min 0 s"), (7800, "2 h 10 min")])
def test_durations_are_said_as_a_person_says_them(seconds: float, words: str) -> None:
    assert duration(seconds) == words
