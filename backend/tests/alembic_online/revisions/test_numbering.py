"""Revisions are numbered `NNN_slug`, whatever the message."""

import pytest

from alembic_online.errors import RequestRefused
from alembic_online.revisions.numbering import LONGEST_ID, next_revision_id
from tests.alembic_online.project import NOWHERE, Project


@pytest.mark.parametrize(
    ("message", "taken", "expected"),
    [
        ("add something", [], "001_add_something"),
        ("add something", ["001_initial_schema"], "002_add_something"),
        ("add something", ["098_a", "099_b"], "100_add_something"),
        ("add something", ["999_a"], "1000_add_something"),
        ("add something", ["001_a", "1975ea83b712", "my_own"], "002_add_something"),
        ("add something", ["699221885110_nothing", "20260131_books"], "001_add_something"),
        ("Ajoute l'été à Noël", [], "001_ajoute_l_ete_a_noel"),
        ('say "hello" / it\'s\n100%', [], "001_say_hello_it_s_100"),
        ("Straße", [], "001_strasse"),
        ("添加索引", [], "001_添加索引"),
        ("x" * 200, [], "001_" + "x" * (LONGEST_ID - 4)),
        ("word " * 40, [], "001_word_word_word_word_word"),
    ],
)
def test_the_id_is_number_and_slug(message: str, taken: list[str], expected: str) -> None:
    assert next_revision_id(message, taken) == expected
    assert len(expected) <= LONGEST_ID


@pytest.mark.parametrize("message", [None, "", "   ", "!?", "--", "___"])
def test_a_message_that_says_nothing_is_refused(message: str | None) -> None:
    with pytest.raises(RequestRefused, match="needs a message"):
        next_revision_id(message, [])


def test_revision_writes_a_numbered_file_without_any_server(project: Project) -> None:
    project.revision("001_a")
    project.alembic(NOWHERE, "revision", "-m", "add something")
    text = (project.folder / "versions" / "002_add_something.py").read_text()
    assert 'revision: str = "002_add_something"' in text
    assert 'down_revision: str | None = "001_a"' in text


def test_a_revision_with_quotes_in_its_message_runs(project: Project, database: str) -> None:
    project.alembic(NOWHERE, "revision", "-m", 'say "hello", it\'s \\ 100% """quoted"""')
    project.alembic(database, "upgrade", "head")
    assert "001_say_hello" in project.alembic(database, "current")


@pytest.mark.parametrize("arguments", [["-m", ""], [], ["-m", "!"], ["--autogenerate"]])
def test_a_revision_without_a_message_writes_no_file(project: Project, database: str, arguments: list[str]) -> None:
    code, stderr = project.alembic.refused(database, "revision", *arguments)
    assert (code, stderr.splitlines()[0]) == (16, "A revision needs a message that says what it changes.")
    assert not list((project.folder / "versions").glob("*.py"))


def test_an_id_of_ones_own_is_kept_unless_it_could_not_be_stamped(project: Project) -> None:
    project.alembic(NOWHERE, "revision", "-m", "mine", "--rev-id", "mine")
    assert (project.folder / "versions" / "mine.py").exists()
    code, stderr = project.alembic.refused(NOWHERE, "revision", "-m", "long", "--rev-id", "x" * 33)
    assert (code, "has 33 characters" in stderr) == (16, True)


@pytest.mark.parametrize("given", ["001_a", "../zzz", "a/b", 'a b"c'])
def test_an_id_that_would_overwrite_or_is_no_name_is_refused(project: Project, given: str) -> None:
    path = project.revision("001_a")
    before = path.read_text()
    assert project.alembic.refused(NOWHERE, "revision", "-m", "mine", "--rev-id", given).exit_code == 16
    assert project.alembic.refused(NOWHERE, "revision", "-m", "", "--rev-id", "mine").exit_code == 16
    assert [path.read_text()] == [before]
    assert list((project.folder / "versions").glob("*.py")) == [path]


def test_a_new_revision_overwrites_no_file_whatever_id_that_one_holds(project: Project) -> None:
    path = project.revision("my_own", name="001_add")
    before = path.read_text()
    project.alembic(NOWHERE, "revision", "-m", "add")
    assert path.read_text() == before
    assert (project.folder / "versions" / "002_add.py").exists()
