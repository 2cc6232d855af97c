"""Twelve projects as people have them, each a folder beside this file: an env.py of its own, models, and a chain.

They are plain Alembic projects. `Shape.copy` is one of them in a folder where it may be changed.
"""

import shutil
from dataclasses import dataclass
from pathlib import Path

import alembic

from tests.alembic_online.own_project import OwnProject

HERE = Path(__file__).parent
_TEMPLATE = Path(alembic.__file__).parent / "templates" / "generic" / "script.py.mako"


@dataclass(frozen=True)
class Shape:
    """One of the twelve."""

    name: str
    what: str
    """Of its env.py, in words for the page."""
    edit: tuple[str, str, str]
    """The next change of its models: the file, a line of it, and what comes before that line."""
    quick: bool = False
    before: str = ""
    """SQL of others, who were there before the first revision."""
    always: tuple[str, ...] = ()
    """What is typed with each command."""
    starts: str = ""
    """The module of the application that upgrades the database when it starts."""
    found: tuple[str, ...] = ()
    """The checks of the test kit by which its chain, written as people write them, does not get."""

    @property
    def title(self) -> str:
        """Its name as a heading."""
        return self.name.replace("_", " ").capitalize()

    @property
    def folder(self) -> Path:
        """Where it is."""
        return HERE / self.name

    def copy(self, folder: Path, url: str) -> OwnProject:
        """It, on the database of this URL."""
        shutil.copytree(self.folder, folder)
        for file in (HERE / "alembic.ini", _TEMPLATE):
            if not (folder / file.name).exists():
                shutil.copy(file, folder)
        return OwnProject(folder, url, self.always)


SHAPES = (
    Shape(
        "async_template",
        "Alembic's template for async engines, on asyncpg.",
        ("models.py", "    created_at:", "    words: Mapped[int | None]\n"),
        quick=True,
        found=("offline",),
    ),
    Shape(
        "sync_template",
        "Alembic's generic template, with `engine_from_config`, on psycopg2.",
        ("models.py", '    CheckConstraint("total', '    Column("note", String(100)),\n'),
        found=("rows",),
    ),
    Shape(
        "application_factory",
        "The application owns the engine, as with Flask-Migrate.",
        ("models.py", '    Column("room"', '    Column("phone", String(30)),\n'),
        found=("rows", "old code", "time zone", "offline"),
    ),
    Shape(
        "include_object",
        "Tables of others in the same database are left out, by pattern and by schema.",
        ("models.py", '    Column("length"', '    Column("surface", String(20)),\n'),
        before="CREATE TABLE spatial_ref_sys (srid int PRIMARY KEY); CREATE TABLE import_7 (line text);"
        " CREATE SCHEMA elsewhere CREATE TABLE others (id int)",
        found=("old code", "offline"),
    ),
    Shape(
        "several_metadata",
        "Two packages have models of their own, and share one chain.",
        ("audit.py", "    old:", "    by: Mapped[str | None] = mapped_column(Text)\n"),
        found=("offline",),
    ),
    Shape(
        "tenant_schema",
        "Each tenant has a schema: `alembic -x tenant=acme upgrade head`.",
        ("models.py", "    class_id:", "    birthplace: Mapped[str | None] = mapped_column(String(60))\n"),
        always=("-x", "tenant=acme"),
        found=("round trip", "rows", "old code", "offline"),
    ),
    Shape(
        "own_lock_and_timeouts",
        "An advisory lock and limits of the project's own.",
        ("models.py", '    CheckConstraint("pieces', '    Column("shelf", Integer),\n'),
        found=("round trip", "old code", "offline"),
    ),
    Shape(
        "token_by_do_connect",
        "Each connection asks for a token: no password is in any URL.",
        ("models.py", "    labels:", "    height: Mapped[int | None]\n"),
        found=("old code", "time zone", "offline"),
    ),
    Shape(
        "sqlite_and_postgresql",
        "The same chain runs on SQLite, in batches.",
        ("models.py", "    minutes:", "    place: Mapped[str | None] = mapped_column(String(40))\n"),
        found=("old code", "offline"),
    ),
    Shape(
        "version_locations",
        "Two chains in two folders, one of which needs the other; a template of the project's own.",
        ("models.py", '    Column("published"', '    Column("author", String(60)),\n'),
        found=("single head",),
    ),
    Shape(
        "revision_directives",
        "A hook of the project's own names the revisions.",
        ("models.py", "    takes:", "    serves: Mapped[int | None]\n"),
        found=("old code", "time zone", "offline"),
    ),
    Shape(
        "connection_in_attributes",
        "The application hands a connection in when it starts.",
        ("models.py", '    sa.Column("kind"', '    sa.Column("icon", sa.Text),\n'),
        starts="start",
        found=("old code", "offline"),
    ),
)
