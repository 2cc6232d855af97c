"""What a new revision file looks like: its number, its imports, its formatting."""

import importlib.util
from collections.abc import Iterable
from typing import Any, Literal

from alembic import context
from alembic.autogenerate import render
from alembic.autogenerate.api import AutogenContext
from alembic.operations import MigrationScript
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy.types import TypeDecorator, TypeEngine

from src.safety.chain import several_heads
from src.safety.command import Command
from src.safety.numbering import check_id, next_revision_id

_FORMAT = {
    "_hook_name": "format",
    "type": "module",
    "module": "ruff",
    "options": "format --quiet REVISION_SCRIPT_FILENAME",
}


def prepare(scripts: ScriptDirectory) -> None:
    """New files are named by their id alone, and formatted where ruff is installed (a production image has none)."""
    scripts.file_template = "%(rev)s"
    if not scripts.hooks and importlib.util.find_spec("ruff"):
        scripts.hooks = [_FORMAT]


def process_directives(
    migration_context: MigrationContext, _: str | Iterable[str | None], directives: list[MigrationScript]
) -> None:
    """Alembic's hook: number the new revision; without differences make none.

    Raises `RequestRefused`, `BrokenChain`.
    """
    scripts, options = migration_context.script, migration_context.opts["revision_context"].command_args
    if Command.at_hand().name == "check":
        return
    assert scripts is not None, "Alembic gives every environment its script directory"
    script = directives[0]
    if len(scripts.get_heads()) > 1 and options["head"] in (None, "head"):
        raise several_heads(scripts)
    if options["rev_id"]:
        check_id(options["rev_id"])
    else:
        script.rev_id = next_revision_id(script.message, (revision.revision for revision in scripts.walk_revisions()))
    script.message = _docstring(script.message or "")
    if options["autogenerate"] and script.upgrade_ops is not None and script.upgrade_ops.is_empty():
        directives.clear()
        context.config.print_stdout("Nothing to write: the database has everything that the models say.")


def _docstring(text: str) -> str:
    """`text` so that it can stand between triple quotes."""
    escaped = text.replace("\\", "\\\\").replace('"""', r"\"\"\"")
    return escaped[:-1] + r"\"" if escaped.endswith('"') else escaped


def render_item(kind: str, item: Any, autogen_context: AutogenContext) -> str | Literal[False]:
    """Alembic's hook: types that are not SQLAlchemy's own come with their import, and never from the application."""
    if kind != "type" or not isinstance(item, TypeEngine):
        return False
    if isinstance(item, TypeDecorator):
        # A revision must run when the application's class is long gone: the database sees only the type below.
        return render._repr_type(item.impl_instance, autogen_context)
    module = type(item).__module__
    if module.startswith("pgvector."):
        name = type(item).__name__
        autogen_context.imports.add(f"from pgvector.sqlalchemy import {name}")
        return repr(item)
    if not module.startswith("sqlalchemy."):
        autogen_context.imports.add(f"import {module}")
    return False
