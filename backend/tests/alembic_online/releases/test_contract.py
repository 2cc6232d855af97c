"""Promise: an upgrade applies what is expand, and stops before a contract while a release before it is connected."""

from collections.abc import Callable
from typing import Any

import psycopg
import pytest

from alembic_online.errors import ContractWaits, RequestRefused
from alembic_online.releases.label import Label
from tests.alembic_command import Alembic
from tests.alembic_online.project import Project
from tests.alembic_online.releases.shop import CONTRACT, EXPAND, ON, make_shop, running
from tests.alembic_online.runner.processes import Migrator


@pytest.fixture
def shop(project: Project) -> Project:
    return make_shop(project)


_HISTORY = "SELECT revision, direction, outcome, step FROM alembic_history ORDER BY id"


class Said:
    """The command line of the shop; returns all that was said, also in the log."""

    def __init__(self, alembic: Alembic, log: pytest.LogCaptureFixture) -> None:
        self._alembic, self._log = alembic, log

    def having(self, **variables: str) -> "Said":
        return Said(self._alembic.having(**variables), self._log)

    def __call__(self, url: str, *arguments: str) -> str:
        self._log.clear()
        printed = self._alembic(url, *arguments)
        return f"{printed}{self._log.text}"

    def refused(self, url: str, *arguments: str) -> tuple[int, str]:
        return self._alembic.refused(url, *arguments)


@pytest.fixture
def alembic(shop: Project, caplog: pytest.LogCaptureFixture) -> Said:
    return Said(shop.alembic.having(**ON), caplog)


def at(url: str) -> str:
    with psycopg.connect(url) as connection:
        row = connection.execute("SELECT version_num FROM alembic_version").fetchone()
    return str(row[0]) if row else ""


def columns(url: str) -> set[str]:
    query = "SELECT attname::text FROM pg_attribute WHERE attrelid = 'customers'::regclass AND attnum > 0"
    with psycopg.connect(url) as connection:
        return {str(name) for (name,) in connection.execute(f"{query} AND NOT attisdropped".encode())}


def test_where_nobody_is_connected_everything_is_applied(alembic: Said, database: str) -> None:
    assert "Stopped" not in alembic(database, "upgrade", "head")
    assert at(database) == "three"


def test_it_stops_before_the_contract_and_says_which_hosts_run_which_release(alembic: Said, database: str) -> None:
    alembic(database, "upgrade", "one")
    with (
        running(database, "6", "one", "web-1"),
        running(database, "6", "one", "web-2"),
        running(database, "7", "three"),
    ):
        said = alembic(database, "upgrade", "head")
        assert (at(database), columns(database)) == ("two", {"id", "mail", "email"})
        assert "Stopped before three, a contract step: it waits for shop 6 on web-1, web-2 (built for one)." in said
        assert "shop 7" not in said
        assert "Nothing to do" not in alembic(database, "upgrade", "head")
    alembic(database, "upgrade", "head")
    assert (at(database), columns(database)) == ("three", {"id", "email"})


@pytest.mark.parametrize("product", ["customer-notifications", "shop@eu"])
def test_a_product_whose_name_does_not_fit_is_waited_for(alembic: Said, database: str, product: str) -> None:
    alembic(database, "upgrade", "one")
    with running(database, "4f3e2d1c0b9a8f7e6d5c4b3a29181706f5e4d3c2", "one", product=product):
        alembic.having(**{**ON, "MIGRATION_PRODUCT": product})(database, "upgrade", "head")
        assert at(database) == "two"


def test_the_release_of_many_heads_is_not_waited_for(shop: Project, alembic: Said, database: str) -> None:
    heads = ["three", *(f"branch_number_{number}" for number in range(5))]
    for each in heads[1:]:
        shop.revision(each, "one", phase="expand")
    for each in ("two", *heads[1:]):
        alembic(database, "upgrade", each)
    with psycopg.connect(database, application_name=str(Label.of("shop", "7", heads))):
        assert "Stopped" not in alembic(database, "upgrade", "heads")
    assert columns(database) == {"id", "email"}


def test_the_exit_code_is_as_the_policy_says(alembic: Said, database: str) -> None:
    failing = alembic.having(**ON, MIGRATION_CONTRACT_WAITS="fail")
    with running(database, "6", "one"):
        code, said = failing.refused(database, "upgrade", "head")
        assert (code, at(database)) == (23, "two")
        assert said.startswith("Stopped before three, a contract step: it waits for shop 6 on web-1 (built for one).")
        with pytest.raises(ContractWaits):
            failing(database, "upgrade", "head")
        alembic(database, "upgrade", "head")


def test_a_release_that_has_the_contract_is_not_waited_for(alembic: Said, database: str) -> None:
    with running(database, "7", "three"), running(database, "8", "three,another"):
        alembic(database, "upgrade", "head")
    assert at(database) == "three"


