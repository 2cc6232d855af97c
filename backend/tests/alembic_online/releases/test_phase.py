"""Promise: a revision's phase follows from what it does: autogenerate writes it, and lint holds the file against it."""

from pathlib import Path

import pytest
from alembic.config import Config

from alembic_online.errors import BrokenChain
from alembic_online.review.lint.check import check, choose
from alembic_online.revisions.project import open_project
from tests.alembic_online.project import Project
from tests.alembic_online.releases.shop import CONTRACT, EXPAND, ON, make_shop
from tests.alembic_online.review.lint.place import place_of

COLUMNS = 'Table("customers", metadata, Column("id", Integer, primary_key=True), Column("mail", String){})'


def written(project: Project, url: str, columns: str, **variables: str) -> str:
    """The file that autogenerate writes for these further columns, which is then applied."""
    project.models(COLUMNS.format(columns))
    alembic = project.alembic.having(**variables)
    before = {*(project.folder / "versions").glob("*.py")}
    alembic(url, "revision", "--autogenerate", "-m", f"change {len(before)} columns")
    (made,) = {*(project.folder / "versions").glob("*.py")} - before
    alembic(url, "upgrade", "head")
    return made.read_text()


def test_autogenerate_writes_it_where_the_project_wants_it(project: Project, database: str) -> None:
    assert 'phase = "expand"\n' in written(project, database, "", **ON)
    assert 'phase = "expand"\n' in written(project, database, ', Column("email", String)', **ON)
    contract = written(project, database, "", **ON)
    assert 'phase = "contract"\n' in contract
    assert "expand" not in contract
    assert "phase" not in written(project, database, ', Column("email", String)')


def lint(project: Project, url: str) -> list[tuple[str, str, str, str]]:
    """Revision, rule, finding and remedy, of the rules that are about releases."""
    opened = open_project(Config(project.folder / "alembic.ini"))
    found = check(opened, place_of(url), choose(opened, "all", ()))
    of_releases = (each for each in found if each.rule.code in ("phase", "still-mapped", "allowance"))
    return [(each.revision, each.rule.code, each.what, each.instead) for each in of_releases]


@pytest.fixture
def shop(project: Project, database: str, monkeypatch: pytest.MonkeyPatch) -> Project:
    monkeypatch.setenv("DATABASE_URL", database)
    for name, value in ON.items():
        monkeypatch.setenv(name, value)
    return make_shop(project)


def allow(path: Path, reason: str) -> None:
    path.write_text(path.read_text().replace("def upgrade", f"# lint: allow phase because {reason}\ndef upgrade"))


def test_lint_holds_what_is_said_against_what_is_done(shop: Project, database: str) -> None:
    shop.revision("four", "three", 'op.drop_column("customers", "email")', EXPAND[0], phase="expand")
    shop.revision("five", "four", *EXPAND)
    shop.revision("six", "five", *reversed(EXPAND))
    allow(shop.revision("seven", "six", 'op.drop_table("customers")', phase="expand"), "nobody has ever used it")
    gone = "goes, or gets another name: code that knows it fails."
    found = [each for each in lint(shop, database) if each[1] != "still-mapped"]
    assert found == [
        ("four", "phase", f"It says that it is expand, and the column customers.email {gone}", found[0][3]),
        (
            "five",
            "phase",
            "It says no phase. It is expand, for nothing that was there goes or is ruled otherwise.",
            'phase = "expand"',
        ),
        ("six", "phase", f"It says no phase. It is contract: the column customers.email {gone}", 'phase = "contract"'),
    ]


def test_a_contract_may_drop_what_the_release_before_maps(
    shop: Project, database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert CONTRACT[0].startswith("op.drop_column")
    assert lint(shop, database) == []
    monkeypatch.setenv("MIGRATION_EXPAND_CONTRACT", "off")
    assert [(revision, rule) for revision, rule, *_ in lint(shop, database)] == [("three", "still-mapped")]


def test_a_word_that_is_no_phase_is_refused(shop: Project, database: str) -> None:
    shop.revision("three", "two", *CONTRACT, phase="contrat")
    with pytest.raises(BrokenChain, match="three says that its phase is 'contrat'"):
        shop.alembic.having(**ON)(database, "upgrade", "head")
