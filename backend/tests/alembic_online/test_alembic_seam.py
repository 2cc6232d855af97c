"""What the private names of Alembic must do, whatever release is installed: each through its function in the seam."""

import logging
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import pytest
from alembic import command, context
from alembic.config import Config
from alembic.ddl.impl import DefaultImpl
from alembic.ddl.postgresql import PostgresqlImpl
from alembic.runtime.environment import EnvironmentContext
from alembic.runtime.migration import MigrationContext
from alembic.script import Script, ScriptDirectory
from sqlalchemy import Connection, Executable, NullPool, create_engine, event, text

from alembic_online import alembic_seam as seam

REVISION = """
revision, down_revision, depends_on = {revision!r}, {down!r}, {depends!r}
branch_labels = {labels!r}

def upgrade():
    {upgrade}

def downgrade():
    pass
"""


@pytest.fixture
def scripts(tmp_path: Path) -> ScriptDirectory:
    """A chain of three with a label and a dependency."""
    folder = tmp_path / "versions"
    folder.mkdir()
    chain = [
        ("a", None, None, "base_line"),
        ("b", "a", None, None),
        ("c", None, "a", None),
        ("d", ("b", "c"), None, None),
    ]
    for revision, down, depends, labels in chain:
        (folder / f"{revision}.py").write_text(
            REVISION.format(revision=revision, down=down, depends=depends, labels=labels, upgrade="pass")
        )
    config = Config()
    config.set_main_option("script_location", str(tmp_path))
    config.set_main_option("path_separator", "os")
    return ScriptDirectory.from_config(config)


def test_the_revision_files(scripts: ScriptDirectory, tmp_path: Path) -> None:
    (folder,) = seam.version_folders(scripts)
    assert folder == tmp_path / "versions"
    found = {script.revision: script for script in seam.stock_revisions(scripts)}
    assert {name: seam.parents_of(each) for name, each in found.items()} == {
        "a": (),
        "b": ("a",),
        "c": (),
        "d": ("b", "c"),
    }
    assert [name for name in "abcdx" if seam.is_known(scripts, name)] == ["a", "b", "c", "d"]
    assert seam.is_known(scripts, "base_line")
    by_map = scripts.get_revision("c")
    assert isinstance(by_map, Script)
    assert seam.dependencies_of(by_map) == ("a",)
    assert seam.with_ancestors(scripts, ["c"]) == {"a", "c"}
    assert seam.with_descendants(scripts, by_map) == {"c", "d"}
    read = seam.script_of_file(scripts, folder / "b.py")
    assert read is not None
    assert read.revision == "b"
    assert seam.create_date(scripts).tzinfo is None


def test_the_file_that_cannot_be_read_is_in_the_frame(scripts: ScriptDirectory) -> None:
    (folder,) = seam.version_folders(scripts)
    (folder / "e.py").write_text("1 / 0")
    with pytest.raises(ZeroDivisionError) as raised:
        list(seam.stock_revisions(scripts))
    (frame,) = [each.frame for each in raised.traceback if each.frame.code.name == seam.READS_FILE]
    assert Path(str(frame.f_locals["path"])).name == "e.py"


def test_hooks_run_on_a_new_file(tmp_path: Path) -> None:
    (tmp_path / "env.py").write_text("")
    config = Config(tmp_path / "alembic.ini")
    (tmp_path / "alembic.ini").write_text(
        "[alembic]\nscript_location = %(here)s\n[post_write_hooks]\nhooks = all\nall.type = exec\n"
        "all.executable = cp\nall.options = REVISION_SCRIPT_FILENAME REVISION_SCRIPT_FILENAME.copy\n"
    )
    new = tmp_path / "new.py"
    new.write_text("text")
    seam.run_hooks(new, ScriptDirectory.from_config(config))
    assert (tmp_path / "new.py.copy").read_text() == "text"


ENV = """
from alembic import context

context.config.attributes["env"]()
"""


class Told(seam.Supervisor):
    """Writes down what it is asked, and lets it pass."""

    def __init__(self, run: seam.SupervisedContext) -> None:
        self.run, self.asked = run, list[str]()

    def steps(self, heads: Any, steps: Any) -> Iterator[Any]:
        for step in steps:
            self.asked.append(f"step {step.revision.revision} of {heads}")
            yield step

    def execute(self, construct: Executable | str, send: seam.Send) -> Any:
        self.asked.append(str(construct).partition(" ")[0])
        return send(construct)

    def autocommit_block(self, leave: Callable[[], AbstractContextManager[None]]) -> AbstractContextManager[None]:
        self.asked.append("block")
        return leave()


