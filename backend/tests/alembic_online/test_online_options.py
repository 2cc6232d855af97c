"""What `context.configure()` and its commands can be told besides: it means what it means to plain Alembic."""

from pathlib import Path
from urllib.parse import urlsplit

import pytest

from tests.alembic_online.own_project import OwnProject
from tests.alembic_online.projects.shapes import SHAPES
from tests.alembic_online.shop import MODELS, STATE, SYNC, make_shop

pytestmark = pytest.mark.programs
PAGES_CHECKED = MODELS.replace('Index("ix', 'CheckConstraint("pages > 0", name="more"), Index("ix')


def at_head(folder: Path, url: str, before: str = "", models: str = MODELS) -> OwnProject:
    """A shop with `before` in its env.py, adopted, and its models changed since."""
    shop = make_shop(folder, url, before + SYNC)
    shop.adopt()
    shop.alembic("upgrade", "head")
    (folder / "shop.py").write_text(models)
    return shop


def written(shop: OwnProject) -> str:
    """The revision that autogenerate has written."""
    [path] = shop.folder.glob("versions/*_more.py")
    return path.read_text()


OF_A_PROGRAM = """
from alembic import command
from alembic.config import Config

def see(context, revision, directives):
    print("PROGRAM", len(directives[0].upgrade_ops.ops))

config = Config("alembic.ini")
command.revision(config, "more", autogenerate=True, process_revision_directives=see)
"""


def test_the_hook_of_a_program_sees_what_is_written(tmp_path: Path, database: str) -> None:
    """A test kit asks so whether models and revisions differ."""
    own = 'OPTIONS = {"process_revision_directives": lambda *given: print("ENV", len(given[2][0].upgrade_ops.ops))}\n'
    shop = at_head(tmp_path, database, own)
    (tmp_path / "write.py").write_text(OF_A_PROGRAM)
    said = shop("write")
    assert "PROGRAM 0\nENV 0\nNothing to write" in said
    assert not list(tmp_path.glob("versions/*_more.py"))
    (tmp_path / "shop.py").write_text(PAGES_CHECKED)
    assert "PROGRAM 1\nENV 1" in shop("write")
    assert "create_check_constraint" in written(shop)


# As Alembic's cookbook has them: one looks for a class of operation, one goes through the tables.
REWRITER = """
from alembic.autogenerate.rewriter import Rewriter
from alembic.operations import ops

writer = Rewriter()

@writer.rewrites(ops.AddColumnOp)
def described(context, revision, operation):
    if operation.column.name == "isbn":
        operation.column.comment = "by the rewriter"
    return operation

@writer.rewrites(ops.CreateTableOp)
def announced(context, revision, operation):
    return [ops.ExecuteSQLOp("SELECT 1"), operation]

def of_tables(context, revision, directives):
    for each in directives[0].upgrade_ops.ops:
        if isinstance(each, ops.ModifyTableOps):
            print("TABLE", each.table_name, [type(inner).__name__ for inner in each.ops])
            each.ops = [inner for inner in each.ops if not isinstance(inner, ops.CreateIndexOp)]
    writer(context, revision, directives)

OPTIONS = {"process_revision_directives": of_tables}
"""
MORE = PAGES_CHECKED.replace(
    "CheckConstraint(", 'Column("isbn", Text), Column("more", Text), Index("ix_more", "pages"), CheckConstraint('
)


def test_a_hook_finds_the_classes_that_it_looks_for(tmp_path: Path, database: str) -> None:
    table = 'Table("shelves", one, Column("id", Integer, primary_key=True))'
    shop = at_head(tmp_path, database, REWRITER, f"from sqlalchemy import *\n{MORE}\n{table}\n")
    said = shop.alembic("revision", "--autogenerate", "-m", "more")
    assert "TABLE books ['AddColumnOp']" in said
    lines = [
        line.strip() for line in written(shop).partition("def upgrade")[2].partition("def downgrade")[0].split("\n")
    ]
    assert "op.add_column('books', sa.Column('isbn', sa.Text(), nullable=True, comment='by the rewriter'))" in lines
    assert "op.create_check_constraint(op.f('more'), 'books', sa.text('pages > 0'))" in lines  # as we write it
    assert "op.execute('SELECT 1')" in lines
    assert not any("create_index" in line for line in lines)
    shop.alembic("upgrade", "head")
    assert shop.ask("SELECT col_description('books'::regclass, attnum) FROM pg_attribute WHERE attname = 'isbn'") == [
        ("by the rewriter",)
    ]