@pytest.mark.parametrize("built_for", ["two", "from_another_branch"])
def test_any_other_release_is(alembic: Said, database: str, built_for: str) -> None:
    with running(database, "x", built_for):
        alembic(database, "upgrade", "head")
    assert at(database) == "two"


def test_another_product_is_not(alembic: Said, database: str) -> None:
    with running(database, "1", "one", product="warehouse"):
        alembic(database, "upgrade", "head")
    assert at(database) == "three"


@pytest.mark.parametrize(
    ("sessions", "name", "waits"),
    [
        ("role", "gunicorn", True),
        ("role", "psql", False),
        ("all", "gunicorn", True),
        ("none", "gunicorn", False),
        ("postgres", "gunicorn", True),
        ("reporting, app", "gunicorn", False),
    ],
)
def test_who_says_nothing_counts_as_the_policy_says(
    alembic: Said, database: str, sessions: str, name: str, *, waits: bool
) -> None:
    counting = alembic.having(**ON, MIGRATION_UNKNOWN_SESSIONS=sessions)
    with psycopg.connect(database, application_name=name):
        said = counting(database, "upgrade", "head")
    assert (at(database) == "two") is waits
    assert ("a session named 'gunicorn' of role postgres" in said) is waits


def test_who_says_nothing_counts_by_the_role_of_those_who_do(alembic: Said, database: str) -> None:
    """`app` is the application's role because another release of it is connected; `reporting` is somebody's."""
    with psycopg.connect(database, autocommit=True) as connection:
        for role in ("contract_app", "contract_reporting"):
            connection.execute(f"DROP ROLE IF EXISTS {role}".encode())
            connection.execute(f"CREATE ROLE {role} LOGIN".encode())
    with running(database, "7", "three", user="contract_app"):
        with psycopg.connect(database, user="contract_reporting", application_name="grafana"):
            alembic(database, "upgrade", "three")
        assert at(database) == "three"
        alembic(database, "downgrade", "two")
        with psycopg.connect(database, user="contract_app", application_name="worker"):
            said = alembic(database, "upgrade", "three")
        assert "a session named 'worker' of role contract_app" in said
        assert at(database) == "two"


def test_without_the_setting_nothing_waits(alembic: Said, database: str) -> None:
    with running(database, "6", "one"):
        assert "Stopped" not in alembic.having()(database, "upgrade", "head")
    assert at(database) == "three"
    with psycopg.connect(database) as connection:
        assert connection.execute("SELECT to_regclass('alembic_phase')").fetchone() == (None,)


def test_a_revision_that_says_no_phase_waits_too(shop: Project, alembic: Said, database: str) -> None:
    shop.revision("three", "two", 'op.create_index("ix", "customers", ["mail"])', 'op.drop_index("ix")')
    with running(database, "6", "one"):
        code, said = alembic.refused(database, "upgrade", "head")
    assert code == 23  # what the new release needs may be in it
    assert "Stopped before three, which says no phase" in said
    assert "alembic-online contract" not in said
    assert at(database) == "two"
    with psycopg.connect(database, application_name="gunicorn"):  # which says nothing either: as ever
        alembic(database, "upgrade", "head")
    assert at(database) == "three"


def test_the_downgrade_of_one_that_says_no_phase_waits_for_nobody(shop: Project, alembic: Said, database: str) -> None:
    shop.revision("three", "two", 'op.create_index("ix", "customers", ["mail"])', 'op.drop_index("ix")')
    alembic(database, "upgrade", "head")
    with running(database, "7", "three"):
        alembic(database, "downgrade", "two")
    assert at(database) == "two"


def test_a_stop_is_a_failure_where_the_new_release_needs_what_comes_after(
    shop: Project, alembic: Said, database: str
) -> None:
    up, down = EXPAND
    shop.revision("four", "three", up.replace("email", "phone"), down.replace("email", "phone"), phase="expand")
    with running(database, "6", "one"):
        code, said = alembic.refused(database, "upgrade", "head")
    assert (code, at(database)) == (23, "two")
    assert "Stopped before three, a contract step" in said


def test_a_merge_that_takes_something_waits_too(shop: Project, alembic: Said, database: str) -> None:
    (up, down), (drop, add) = EXPAND, CONTRACT
    for name in ("left", "right"):
        shop.revision(name, "two", up.replace("email", name), down.replace("email", name), phase="expand")
    shop.revision("three", ("left", "right"), drop, add, phase="contract")
    with running(database, "6", "one"):
        assert "Stopped before three, a contract step" in alembic(database, "upgrade", "heads")
    assert "mail" in columns(database)


