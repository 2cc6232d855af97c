"""Every planted defect is caught, and the sound project is not: by the page, which is held against a new run."""

import pytest

from alembic_online.testing import Kit
from tests.alembic_online.testing.defects import DEFECTS, SOUND, Defect
from tests.alembic_online.testing.proof import COLUMNS, PAGE, planted, table
from tests.servers import Server


def _caught() -> dict[str, list[str]]:
    """The table of the page: defect, and what each of `COLUMNS` said."""
    lines = [line for line in PAGE.read_text(encoding="utf-8").splitlines() if line.startswith("| ")][1:]
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]
    assert {len(row) for row in rows} == {1 + len(COLUMNS)}
    return {row[0]: row[1:] for row in rows}


def test_the_page_has_every_defect_of_at_least_forty() -> None:
    assert list(_caught()) == [case.what for case in (*DEFECTS, SOUND)]
    assert len(DEFECTS) >= 40


def test_each_is_caught_by_one_at_least_and_the_sound_project_by_none() -> None:
    nobody = [what for what, said in _caught().items() if not any(said)]
    assert nobody == [SOUND.what]


def test_a_check_that_cannot_be_made_is_no_passed_one(database: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", database)
    with planted(Defect("fails", "op.execute('SELECT 1 / 0')")) as project:
        kit = Kit(project)
        for check in ("deterministic", "process", "search_path", "time zone", "role", "offline"):
            [finding] = kit.findings(check)
            assert str(finding).startswith("could not be looked at: ")
            assert "division by zero" in str(finding)


def test_a_rule_that_the_kits_rows_break_says_where_rows_that_keep_it_are_given(
    database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DATABASE_URL", database)
    rule = "op.execute(\"ALTER TABLE authors ADD CONSTRAINT odd CHECK (name = 'odd') \")"
    with planted(Defect("a rule", rule, "op.drop_constraint('odd', 'authors')")) as project:
        said = [str(finding) for finding in Kit(project).findings("round trip")]
    assert [words for words in said if "violated" in words and "fixture migration_hints" in words], said


@pytest.mark.prove
@pytest.mark.timeout(3600)
def test_the_page_is_what_a_run_writes_today(server: Server) -> None:
    assert table(server) == PAGE.read_text(encoding="utf-8"), "Run: python -m tests.alembic_online.testing.proof"
