"""Whatever is wrong with the revision files is a sentence with file names in it, and the way out."""

import psycopg

from tests.alembic_online.project import NOWHERE, Project


def test_a_file_that_does_not_import_is_named_with_its_line(project: Project) -> None:
    project.revision("001_a").write_text("revision = '001_a'\ndown_revision = None\nimport no_such_module\n")
    code, stderr = project.alembic.refused(NOWHERE, "upgrade", "head")
    assert code == 14
    assert stderr.startswith("The revision file 001_a.py cannot be imported: line 3: ModuleNotFoundError")


def test_a_syntax_error_is_named_with_its_line(project: Project) -> None:
    project.revision("001_a").write_text("revision = '001_a'\ndef upgrade(:\n")
    code, stderr = project.alembic.refused(NOWHERE, "upgrade", "head")
    assert (code, stderr.splitlines()[0].split(" (")[0]) == (
        14,
        "The revision file 001_a.py cannot be imported: line 2: SyntaxError: invalid syntax",
    )


def test_two_files_with_one_id_are_both_named(project: Project) -> None:
    project.revision("001_a")
    project.revision("001_a", name="001_other")
    code, stderr = project.alembic.refused(NOWHERE, "upgrade", "head")
    assert code == 14
    assert "'001_a': 001_a.py and 001_other.py" in stderr


def test_a_missing_parent_is_named_with_the_file_that_wants_it(project: Project) -> None:
    project.revision("002_b", parent="001_gone")
    code, stderr = project.alembic.refused(NOWHERE, "upgrade", "head")
    assert code == 14
    assert stderr.startswith("002_b.py names the revision '001_gone' as its parent, and no file has it.")


def test_a_cycle_is_named(project: Project) -> None:
    project.revision("001_a", parent="003_c")
    project.revision("002_b", parent="001_a")
    project.revision("003_c", parent="002_b")
    code, stderr = project.alembic.refused(NOWHERE, "upgrade", "head")
    assert code == 14
    assert "in a circle (001_a.py, 002_b.py, 003_c.py)" in stderr


def test_a_revision_that_is_its_own_parent_is_a_cycle(project: Project) -> None:
    project.revision("001_a", parent="001_a")
    code, stderr = project.alembic.refused(NOWHERE, "upgrade", "head")
    assert code == 14
    assert "in a circle (001_a.py)" in stderr


def test_two_heads_are_named_with_the_command_that_joins_them(project: Project, database: str) -> None:
    project.revision("001_a")
    project.revision("002_left", parent="001_a")
    project.revision("002_right", parent="001_a")
    for command in (["upgrade", "head"], ["revision", "-m", "more"], ["revision", "--autogenerate", "-m", "more"]):
        code, stderr = project.alembic.refused(database, *command)
        assert code == 14
        assert stderr.startswith("The chain has 2 heads: 002_left.py, 002_right.py.\nJoin them: alembic merge -m")


def test_the_command_that_is_named_for_two_heads_puts_it_right(project: Project, database: str) -> None:
    project.revision("001_a")
    project.revision("002_left", parent="001_a")
    project.revision("002_right", parent="001_a")
    project.alembic(NOWHERE, "merge", "-m", "merge 002 and 002", "heads")
    project.alembic(database, "upgrade", "head")
    assert "(mergepoint)" in project.alembic(database, "current")


def test_other_assignments_in_a_revision_do_not_hinder_the_diagnosis(project: Project) -> None:
    text = project.revision("001_a").read_text()
    (project.folder / "versions" / "001_a.py").write_text(f"{text}\nKINDS = (sa.Integer, sa.Text)\nPLACE: int\n")
    project.revision("002_b", parent="001_gone")
    code, stderr = project.alembic.refused(NOWHERE, "upgrade", "head")
    assert (code, stderr.startswith("002_b.py names the revision '001_gone'")) == (14, True)


def test_a_revision_without_its_downgrade_goes_up_and_is_named_on_the_way_down(project: Project, database: str) -> None:
    path = project.revision("001_a")
    path.write_text(path.read_text().replace("def downgrade", "def downgraed"))
    project.revision("002_b", "001_a", "op.execute('CREATE TABLE b (a int)')", "op.execute('DROP TABLE b')")
    project.alembic(database, "upgrade", "head")
    code, stderr = project.alembic.refused(database, "downgrade", "base")
    assert (code, stderr.partition(",")[0]) == (14, "The revision file 001_a.py has no function downgrade()")
    assert "002_b (head)" in project.alembic(database, "current")


def test_an_id_is_as_long_as_the_version_table_holds(project: Project, database: str) -> None:
    long = "001_" + "a" * 40
    project.revision(long, upgrade="op.execute('CREATE TABLE b (a int)')")
    code, stderr = project.alembic.refused(database, "upgrade", "head")
    assert (code, "has 44 characters; alembic_version holds 32." in stderr) == (14, True), stderr
    with psycopg.connect(database, autocommit=True) as session:
        session.execute("CREATE TABLE alembic_version (version_num varchar(64) PRIMARY KEY)")
    project.alembic(database, "upgrade", "head")
    assert long in project.alembic(database, "current")


def test_a_revision_may_make_the_version_table_wider(project: Project, database: str) -> None:
    project.revision("001_a", None, "op.alter_column('alembic_version', 'version_num', type_=sa.String(128))")
    project.revision("002_" + "a" * 40, "001_a")
    project.alembic(database, "upgrade", "head")
    assert "002_aaa" in project.alembic(database, "current")


def test_a_merge_is_numbered_and_needs_a_message(project: Project) -> None:
    project.revision("001_a")
    project.revision("002_left", parent="001_a")
    project.revision("002_right", parent="001_a")
    assert project.alembic.refused(NOWHERE, "merge", "heads").exit_code == 16
    project.alembic(NOWHERE, "merge", "-m", "left and right", "heads")
    assert (project.folder / "versions" / "003_left_and_right.py").exists()


def test_a_file_whose_number_is_not_its_revisions_is_named(project: Project) -> None:
    project.revision("002_b", name="003_b")
    code, stderr = project.alembic.refused(NOWHERE, "upgrade", "head")
    assert (code, stderr.startswith("The file 003_b.py says that it is revision '002_b'")) == (14, True)


def test_files_of_other_projects_may_be_named_otherwise(project: Project) -> None:
    project.revision("ae1027a6acf", name="ae1027a6acf_add_books")
    project.revision("002_b", parent="ae1027a6acf", name="2026_11_22_add_films")
    assert "002_b" in project.alembic(NOWHERE, "history")


def test_a_new_revisions_parent_that_is_not_there_is_said_with_the_nearest(project: Project) -> None:
    project.revision("001_books")
    code, stderr = project.alembic.refused(NOWHERE, "revision", "-m", "films", "--head", "x01_books")
    assert (code, stderr) == (
        16,
        "No revision is called 'x01_books'.\nThe nearest: 001_books. All: alembic history\n",
    )