# As alembic-utils has it.
PLUGIN = """
from alembic.autogenerate import comparators, renderers
from alembic.operations import ops
from alembic.runtime.plugins import Plugin
from alembic.util import PriorityDispatchResult
from sqlalchemy import text

class Lines(ops.MigrateOperation):
    def __init__(self, up, down):
        self.up, self.down = up, down

    def reverse(self):
        return Lines(self.down, self.up)

    def to_diff_tuple(self):
        return ("lines", self.up)

renderers.dispatch_for(Lines)(lambda context, line: f"op.execute({line.up!r})")

def functions(name):
    def compare(context, upgrade_ops, schemas):
        there = context.connection.scalar(text(f"SELECT to_regproc('{name}')"))
        if there is None:
            make = f"CREATE FUNCTION {name}() RETURNS int LANGUAGE sql RETURN 1"
            upgrade_ops.ops.append(Lines(make, f"DROP FUNCTION {name}"))
        return PriorityDispatchResult.CONTINUE
    return compare

comparators.dispatch_for("schema")(functions("old_way"))
Plugin("shop.functions").add_autogenerate_comparator(functions("new_way"), "schema")
OPTIONS = {"autogenerate_plugins": ["alembic.autogenerate.*", "shop.functions"]}
"""


def test_what_other_packages_compare_is_written_too(tmp_path: Path, database: str) -> None:
    shop = at_head(tmp_path, database, PLUGIN)
    functions = "SELECT count(*) FROM pg_proc WHERE proname IN ('old_way', 'new_way')"
    assert "New upgrade operations detected" in shop.alembic("check", code=255)
    (tmp_path / "shop.py").write_text(PAGES_CHECKED)
    shop.alembic("revision", "--autogenerate", "-m", "more")
    assert written(shop).count("create_check_constraint") == 1
    shop.alembic("upgrade", "head")
    assert shop.ask(functions) == [(2,)]
    shop.alembic("check")
    shop.alembic("downgrade", "-1")
    assert shop.ask(functions) == [(0,)]


TOLD = """
def told(ctx, step, heads, run_args):
    print("APPLIED", step.is_upgrade, step.up_revision_id, sorted(step.source_revision_ids), sorted(heads))

OPTIONS = {"on_version_apply": told, "version_table_pk": False}
"""
STAMP = ("-x", "unproven=it is not", "stamp")
WITHOUT_KEY = "SELECT count(*) FROM pg_constraint WHERE conrelid = 'alembic_version'::regclass AND contype = 'p'"


def test_the_callback_of_each_step_and_the_shape_of_the_version_table(tmp_path: Path, database: str) -> None:
    shop = make_shop(tmp_path, database, TOLD + SYNC)

    def applied() -> list[str]:
        said = shop.alembic("upgrade", "head") + shop.alembic("downgrade", "1a2b") + shop.alembic(*STAMP, "3c4d")
        assert shop.ask(WITHOUT_KEY) == [(0,)]
        shop.alembic(*STAMP, "1a2b")
        shop.alembic("downgrade", "base")
        shop.execute("DROP TABLE alembic_version")
        return [line for line in said.splitlines() if line.startswith("APPLIED")]

    plain = applied()
    shop.adopt()
    assert applied() == plain
    assert len(plain) == 8


@pytest.mark.prove
def test_each_revision_is_committed_by_itself_whatever_was_asked(tmp_path: Path, database: str) -> None:
    shop = make_shop(tmp_path, database, options='{"transaction_per_migration": False}')
    last = tmp_path / "versions" / "7a8b_.py"
    last.write_text(last.read_text().replace("    pass", '    op.execute("SELECT 1/0")', 1))
    assert "division by zero" in shop.alembic("upgrade", "head", code=1)
    assert shop.ask("SELECT to_regclass('books')") == [(None,)]
    shop.adopt()
    assert "division by zero" in shop.alembic("upgrade", "head", code=18)
    assert shop.ask("SELECT count(*) FROM alembic_version") == [(2,)]
    last.write_text(last.read_text().replace("SELECT 1/0", "SELECT 1"))
    shop.alembic("upgrade", "head")
    assert shop.ask("SELECT version_num FROM alembic_version") == [("7a8b",)]


