"""The chain of somebody who has installed nothing: each fault is found at its line, and nothing else is."""

import json
import re
from pathlib import Path

import jsonschema_rs
import psycopg
import pytest

from alembic_online.audit.schema import SCHEMA
from alembic_online.cli.audit import SIZES
from alembic_online.cli.verb import COULD_NOT_RUN, FINE, FOUND
from tests.alembic_online.audit.projects import Foreign, found, make_foreign, up_and_down
from tests.alembic_online.formats.standards import holds_to_the_standard, needs_nothing_else

NOWHERE = "postgresql://nobody@127.0.0.1:1/nowhere"
BOOKS = """\
def upgrade() -> None:
    op.create_table(
        "authors",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("name", sa.String(200), nullable=False),
    )
    op.create_table(
        "books",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("title", sa.String(200), nullable=False),
        sa.Column("subtitle", sa.Text),
        sa.Column("author_id", sa.Integer),
        sa.Column("pages", sa.Integer),
    )
    op.create_index("ix_books_author_id", "books", ["author_id"])


def downgrade() -> None:
    op.drop_table("books")
    op.drop_table("authors")
"""
CHAIN = {
    "a1_tables": BOOKS,
    "b2_index": up_and_down(
        'op.create_index("ix_books_title", "books", ["title"])  # !stall', 'op.drop_index("ix_books_title", "books")'
    ),
    "c3_harmless": up_and_down('op.add_column("books", sa.Column("isbn", sa.Text))', 'op.drop_column("books", "isbn")'),
    "d4_rewrite": up_and_down(
        'op.alter_column("books", "id", type_=sa.BigInteger())  # !rewrite',
        'op.alter_column("books", "id", type_=sa.Integer())',
    ),
    "e5_required": up_and_down(
        'op.add_column("books", sa.Column("shelf", sa.Integer, nullable=False))  # !breaks-code',
        'op.drop_column("books", "shelf")',
    ),
    "f6_drop": up_and_down(
        'op.drop_column("books", "subtitle")  # !data-loss !breaks-code',
        'op.add_column("books", sa.Column("subtitle", sa.Text))',
    ),
    "g7_fill": """\
def upgrade() -> None:
    op.execute("UPDATE books SET pages = 0")  # !every-row


def downgrade() -> None:
    \"\"\"The values were not known.\"\"\"
""",
    "h8_leaves": up_and_down(
        "op.execute(\"CREATE TYPE mood AS ENUM ('glad', 'sad')\")", 'op.execute("SELECT 1")'
    ).replace("def downgrade() -> None:", "def downgrade() -> None:  # !undo"),
    "i9_rename": up_and_down(
        'op.rename_table("authors", "people")  # !breaks-code', 'op.rename_table("people", "authors")'
    ),
    "j10_no_way_back": up_and_down('op.create_table("shelves", sa.Column("id", sa.Integer))', "pass").replace(
        "def downgrade() -> None:", "def downgrade() -> None:  # !downgrade"
    ),
    "k11_narrow": up_and_down(
        'op.alter_column("books", "title", type_=sa.String(20))  # !rewrite !breaks-code',
        'op.alter_column("books", "title", type_=sa.String(200))',
    ),
    "l12_key": up_and_down(
        'op.create_foreign_key("fk_books_author", "books", "people", ["author_id"], ["id"])  # !stall',
        'op.drop_constraint("fk_books_author", "books")',
    ),
    "m13_beside": """\
def upgrade() -> None:
    with op.get_context().autocommit_block():
        op.create_index("ix_books_pages", "books", ["pages"], postgresql_concurrently=True)


def downgrade() -> None:
    with op.get_context().autocommit_block():
        op.drop_index("ix_books_pages", "books", postgresql_concurrently=True)
""",
}
MODELS = """\
Table("people", metadata, Column("id", Integer, primary_key=True), Column("name", String(200), nullable=False))
"""


def write_chain(project: Foreign, chain: dict[str, str]) -> None:
    parent = None
    for revision, body in chain.items():
        project.revision(revision, parent, body)
        parent = revision


@pytest.fixture(params=["generic", "async"])
def library(request: pytest.FixtureRequest, tmp_path: Path) -> Foreign:
    """The chain of faults."""
    project = make_foreign(tmp_path, request.param)
    write_chain(project, CHAIN)
    project.models(MODELS, "library_models")
    env = project.folder / "migrations" / "env.py"
    env.write_text(env.read_text().replace("target_metadata = metadata", "target_metadata = metadata  # !models"))
    return project