def test_the_role_that_has_logged_in_counts_whatever_it_has_become(alembic: Said, database: str) -> None:
    with psycopg.connect(database, autocommit=True) as connection:
        settings = f"ALTER ROLE postgres IN DATABASE {connection.info.dbname}".encode()
        connection.execute("DROP ROLE IF EXISTS contract_owner; CREATE ROLE contract_owner SUPERUSER")
        connection.execute(settings + b" SET role = contract_owner")
        try:
            with psycopg.connect(database, application_name="gunicorn"):
                assert "a session named 'gunicorn' of role postgres" in alembic(database, "upgrade", "head")
        finally:
            connection.execute(settings + b" RESET role")
            connection.execute("REASSIGN OWNED BY contract_owner TO postgres; DROP ROLE contract_owner")


def test_it_waits_as_long_as_it_is_told(shop: Project, database: str, start: Callable[..., Migrator]) -> None:
    with running(database, "6", "one"):
        migration = start(shop, database, "-x", "wait=10m", "upgrade", "head", **ON)
        migration.says("three waits for shop 6 on web-1 (built for one)")
        assert at(database) == "two"
    assert migration.exit_code() == 0
    assert at(database) == "three"


def test_a_wait_that_is_over_stops_as_without_it(alembic: Said, database: str) -> None:
    with running(database, "6", "one"):
        assert "Stopped before three" in alembic(database, "-x", "wait=0.1s", "upgrade", "head")


def test_forced_it_goes_on_and_the_history_says_why(alembic: Said, database: str) -> None:
    with running(database, "6", "one"):
        alembic(database, "-x", "force=it only reads", "upgrade", "head")
    assert at(database) == "three"
    with psycopg.connect(database) as connection:
        rows = connection.execute(
            "SELECT revision, direction, outcome, step FROM alembic_history ORDER BY id"
        ).fetchall()
    assert ("three (forced)", "force", "forced", "it only reads [shop 6 on web-1 (built for one)]") in rows
    assert rows[-1] == ("three", "upgrade", "done", None)


@pytest.mark.parametrize("argument", ["wait=soon", "wait=10 days", "force", "force= "])
def test_what_makes_no_sense_is_refused_before_anything_is_changed(alembic: Said, database: str, argument: str) -> None:
    with pytest.raises(RequestRefused):
        alembic(database, "-x", argument, "upgrade", "head")


def test_a_release_that_comes_while_the_contract_runs_stops_it_before_its_strong_statement(
    shop: Project, database: str, start: Callable[..., Migrator]
) -> None:
    shop.revision(
        "three",
        "two",
        'op.execute("UPDATE customers SET email = mail FROM pg_advisory_xact_lock(4711)")\n'
        '    op.drop_column("customers", "mail")',
        'op.add_column("customers", sa.Column("mail", sa.Text))',
        phase="contract",
    )
    shop.alembic.having(**ON)(database, "upgrade", "two")
    with psycopg.connect(database, application_name="psql") as holder:
        holder.execute("INSERT INTO customers (id, mail) VALUES (1, 'a@b.c')")
        holder.commit()
        holder.execute("SELECT pg_advisory_lock(4711)")
        holder.commit()
        migration = start(shop, database, "upgrade", "head", **ON, MIGRATION_CONTRACT_WAITS="fail")
        waiting = "SELECT EXISTS (SELECT FROM pg_locks WHERE locktype = 'advisory' AND NOT granted AND objid = 4711)"
        while holder.execute(waiting.encode()).fetchone() != (True,):
            holder.commit()
        with running(database, "6", "one"):
            holder.execute("SELECT pg_advisory_unlock(4711)")
            assert migration.exit_code() == 23
            assert "it waits for shop 6" in migration.output
    assert (at(database), columns(database)) == ("two", {"id", "mail", "email"})
    shop.alembic.having(**ON)(database, "upgrade", "head")
    assert at(database) == "three"


def test_the_way_back_waits_for_the_new_release_before_it_takes_back_its_expand(alembic: Said, database: str) -> None:
    alembic(database, "upgrade", "head")
    with running(database, "7", "three"):
        with running(database, "6", "one"), psycopg.connect(database, application_name="says nothing"):
            alembic(database, "downgrade", "two")
            assert columns(database) == {"id", "mail", "email"}
            code, said = alembic.refused(database, "downgrade", "one")
        assert code == 23
        assert said.startswith(
            "Stopped before the downgrade of two, which takes back an expand: it waits for shop 7 on web-1 (built for"
            " three).\nThe same command goes on once that is gone."
        )
        assert at(database) == "two"
    with running(database, "6", "one"):
        alembic(database, "downgrade", "one")
    assert columns(database) == {"id", "mail"}


def test_the_database_keeps_the_phases(alembic: Said, database: str) -> None:
    alembic(database, "upgrade", "one")
    with psycopg.connect(database) as connection:
        rows: list[Any] = connection.execute("SELECT revision, parents, phase FROM alembic_phase ORDER BY 1").fetchall()
    assert rows == [("one", [], "expand"), ("three", ["two"], "contract"), ("two", ["one"], "expand")]
