"""Promise: after an import the database says what the files say; once or twice, all or nothing, and in plain words."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psycopg
import pytest

from src.course.cli import main

EXAMPLE = Path(__file__).resolve().parents[3] / "examples" / "course"
HEAD = "---\ntitle: A title\n---\n"
Import = Callable[[Path], int]


@pytest.fixture
def imported(migrated: str, monkeypatch: pytest.MonkeyPatch) -> Import:
    """`imported(folder)` runs the command on this test's database, and returns its exit code."""
    monkeypatch.setenv("DATABASE_URL", migrated)
    return lambda folder: main(["import", str(folder)])


@pytest.fixture
def course(tmp_path: Path) -> Path:
    """A folder with the least that a course needs."""
    write(tmp_path, "01-basics/module.md", "---\ntitle: Basics\n---\nWhat comes first.\n")
    write(tmp_path, "01-basics/01-tables.md", "---\ntitle: Tables\nminutes: 5\n---\nA **table** has rows.\n")
    return tmp_path


def write(folder: Path, name: str, text: str) -> None:
    path = folder / name
    path.parent.mkdir(exist_ok=True)
    path.write_text(text, encoding="utf-8")


def rows(url: str, query: str) -> list[tuple[Any, ...]]:
    with psycopg.connect(url) as connection:
        return connection.execute(query.encode()).fetchall()


def everything(url: str) -> list[list[tuple[Any, ...]]]:
    return [rows(url, f"SELECT * FROM {table} ORDER BY id") for table in ("modules", "chapters", "translations")]


def test_the_example_is_a_course_with_drafts_and_a_translation(imported: Import, migrated: str) -> None:
    assert imported(EXAMPLE) == 0
    assert rows(migrated, "SELECT slug, position FROM modules ORDER BY position") == [
        ("first-steps", 1),
        ("without-an-outage", 2),
        ("data", 3),
    ]
    assert rows(migrated, "SELECT slug FROM chapters WHERE NOT is_published AND published_at IS NULL") == [
        ("partitions",)
    ]
    assert rows(migrated, "SELECT DISTINCT language_code, is_published FROM translations") == [("de", True)]
    assert rows(migrated, "SELECT count(*) FROM chapters WHERE content_html LIKE '%<table>%'") > [(0,)]


def test_a_second_run_changes_nothing_not_even_a_timestamp(imported: Import, migrated: str) -> None:
    imported(EXAMPLE)
    before = everything(migrated)
    assert imported(EXAMPLE) == 0
    assert everything(migrated) == before