def test_each_fault_is_found_at_its_line_and_nothing_else(library: Foreign, database: str) -> None:
    before = library.bytes
    code, said, err = library.audit(database, "--json")
    assert (code, err) == (FOUND, "")
    data = library.data(database)
    jsonschema_rs.validator_for(SCHEMA).validate(data)
    assert found(data) == library.marked
    assert library.bytes == before, "no log, no bytecode, nothing"
    assert {step["state"] for step in data["revisions"]} == {"applied"}
    assert data["models"]["compared"]
    assert data["same_end"] is True
    (index,) = [each for each in data["findings"] if each["file"].endswith("b2_index.py")]
    assert "books under SHARE: writes wait for about 25 s" in index["what"]
    assert [sql for sql in index["sql"] if "CONCURRENTLY" in sql] == [
        "CREATE INDEX CONCURRENTLY ix_books_title ON books (title)"
    ]
    assert said


def test_a_chain_without_a_fault_is_fine(tmp_path: Path, database: str) -> None:
    project = make_foreign(tmp_path)
    write_chain(project, {name: CHAIN[name] for name in ("a1_tables", "c3_harmless", "m13_beside")})
    code, said, _ = project.audit(database)
    assert code == FINE
    assert said.splitlines() == [
        "! Models not compared: its env.py passes no target_metadata.",
        "3 revisions of 3 looked at, 0 findings.",
    ]


def test_what_cannot_run_is_named_and_the_other_branch_is_walked(tmp_path: Path, database: str) -> None:
    project = make_foreign(tmp_path)
    project.revision("a", None, BOOKS)
    project.revision("b", "a", up_and_down('op.execute("SELECT nonsense")  # !runs', "pass"))
    project.revision("c", "b", up_and_down('op.create_index("ix_books_title", "books", ["title"])', "pass"))
    project.revision("d", "a", "import not_installed_anywhere  # !runs\n\n\ndef upgrade():\n    pass")
    project.revision("e", "a", CHAIN["b2_index"])
    project.revision("f", ("c", "e"), up_and_down("pass", "pass"))
    data = project.data(database)
    assert found(data) == project.marked
    states = {step["revision"]: (step["state"], step["because"]) for step in data["revisions"]}
    assert states["a"] == states["e"] == ("applied", "")
    assert states["b"] == ("failed", 'Revision b, upgrade(), line 9 failed: column "nonsense" does not exist.')
    assert states["c"] == ("not looked at", "b")
    assert states["f"] == ("not looked at", "b")
    assert states["d"][1].startswith("d.py, line 8 failed: it cannot be imported: ModuleNotFoundError")
    assert data["remarks"][0] == "2 revisions not looked at: built on b, which fails."


def test_an_error_that_a_revision_passes_over_ends_its_transaction(tmp_path: Path, database: str) -> None:
    project = make_foreign(tmp_path)
    project.revision("a", None, BOOKS)
    tried = 'try:\n        op.drop_table("nothing")  # !runs\n    except Exception:\n        pass'
    project.revision("b", "a", up_and_down(f'op.add_column("books", sa.Column("n", sa.Integer))\n    {tried}', "pass"))
    data = project.data(database)
    assert found(data) == project.marked
    assert data["revisions"][1]["state"] == "failed"
    assert data["revisions"][1]["because"] == (
        'b, line 11 failed: table "nothing" does not exist, which it passes over: its transaction is at an end.'
    )


def test_what_the_toolkit_refuses_is_said_and_the_rest_is_known_all_the_same(tmp_path: Path, database: str) -> None:
    project = make_foreign(tmp_path)
    project.revision("a", None, BOOKS)
    exclude = 'op.create_exclude_constraint("ex_books", "books", ("title", "="), using="btree")  # !stall'
    project.revision("b", "a", up_and_down(exclude, 'op.drop_constraint("ex_books", "books")'))
    project.revision("c", "b", CHAIN["b2_index"])
    data = project.data(database)
    (refused,) = [each for each in data["findings"] if each["rule"] == "refused"]
    assert (refused["revision"], refused["level"]) == ("b", "note")
    assert found(data) - {(refused["file"], refused["line"], "refused")} == project.marked
    assert [step["online"] is None for step in data["revisions"]] == [False, True, False]
    assert data["remarks"][-1] == "What would be executed instead is not known of 1 revision."


