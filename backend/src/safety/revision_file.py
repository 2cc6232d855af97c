"""What a new revision file looks like: its number, its imports, its formatting."""

import importlib.util
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Literal

from alembic import context
from alembic.autogenerate import render, render_python_code
from alembic.autogenerate.api import AutogenContext
from alembic.operations import MigrationScript
from alembic.operations.ops import UpgradeOps
from alembic.runtime.migration import MigrationContext
from alembic.script import Script, ScriptDirectory
from sqlalchemy.types import TypeDecorator, TypeEngine

from src.safety.autogenerate.enum_types import make_enum_types, render_enum
from src.safety.chain import known_ids, several_heads
from src.safety.command import Command
from src.safety.errors import ModelsDiffer
from src.safety.numbering import check_id, check_message, next_revision_id
from src.safety.plain_errors import plain_errors

_RANDOM_ID = re.compile("[0-9a-f]{12}")  # alembic.util.rev_id()
_RUFF = {"type": "module", "module": "ruff"}
_HOOKS = [
    {"_hook_name": "imports", **_RUFF, "options": "check --quiet --select I --fix REVISION_SCRIPT_FILENAME"},
    {"_hook_name": "format", **_RUFF, "options": "format --quiet REVISION_SCRIPT_FILENAME"},
]


def prepare(scripts: ScriptDirectory) -> None:
    """New files are named by their id alone, and formatted where ruff is installed (a production image has none)."""
    scripts.file_template = "%(rev)s"
    if not scripts.hooks and importlib.util.find_spec("ruff"):
        scripts.hooks = list(_HOOKS)


def number_merges(command: Command) -> None:
    """`alembic merge` asks no hook for its id, and writes its file after env.py is done: so that function gives it."""
    scripts = command.scripts
    write = scripts.generate_revision

    def numbered(revid: str, message: str | None, *arguments: Any, **options: Any) -> Script | None:
        if _RANDOM_ID.fullmatch(revid):  # nobody gave one
            with plain_errors(command):
                revid = next_revision_id(message, taken(scripts))
        return write(revid, _docstring(message or ""), *arguments, **options)

    scripts.generate_revision = numbered  # type: ignore[method-assign]


def process_directives(
    migration_context: MigrationContext, _: str | Iterable[str | None], directives: list[MigrationScript]
) -> None:
    """Alembic's hook: number the new revision; without differences make none.

    Raises `RequestRefused`, `BrokenChain`, and `ModelsDiffer` for the command `check`.
    """
    scripts, options = migration_context.script, migration_context.opts["revision_context"].command_args
    assert scripts is not None, "Alembic gives every environment its script directory"
    script = directives[0]
    if Command.at_hand().name == "check":
        refuse_differences(script)
        return
    if len(scripts.get_heads()) > 1 and options["head"] in (None, "head"):
        raise several_heads(scripts)
    check_message(script.message)
    if options["rev_id"]:
        check_id(options["rev_id"], taken(scripts))
    else:
        script.rev_id = next_revision_id(script.message, taken(scripts))
    script.message = _docstring(script.message or "")
    if options["autogenerate"]:
        make_enum_types(migration_context, script)
    if options["autogenerate"] and script.upgrade_ops is not None and script.upgrade_ops.is_empty():
        directives.clear()
        context.config.print_stdout("Nothing to write: autogenerate sees no difference between models and database.")


def taken(scripts: ScriptDirectory) -> set[str]:
    """Every id, and every file name, which is an id too as a rule: a new file must not overwrite another."""
    return known_ids(scripts) | {
        path.stem for folder in scripts._version_locations for path in Path(folder).glob("*.py")
    }


def refuse_differences(script: MigrationScript) -> None:
    """Raise `ModelsDiffer` with what autogenerate would write, an operation a line."""
    assert isinstance(script.upgrade_ops, UpgradeOps)
    if script.upgrade_ops.is_empty():
        return
    lines = [line.strip() for line in render_python_code(script.upgrade_ops).splitlines()]
    calls = [line for line in lines if line.startswith("op.")]
    shown = calls[:4] + ([f"... and {len(calls) - 4} more"] if calls[4:] else [])
    raise ModelsDiffer(
        f"Models and database differ in {len(calls)} {'places' if calls[1:] else 'place'}; autogenerate would write:",
        "\n".join([*(f"  {line}" for line in shown), 'Write it down: alembic revision --autogenerate -m "..."']),
    )


def _docstring(text: str) -> str:
    """`text` so that it can stand between triple quotes."""
    escaped = text.replace("\\", "\\\\").replace('"""', r"\"\"\"")
    return escaped[:-1] + r"\"" if escaped.endswith('"') else escaped


def render_item(kind: str, item: Any, autogen_context: AutogenContext) -> str | Literal[False]:
    """Alembic's hook: types that are not SQLAlchemy's own come with their import, and never from the application."""
    if kind != "type" or not isinstance(item, TypeEngine):
        return False
    if rendered := render_enum(item, autogen_context):
        return rendered
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