def test_a_supervised_run(tmp_path: Path, database: str, caplog: pytest.LogCaptureFixture) -> None:
    upgrade = """from alembic import op
    op.execute("CREATE TABLE a ()")
    with op.get_context().autocommit_block():
        op.execute("CREATE INDEX CONCURRENTLY i ON a ((1))")
    op.get_context().send("COMMENT ON TABLE a IS 'not seen'")
"""
    supervisor = run(tmp_path, database, upgrade, lambda _: seam.environment_at_hand())
    assert isinstance(supervisor, Told)
    assert supervisor.asked == ["step a of ()", "CREATE", "block", "CREATE", "INSERT"]
    assert [each.message for each in caplog.records].count("Context impl PostgresqlImpl.") == 1
    with connected(database) as connection:
        assert connection.scalar(text("SELECT obj_description('a'::regclass)")) == "not seen"
        assert connection.scalar(text("SELECT version_num FROM alembic_version")) == "a"
    assert seam.environment_at_hand() is None


def test_the_class_of_the_project_stays(tmp_path: Path, database: str) -> None:
    class Own(PostgresqlImpl):
        """A project's own; it is registered for as long as the test runs."""

        __dialect__ = "postgresql"

    try:
        found = run(tmp_path, database, "pass", lambda supervised: type(supervised.impl).__mro__)
    finally:
        DefaultImpl.get_by_dialect.__globals__["_impls"]["postgresql"] = PostgresqlImpl
    assert Own in found.run.impl.__class__.__mro__
    assert issubclass(DefaultImpl.get_by_dialect(found.run.dialect), PostgresqlImpl)
    assert not issubclass(DefaultImpl.get_by_dialect(found.run.dialect), seam.SupervisedImpl)


def test_the_version_table_and_the_transaction(tmp_path: Path, database: str) -> None:
    def look(supervised: seam.SupervisedContext) -> None:
        assert seam.version_table(supervised).name == "alembic_version"
        connection = supervised.connection
        assert isinstance(connection, Connection)
        seam.take_transaction(supervised, connection)

    run(tmp_path, database, "pass", look)
    with connected(database) as connection:
        assert connection.scalar(text("SELECT version_num FROM alembic_version")) == "a"


def test_another_connection_its_transaction_and_the_usual_version_table(database: str) -> None:
    with connected(database) as own, connected(database) as other:
        run = MigrationContext.configure(own, opts={"version_table": "mine", "version_table_schema": "elsewhere"})
        other.begin()
        seam.join_transaction(run, other)
        assert (run.connection, run.impl.connection, seam.is_in_callers_transaction(run)) == (other, other, True)
        seam.use_version_table(run, "alembic_version")
        seam.version_table(run).create(other)
        assert run.get_current_heads() == ()
        seam.replace_connection(run, own)
        assert (run.connection, run.impl.connection, seam.is_in_callers_transaction(run)) == (own, own, False)


def test_the_version_table_is_looked_for_until_it_is_there(database: str) -> None:
    with connected(database) as connection:
        supervised = seam.SupervisedContext(MigrationContext.configure(connection, opts={"fn": lambda *_: []}), Told)
        assert supervised.get_current_heads() == ()
        supervised._ensure_version_table()
        assert supervised._has_version_table()
        sent: list[str] = []
        event.listen(connection, "before_cursor_execute", lambda *given: sent.append(given[2]))
        assert supervised.get_current_heads() == ()
        supervised._ensure_version_table()
        assert [each.split()[:2] for each in sent] == [["SELECT", "alembic_version.version_num"]]
        sent.clear()
        plain = MigrationContext.configure(connection, opts={"fn": lambda *_: []})
        assert seam.SupervisedContext(plain, Told, is_there=True).get_current_heads() == ()
        assert len(sent) == 1


def connected(database: str) -> Connection:
    """A connection that is closed with its block, and its engine with it."""
    return create_engine(database.replace("postgresql:", "postgresql+psycopg:"), poolclass=NullPool).connect()


def run(folder: Path, database: str, upgrade: str, look: Callable[[seam.SupervisedContext], Any]) -> Told:
    """`alembic upgrade head` of one revision, in a stock environment with a supervisor."""
    (folder / "versions").mkdir()
    (folder / "versions" / "a.py").write_text(
        REVISION.format(revision="a", down=None, depends=None, labels=None, upgrade=upgrade)
    )
    (folder / "env.py").write_text(ENV)
    told: list[Told] = []

    def supervisor(supervised: seam.SupervisedContext) -> Told:
        told.append(Told(supervised))
        return told[-1]

    def env() -> None:
        assert isinstance(seam.environment_at_hand(), EnvironmentContext)
        with connected(database) as connection:
            context.configure(connection=connection, transaction_per_migration=True)
            supervised = seam.supervise(context.get_context(), supervisor)
            assert context.get_context() is supervised
            with context.begin_transaction():
                look(supervised)
                context.run_migrations()

    config = Config()
    config.set_main_option("script_location", str(folder))
    config.set_main_option("path_separator", "os")
    config.attributes["env"] = env
    logging.getLogger("alembic.runtime.migration").setLevel(logging.INFO)
    command.upgrade(config, "head")
    return told[0]