@pytest.mark.programs
def test_extensions_that_the_wheel_does_not_have_have_a_stand_in(tmp_path: Path) -> None:
    """On the server that the verb itself starts."""
    project = make_foreign(tmp_path)
    names = ("uuid-ossp", "citext", "pg_trgm", "btree_gist", "vector", "nobody_knows_it")
    created = "\n    ".join(f"op.execute('CREATE EXTENSION \"{name}\"')" for name in names)
    dropped = "\n    ".join(f"op.execute('DROP EXTENSION \"{name}\"')" for name in names)
    project.revision("a", None, up_and_down(created, dropped))
    project.revision(
        "b",
        "a",
        """\
def upgrade() -> None:
    op.execute("CREATE TABLE people (id uuid DEFAULT uuid_generate_v4() PRIMARY KEY, mail citext, v vector(3))")
    op.execute("INSERT INTO people (mail) VALUES ('ada@example.org')")
    op.execute("CREATE TABLE rooms (n int, name text, during tstzrange, EXCLUDE USING gist (n WITH =, during WITH &&))")
    op.execute("CREATE INDEX ix_rooms_name ON rooms USING gin (name gin_trgm_ops)")


def downgrade() -> None:
    op.execute("DROP TABLE people, rooms")
""",
    )
    project.revision("c", "b", up_and_down('op.execute("INSERT INTO rooms (name) VALUES (1)")  # !runs', "pass"))
    data = project.data("")
    assert found(data) == project.marked
    assert data["findings"][0]["what"].endswith("an index of an extension that is not here takes no row.")
    assert data["remarks"][0] == (
        "Not in this server, so a stand-in was used: btree_gist, citext, nobody_knows_it, pg_trgm, uuid-ossp."
    )


@pytest.mark.prove
def test_every_format_says_what_was_found(tmp_path: Path, database: str) -> None:
    """Of a chain with two branches, a merge, a revision that fails and one behind it; in a folder of a repository."""
    (tmp_path / ".git").mkdir()
    folder = tmp_path / "shop"
    folder.mkdir()
    project = make_foreign(folder)
    project.revision("a", None, BOOKS)
    project.revision("b", "a", CHAIN["b2_index"])
    project.revision("c", "a", CHAIN["f6_drop"])
    project.revision("d", ("b", "c"), up_and_down("pass", "pass"))
    project.revision("e", "d", up_and_down('op.drop_table("nothing")  # !runs', "pass"))
    project.revision("f", "e", up_and_down("pass", "pass"))
    seen = found(project.data(database))
    assert seen == project.marked
    wanted = sorted((f"shop/{file}", line, rule) for file, line, rule in seen)

    _, said, _ = project.audit(database, "--format", "sarif")
    log = json.loads(said)
    holds_to_the_standard(log)
    places = [(each["locations"][0]["physicalLocation"], each["ruleId"]) for each in log["runs"][0]["results"]]
    told = [(place["artifactLocation"]["uri"], place["region"]["startLine"], rule) for place, rule in places]
    assert sorted(told) == wanted

    output = tmp_path / "audit.html"
    code, said, _ = project.audit(database, "--format", "html", "--output", str(output))
    assert (code, said) == (FOUND, "")
    page = needs_nothing_else(output.read_text())
    assert len([tag for tag, _ in page.tags if tag == "circle"]) == 6
    assert len([tag for tag, _ in page.tags if tag == "path"]) == 6, "an edge for each parent, two of the merge"
    assert "f  not looked at" in page.text
    assert "b.py:9CREATE INDEX ix_books_title ON books (title)SHARE on bookswrites25 s" in page.text

    _, said, _ = project.audit(database, "--format", "markdown")
    assert re.findall(r"<b>([\w-]+)</b> <code>([^:]+):(\d+)</code>", said) == [
        ("runs", "migrations/versions/e.py", "9"),
        ("stall", "migrations/versions/b.py", "9"),
        ("data-loss", "migrations/versions/c.py", "9"),
        ("breaks-code", "migrations/versions/c.py", "9"),
    ]


def test_a_table_whose_size_is_known_counts_so(tmp_path: Path, database: str) -> None:
    project = make_foreign(tmp_path)
    project.revision("a", None, BOOKS)
    project.revision("b", "a", CHAIN["b2_index"])
    sizes = tmp_path / "sizes.json"
    for size, wait in ((30_000_000, None), (4_000_000_000, "about 10 s.")):
        sizes.write_text(json.dumps({"books": size}))
        _, said, _ = project.audit(database, "--format", "json", "--sizes", str(sizes))
        data = json.loads(said)
        assert data["sizes"] == {"books": size}
        assert [each["rule"] for each in data["findings"] if str(wait) in each["what"]] == (["stall"] if wait else [])
        assert len(data["findings"]) == bool(wait)
    sizes.write_text('{"books": "large"}')
    code, _, err = project.audit(database, "--sizes", str(sizes))
    assert (code, "how many bytes each table has" in err) == (COULD_NOT_RUN, True)