@pytest.mark.prove
def test_branches_bases_and_what_they_depend_on(tmp_path: Path, database: str) -> None:
    [shape] = [each for each in SHAPES if each.name == "version_locations"]
    project = shape.copy(tmp_path / "project", database)

    def walked() -> list[str]:
        commands = (
            ("upgrade", "comments@head"),
            ("upgrade", "core@head"),
            ("downgrade", "comments@cc20f6"),
            ("upgrade", "heads"),
            ("downgrade", "comments@base"),
            ("downgrade", "core@aa10c3"),
            ("stamp", "--purge", "core@aa10c3"),
            ("downgrade", "base"),
        )
        done = list[str]()
        for command in commands:
            project.alembic(*command)
            done.append(str(project.ask("SELECT version_num FROM newsroom_revision ORDER BY 1")))
        return done

    plain = walked()
    project.adopt()
    assert walked() == plain
    assert plain[0] == "[('cc21a7',)]"


GUID = """
from sqlalchemy import Text, TypeDecorator

class Isbn(TypeDecorator):
    impl = Text
    cache_ok = True

"""
WITH_ISBN = GUID + MODELS.replace('Index("ix', 'Column("isbn", Isbn), Index("ix')


@pytest.mark.prove
def test_a_type_of_the_projects_own_is_written_as_what_the_database_has(tmp_path: Path, database: str) -> None:
    """`user_module_prefix` is for its class: a revision that does not name it needs no module of the project."""
    shop = at_head(tmp_path, database, 'OPTIONS = {"user_module_prefix": "types."}\n', WITH_ISBN)
    shop.alembic("revision", "--autogenerate", "-m", "more")
    assert "sa.Column('isbn', sa.Text(), nullable=True)" in written(shop)
    shop.alembic("upgrade", "head")
    shop.alembic("check")


RENDERED = """
from shop import Isbn

def render_item(type_, obj, autogen_context):
    if type_ == "type" and isinstance(obj, Isbn):
        autogen_context.imports.add("import shop")
        return "shop.Isbn()"
    return False

OPTIONS = {"render_item": render_item}
"""


@pytest.mark.prove
def test_the_project_writes_its_types_itself(tmp_path: Path, database: str) -> None:
    with_type = GUID + MODELS
    shop = make_shop(tmp_path, database, RENDERED + SYNC)
    (tmp_path / "shop.py").write_text(with_type)
    shop.adopt()
    shop.alembic("upgrade", "head")
    changed = WITH_ISBN.replace('"title", String(200)', '"title", Isbn')
    (tmp_path / "shop.py").write_text(changed + 'Table("shelves", one, Column("first", Isbn), Column("n", Integer))\n')
    shop.alembic("revision", "--autogenerate", "-m", "more")
    file = written(shop)
    assert file.count("import shop\n") == 1
    assert file.count("shop.Isbn()") == 3  # a column that is added, one that is changed, one of a new table
    assert "sa.Column('n', sa.Integer()" in file
    shop.alembic("upgrade", "head")
    shop.alembic("check")
    shop.alembic("downgrade", "-1")


@pytest.mark.parametrize("version_table", ["alembic_version", "shop_versions"])
def test_what_is_tried_on_the_database_itself_is_rolled_back(tmp_path: Path, database: str, version_table: str) -> None:
    shop = make_shop(tmp_path, database, options=f'{{"version_table": "{version_table}"}}')
    shop.adopt()
    said = shop("alembic_online", "plan", "5e6f", "--apply-and-rollback")
    assert "1a2b" in said
    assert "ALTER TABLE books ADD COLUMN pages" in said
    assert shop.ask(f"SELECT to_regclass('books'), to_regclass('{version_table}')") == [(None, None)]


@pytest.mark.prove
def test_a_database_that_writes_dates_otherwise(tmp_path: Path, database: str) -> None:
    shop = make_shop(tmp_path, database)
    shop.alembic("upgrade", "head")
    plain = shop.ask(STATE)
    shop.alembic("downgrade", "base")
    shop.execute(f"ALTER DATABASE {urlsplit(database).path[1:]} SET DateStyle = German")
    shop.adopt()
    shop.alembic("upgrade", "head")
    assert shop.ask(STATE) == plain
    assert "7a8b" in shop("alembic_online", "history")
