"""Each rule finds what breaks it, and lets sound revisions be. All cases are one chain, which is linted once."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
from alembic.config import Config

from alembic_online.review.lint.allowances import ALLOWANCE
from alembic_online.review.lint.check import check, choose, findings_of
from alembic_online.review.lint.rule import Revision
from alembic_online.review.lint.rules import RULES
from alembic_online.review.lint.rules_document import page
from alembic_online.review.lint.source import Source
from alembic_online.revisions.project import open_project
from tests.alembic_online.project import Project
from tests.alembic_online.review.lint.cases import CASES, TEXTS, Case
from tests.alembic_online.review.lint.place import place_of
from tests.paths import BACKEND


def _of_each_rule() -> Iterator[Case]:
    """The first case that breaks it, and the first that breaks none."""
    seen = set[str]()
    for case in CASES:
        if case.breaks not in seen:
            yield case
        seen.update((case.breaks, *case.breaks.split()))


def _write(project: Project, cases: Sequence[Case]) -> None:
    before = "001_tables"
    less = "CREATE TABLE fk_less (id bigint PRIMARY KEY, up bigint CONSTRAINT fk_up REFERENCES fk_less)"
    made = "; ".join([less, *(case.tables.format(t=f"t{n}") for n, case in enumerate(cases))])
    gone = "DROP SCHEMA public CASCADE; CREATE SCHEMA public"
    project.revision(before, None, f'op.execute("{made}")', f'op.execute("{gone}")')
    for n, case in enumerate(cases):
        _revision(project, case, f"{n + 2:03d}_case", before, f"t{n}")
        before = f"{n + 2:03d}_case"


def _revision(project: Project, case: Case, revision: str, parent: str, table: str) -> Path:
    up, down, top = (code.format(t=table) for code in (case.upgrade, case.downgrade, case.top))
    path = project.revision(revision, parent, up, down)
    text = path.read_text().replace(f'"""{revision}."""', f'"""{case.message}"""')
    path.write_text(text.replace("\n\n\ndef upgrade", f"\n{top}\n\n\ndef upgrade"))
    return path


@pytest.mark.timeout(600)
@pytest.mark.parametrize(
    "cases", [[*_of_each_rule()], pytest.param(CASES, marks=pytest.mark.prove)], ids=["few", "all"]
)
def test_each_revision_breaks_its_rules_and_no_other(
    project: Project, database: str, monkeypatch: pytest.MonkeyPatch, cases: Sequence[Case]
) -> None:
    """In one test: to lint the chain takes a while, and each worker that had a case of it would do it again."""
    _write(project, cases)
    monkeypatch.setenv("DATABASE_URL", database)
    opened = open_project(Config(project.folder / "alembic.ini"))
    said: dict[str, list[str]] = {}
    for each in check(opened, place_of(database), choose(opened, "001_tables:", ())):
        said.setdefault(each.revision, []).append(f"{each.rule.code}: {each.what}")
    mistaken = []
    for n, case in enumerate(cases):
        found = said.get(f"{n + 2:03d}_case", [])
        if {words.partition(":")[0] for words in found} != (expected := set(case.breaks.split())):
            mistaken.append(f"{case.name}: not {sorted(expected)} but {found}")
    assert not mistaken, "\n".join(mistaken)


@pytest.mark.parametrize("case", TEXTS, ids=[case.name for case in TEXTS])
def test_a_text_breaks_these_rules_and_no_other(project: Project, case: Case) -> None:
    revision = Revision("002_case", ("001_a",), Source.read(_revision(project, case, "002_case", "001_a", "t")))
    found = [f"{each.rule.code}: {each.what}" for each in findings_of(revision)]
    assert sorted({each.partition(":")[0] for each in found}) == sorted(case.breaks.split()), "\n".join(found)


def test_each_rule_has_a_case_that_breaks_it() -> None:
    elsewhere = {"edited", "deleted", "still-mapped", "phase", "recorded", "squawk"}
    assert {rule.code for rule in RULES} - elsewhere <= {
        code for case in (*CASES, *TEXTS) for code in case.breaks.split()
    }


def test_our_own_chain_is_sound(migrated: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", migrated)
    project = open_project(Config(BACKEND / "alembic.ini"))
    found = check(project, place_of(migrated), choose(project, "all", ()))
    assert [(each.file, each.rule.code, each.what) for each in found if each.rule.code != "edited"] == []


def test_the_page_has_each_rule_once() -> None:
    sections = [line.removeprefix("## ") for line in page().splitlines() if line.startswith("## ")]
    assert sections == [rule.code for rule in (*RULES, ALLOWANCE)]