def test_only_the_file_that_changed_is_written(
    imported: Import, migrated: str, course: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write(course, "01-basics/02-rows.md", HEAD)
    imported(course)
    write(course, "01-basics/01-tables.md", "---\ntitle: Tables\nminutes: 7\n---\nA **table** has rows.\n")
    imported(course)
    assert "1 changed, 2 unchanged." in capsys.readouterr().err
    changed = "SELECT slug, estimated_duration_minutes FROM chapters WHERE updated_at > created_at"
    assert rows(migrated, changed) == [("tables", 7)]


def test_what_the_files_do_not_have_is_left_alone(imported: Import, migrated: str, course: Path) -> None:
    imported(course)
    (course / "01-basics" / "01-tables.md").rename(course / "01-basics" / "01-relations.md")
    imported(course)
    assert rows(migrated, "SELECT slug FROM chapters ORDER BY slug") == [("relations",), ("tables",)]


def test_a_draft_that_is_published_says_since_when_and_forgets_it_when_withdrawn(
    imported: Import, migrated: str, course: Path
) -> None:
    since = "SELECT is_published, published_at IS NOT NULL FROM chapters"
    for published in (False, True, False):
        write(course, "01-basics/01-tables.md", f"---\ntitle: Tables\npublished: {str(published).lower()}\n---\n")
        imported(course)
        assert rows(migrated, since) == [(published, published)]


def test_what_would_run_in_a_browser_is_taken_out(imported: Import, migrated: str, course: Path) -> None:
    text = "<script>alert(1)</script><img src=x onerror=alert(1)> [a](javascript:alert(1))\n\n```sql\nSELECT 1\n```\n"
    write(course, "01-basics/01-tables.md", HEAD + text)
    imported(course)
    [(html,)] = rows(migrated, "SELECT content_html FROM chapters")
    assert "<script" not in html
    assert "onerror" not in html
    assert "href" not in html
    assert '<code class="language-sql">' in html


def test_a_title_is_what_is_written_also_where_yaml_knows_it_for_a_number_or_a_day(
    imported: Import, migrated: str, course: Path
) -> None:
    for number, title in enumerate(("2026", "2026-13-45", "no"), 2):
        write(course, f"01-basics/{number}-x{number}.md", f"---\ntitle: {title}\n---\n")
    assert imported(course) == 0
    titles = rows(migrated, "SELECT title FROM chapters ORDER BY position")
    assert titles == [("Tables",), ("2026",), ("2026-13-45",), ("no",)]


def test_numbers_give_the_order_and_not_the_letters(imported: Import, migrated: str, course: Path) -> None:
    for name in ("10-last", "2-second", "appendix"):
        write(course, f"01-basics/{name}.md", HEAD)
    imported(course)
    assert rows(migrated, "SELECT slug FROM chapters ORDER BY position") == [
        ("tables",),
        ("second",),
        ("last",),
        ("appendix",),
    ]


# a file, what stands in it, and the sentence that it earns
MISTAKES = [
    ("01-basics/02-x.md", "No head.\n", "02-x.md, line 1: it does not begin with front matter."),
    ("01-basics/02-x.md", "---\ntitle: X\ndifficulty: hard\n---\n", "02-x.md, line 3: difficulty does not fit."),
    ("01-basics/02-x.md", "---\ntitle: X\nminutes: 0\n---\n", "02-x.md, line 3: minutes does not fit."),
    ("01-basics/02-x.md", "---\nminutes: 5\n---\n", "02-x.md, line 1: title is missing."),
    ("01-basics/02-x.md", "---\ntitle: X\nauthor: Ada\n---\n", "02-x.md, line 3: author is not known here."),
    ("01-basics/02-x.md", "---\ntitle: X\ndescription: a: b\n---\n", "02-x.md, line 3: this is not YAML"),
    (
        "01-basics/02-x.md",
        '---\ntitle: X\ndescription: "\\0"\n---\n',
        "02-x.md, line 3: description does not fit.",
    ),
    ("01-basics/02-x.md", "---\ntitle: a\x07b\n---\n", "02-x.md, line 1: its front matter holds a character that YAML"),
    ("01-basics/02-x.md", "---\ntitle: X\nminutes: 2026-13-45\n---\n", "02-x.md, line 3: minutes does not fit."),
    ("01-basics/02-x.md", "---\n- title\n---\n", "02-x.md, line 1: "),
    ("01-basics/02-x.md", "---\ntitle: X\n", "02-x.md, line 1: the front matter does not end."),
    ("01-basics/02-x.md", f"---\ntitle: {'x' * 256}\n---\n", "02-x.md, line 2: title does not fit."),
    ("01-basics/02-x.md", HEAD + "\n\n\0", "02-x.md, line 6: it holds a zero byte."),
    ("01-basics/02-x.md", HEAD + "x" * 1_000_001, "02-x.md: it is larger than 1 MB."),
    (
        "01-basics/02-x.md",
        f"---\ntitle: {'[' * 40_000}{']' * 40_000}\n---\n",
        "02-x.md, line 1: its front matter nests",
    ),
    ("01-basics/02 x.md", HEAD, "02 x.md: its name gives no slug."),
    ("01-basics/02-tables.md", HEAD, "02-tables.md: it is called like 01-tables.md, but for the number or the case."),
    ("01-basics/02-x.de.md", HEAD, "02-x.de.md: the chapter that it translates is not there."),
    ("01-basics/01-tables.en.md", HEAD, "01-tables.en.md: the original is in 'en' already."),
    ("02-more/01-x.md", HEAD, "02-more: it has no module.md."),
    ("Basics/module.md", HEAD, "Basics: its name gives no slug."),
]


@pytest.mark.parametrize(("name", "text", "sentence"), MISTAKES)
def test_a_mistake_is_told_with_file_and_line_and_nothing_is_imported(
    imported: Import,
    migrated: str,
    course: Path,
    capsys: pytest.CaptureFixture[str],
    name: str,
    text: str,
    sentence: str,
) -> None:
    write(course, name, text)
    assert imported(course) == 1
    problem, remedy = capsys.readouterr().err.split("\n", 1)
    assert sentence in problem
    assert remedy.strip()
    assert everything(migrated) == [[], [], []]


def test_a_byte_that_is_not_utf8_is_told_with_its_line(
    imported: Import, course: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (course / "01-basics" / "02-x.md").write_bytes(HEAD.encode() + b"caf\xe9\n")
    assert imported(course) == 1
    assert "02-x.md, line 4: a byte in it is not UTF-8." in capsys.readouterr().err


def test_what_is_no_file_is_told_and_not_waited_for(
    imported: Import, course: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = course / "01-basics" / "02-x.md"
    kinds: list[tuple[Callable[[], object], str]] = [
        (path.mkdir, "02-x.md: it is no file."),
        (lambda: os.mkfifo(path), "02-x.md: it is no file."),
        (lambda: path.symlink_to("/dev/zero"), "02-x.md: it is no file."),
        (lambda: path.symlink_to("nowhere"), "02-x.md: it leads nowhere."),
        (lambda: path.symlink_to(path.name), "02-x.md: it "),
    ]
    for make, sentence in kinds:
        make()
        assert imported(course) == 1
        assert sentence in capsys.readouterr().err
        path.rmdir() if path.is_dir() else path.unlink()


def test_a_file_may_be_a_link_to_one(imported: Import, migrated: str, course: Path) -> None:
    (course / "01-basics" / "02-rows.md").symlink_to("01-tables.md")
    assert imported(course) == 0
    assert rows(migrated, "SELECT slug, title FROM chapters ORDER BY position") == [
        ("tables", "Tables"),
        ("rows", "Tables"),
    ]


@pytest.mark.parametrize("folder", ["missing", ".", "x" * 300])
def test_a_folder_without_a_course_is_told(
    imported: Import, tmp_path: Path, capsys: pytest.CaptureFixture[str], folder: str
) -> None:
    assert imported(tmp_path / folder) == 1
    assert len(capsys.readouterr().err.splitlines()) == 2


def test_a_database_that_cannot_be_reached_is_told_before_anything_is_read(
    course: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("DATABASE_URL", "postgresql://student:sekret@127.0.0.1:1/course")
    assert main(["import", str(course)]) == 11
    said = capsys.readouterr().err
    assert "127.0.0.1:1" in said
    assert "sekret" not in said


def test_a_database_that_is_not_migrated_is_told(
    course: Path, database: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("DATABASE_URL", database)
    assert main(["import", str(course)]) != 0
    assert "alembic upgrade head" in capsys.readouterr().err