def test_the_file_of_sizes_is_what_the_database_writes(database: str) -> None:
    with psycopg.connect(database) as connection:
        connection.execute('CREATE TABLE "Order" (id int); CREATE TABLE parts (id int) PARTITION BY LIST (id)')
        connection.execute("CREATE TABLE part_1 PARTITION OF parts FOR VALUES IN (1); INSERT INTO parts VALUES (1)")
        [(sizes,)] = connection.execute(SIZES.encode()).fetchall()
        connection.rollback()
    assert sizes == {'"Order"': 0, "parts": 8192, "part_1": 8192}


@pytest.mark.parametrize(
    ("env", "why"),
    [
        ("import os\nos.environ['SECRET_OF_THE_SHOP']\n", "its env.py fails in line 2: KeyError: 'SECRET_OF_THE_SHOP'"),
        ("from alembic import context\nprint('nothing')\n", "its env.py runs no revisions"),
        ("def broken(:\n", "its env.py fails in line 1: SyntaxError: invalid syntax"),
    ],
)
def test_an_env_py_that_does_not_get_so_far_costs_the_models_alone(
    tmp_path: Path, database: str, env: str, why: str
) -> None:
    project = make_foreign(tmp_path)
    project.revision("a", None, BOOKS)
    (tmp_path / "migrations" / "env.py").write_text(env)
    data = project.data(database)
    assert data["models"] == {"compared": False, "because": why, "differences": []}
    assert data["revisions"][0]["state"] == "applied"


def test_env_py_reaches_no_database_and_its_filters_hold(tmp_path: Path, database: str) -> None:
    """Its own engine, its own URL: whatever it asks, it asks of a scratch database."""
    project = make_foreign(tmp_path)
    project.revision("a", None, BOOKS)
    project.revision("b", "a", CHAIN["c3_harmless"])
    (tmp_path / "migrations" / "env.py").write_text(f"""\
from alembic import context
from sqlalchemy import MetaData, create_engine, text

metadata = MetaData()
engine = create_engine("{NOWHERE.replace("postgresql", "postgresql+psycopg")}")
with engine.connect() as connection:
    assert connection.scalar(text("SELECT current_database()")).startswith("online_scratch_")
    connection.rollback()
    context.configure(
        connection=connection,
        target_metadata=[metadata, MetaData()],
        include_object=lambda thing, name, kind, reflected, compared: name != "authors",
    )
    with context.begin_transaction():
        context.run_migrations()
""")
    data = project.data(database)
    assert data["models"]["differences"] == ["table books: removed"]


def test_it_finds_the_only_project_below(tmp_path: Path, database: str) -> None:
    folder = tmp_path / "services" / "shop"
    folder.mkdir(parents=True)
    make_foreign(folder).revision("a", None, BOOKS)
    code, said, err = Foreign(tmp_path).audit(database)
    assert (code, said.splitlines()[-1]) == (FINE, "1 revision of 1 looked at, 0 findings."), err
    (tmp_path / "other").mkdir()
    make_foreign(tmp_path / "other")
    code, _, err = Foreign(tmp_path).audit(database)
    assert code == COULD_NOT_RUN
    assert "There are several Alembic projects in" in err
    assert ": other, services/shop." in err


def test_a_folder_of_flask_migrate_needs_no_word_about_where_it_is(tmp_path: Path, database: str) -> None:
    project = make_foreign(tmp_path)
    project.revision("a", None, BOOKS)
    (tmp_path / "alembic.ini").unlink()
    (tmp_path / "migrations" / "alembic.ini").write_text("[alembic]\n# template used to generate migration files\n")
    code, said, _ = project.audit(database)
    assert (code, said.splitlines()[-1]) == (FINE, "1 revision of 1 looked at, 0 findings.")


@pytest.mark.parametrize(
    ("files", "says"),
    [
        ({}, "There is no Alembic project in"),
        ({"env.py": "", "versions/.keep": ""}, "There are no revisions in"),
        (
            {"alembic.ini": "[alembic]\nscript_location = nowhere\n"},
            "There is no Alembic project here: Path doesn't exist",
        ),
        (
            {"env.py": "", "versions/a.py": "revision = 'a'\ndown_revision = 'b'\n"},
            "a.py names the revision 'b' as its parent",
        ),
    ],
)
def test_what_is_no_project_is_a_sentence(tmp_path: Path, database: str, files: dict[str, str], says: str) -> None:
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    code, said, err = Foreign(tmp_path).audit(database)
    assert (code, said) == (COULD_NOT_RUN, "")
    assert err.startswith(says)
