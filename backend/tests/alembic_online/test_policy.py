"""The policy: each limit has a variable, and what cannot be meant is refused with a sentence."""

from dataclasses import fields
from pathlib import Path

import pytest

from alembic_online.cli.main import main
from alembic_online.errors import RequestRefused
from alembic_online.policy import RENAMED, Policy
from tests.alembic_online.project import Project

GIVEN = {
    "MIGRATION_CONNECT_TIMEOUT": ("1.5", 1.5),
    "MIGRATION_MIGRATOR_TIMEOUT": ("2", 2.0),
    "MIGRATION_LOCK_TIMEOUT": ("0.25", 0.25),
    "MIGRATION_TOTAL_LOCK_TIMEOUT": ("60", 60.0),
    "MIGRATION_MAX_RETRY_DELAY_SECONDS": ("0", 0.0),
    "MIGRATION_SMALL_TABLE_BYTES": ("1e9", 1e9),
    "MIGRATION_INDEX_MEMORY_MEGABYTES": ("64", 64.0),
    "MIGRATION_INDEX_WORKERS": ("0", 0.0),
    "MIGRATION_CONCURRENT_DDL_TIMEOUT": ("900", 900.0),
    "MIGRATION_NETWORK_TIMEOUT": ("5", 5.0),
    "MIGRATION_BACKFILL_BATCH_SECONDS": ("0.05", 0.05),
    "MIGRATION_BACKFILL_PAUSE_RATIO": ("1", 1.0),
    "MIGRATION_BACKFILL_UPGRADE_SECONDS": ("0", 0.0),
    "MIGRATION_BACKFILL_REPLICA_LAG_SECONDS": ("5", 5.0),
    "MIGRATION_BACKFILL_WAL_MEGABYTES": ("64", 64.0),
    "MIGRATION_BACKFILL_DEAD_ROW_RATIO": ("0.1", 0.1),
    "MIGRATION_ALLOW_DATA_LOSS": (" 002_b ", "002_b"),
    "MIGRATION_EDITED_REVISIONS": ("error", "error"),
    "MIGRATION_CHANGED_BY_HAND": ("error", "error"),
    "MIGRATION_SHOW_LITERALS": ("yes", True),
    "MIGRATION_APPLICATION_VERSION": ("v1", "v1"),
    "MIGRATION_SCRATCH_URL": (" postgresql://h/d ", "postgresql://h/d"),
    "MIGRATION_PRODUCTION": ("on", True),
    "MIGRATION_EXPAND_CONTRACT": ("on", True),
    "MIGRATION_CONTRACT_WAITS": ("fail", "fail"),
    "MIGRATION_UNKNOWN_SESSIONS": (" app, jobs ", "app, jobs"),
    "MIGRATION_PRODUCT": ("shop", "shop"),
}


def test_every_field_is_read_from_its_variable() -> None:
    policy = Policy.from_environment({name: text for name, (text, _) in GIVEN.items()})
    assert {f"MIGRATION_{each.name.upper()}": getattr(policy, each.name) for each in fields(Policy)} == {
        name: value for name, (_, value) in GIVEN.items()
    }


def test_the_old_name_of_a_setting_works_and_says_the_new_one(caplog: pytest.LogCaptureFixture) -> None:
    old = {f"MIGRATION_{was.upper()}": GIVEN[f"MIGRATION_{now.upper()}"] for was, now in RENAMED.items()}
    policy = Policy.from_environment({name: text for name, (text, _) in old.items()})
    for was, now in RENAMED.items():
        assert getattr(policy, now) == old[f"MIGRATION_{was.upper()}"][1]
        assert f"MIGRATION_{was.upper()} is called MIGRATION_{now.upper()} now" in caplog.text
    both = {"MIGRATION_LOCK_BUDGET": "7", "MIGRATION_TOTAL_LOCK_TIMEOUT": "8"}
    assert Policy.from_environment(both).total_lock_timeout == 8


def test_an_empty_environment_gives_the_defaults() -> None:
    assert Policy.from_environment({}) == Policy()


@pytest.mark.parametrize(
    ("variables", "of_the_application", "production"),
    [({}, False, False), ({}, True, True), ({"MIGRATION_PRODUCTION": "false"}, True, False)],
)
def test_the_application_may_say_that_this_is_production(
    variables: dict[str, str], of_the_application: bool, production: bool
) -> None:
    assert Policy.from_environment(variables, production=of_the_application).production is production


@pytest.mark.parametrize(
    ("variables", "sentence"),
    [
        ({"MIGRATION_LOCK_TIMEOUT": "soon"}, "MIGRATION_LOCK_TIMEOUT is 'soon'."),
        ({"MIGRATION_TOTAL_LOCK_TIMEOUT": "-1"}, "MIGRATION_TOTAL_LOCK_TIMEOUT is '-1'."),
        ({"MIGRATION_TOTAL_LOCK_TIMEOUT": "inf"}, "MIGRATION_TOTAL_LOCK_TIMEOUT is 'inf'."),
        ({"MIGRATION_NETWORK_TIMEOUT": "1"}, "network_timeout is 1 s."),
        ({"MIGRATION_CONCURRENT_DDL_TIMEOUT": "nan"}, "MIGRATION_CONCURRENT_DDL_TIMEOUT is 'nan'."),
        ({"MIGRATION_MAX_RETRY_DELAY_SECONDS": ""}, "MIGRATION_MAX_RETRY_DELAY_SECONDS is ''."),
        ({"MIGRATION_SHOW_LITERALS": "perhaps"}, "MIGRATION_SHOW_LITERALS is 'perhaps'."),
        ({"MIGRATION_LOCK_TIMEOUT": "0"}, "lock_timeout is 0 s and total_lock_timeout is 300 s."),
        (
            {"MIGRATION_LOCK_TIMEOUT": "9", "MIGRATION_TOTAL_LOCK_TIMEOUT": "3"},
            "lock_timeout is 9 s and total_lock_timeout is 3 s.",
        ),
        ({"MIGRATION_EDITED_REVISIONS": "ignore"}, "edited_revisions is 'ignore'."),
        ({"MIGRATION_PRODUCTION": "staging"}, "MIGRATION_PRODUCTION is 'staging'."),
        (
            {"MIGRATION_PRODUCTION": "true", "MIGRATION_ALLOW_DATA_LOSS": "true"},
            "allow_data_loss is true, and this is production.",
        ),
    ],
)
def test_what_cannot_be_meant_is_refused_before_anything_is_done(
    project: Project, database: str, variables: dict[str, str], sentence: str
) -> None:
    with pytest.raises(RequestRefused):
        Policy.from_environment(variables)
    code, stderr = project.alembic.having(**variables).refused(database, "upgrade", "head")
    assert (code, stderr.splitlines()[0]) == (16, sentence)
    assert len(stderr.splitlines()) >= 2


def test_where_nothing_names_a_database_the_next_step_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    for variable in ("MIGRATION_DATABASE_URL", "DATABASE_URL"):
        monkeypatch.delenv(variable, raising=False)
    assert main(["blockers"]) == 2
    assert "Run it where alembic.ini is, or set DATABASE_URL." in capsys.readouterr().err
