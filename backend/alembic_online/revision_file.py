"""What a new revision file looks like: its number, its imports, its formatting."""

import importlib.util
import re
from collections.abc import Callable, Iterable
from typing import Any

from alembic.operations import MigrationScript
from alembic.runtime.migration import MigrationContext
from alembic.script import Script, ScriptDirectory
from sqlalchemy import MetaData

from alembic_online.alembic_seam import is_known, version_folders
from alembic_online.failures.error_boundary import plain_errors
from alembic_online.policy import Policy
from alembic_online.revisions.graph import known_ids, several_heads, unknown_revision
from alembic_online.revisions.numbering import check_id, check_message, next_revision_id
from alembic_online.runtime.current_command import Command

Hook = Callable[[MigrationContext, str | Iterable[str | None], list[MigrationScript]], None]
"""Alembic's `process_revision_directives`."""
ASKS_OTHERS = ("alembic.autogenerate.schemas",)
"""The plugin of Alembic's that compares nothing itself, and asks what other packages have registered for schemas."""

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


def surround_hooks(run: MigrationContext, first: Hook, last: Hook) -> None:
    """Call `first` before every hook that a program or env.py has for a new revision, and `last` after all of them.

    A program's own (`command.revision(..., process_revision_directives=...)`) is called before that of env.py. Between
    the two, our lines are operations of Alembic's own.
    """
    if (revisions := run.opts.get("revision_context")) is None:  # neither `revision` nor `check`
        return
    programs, own = revisions.process_revision_directives, run.opts.get("process_revision_directives")
    if programs is None and own is None:
        revisions.process_revision_directives = first
        run.opts["process_revision_directives"] = last
        return
    # Imported late: only who has a hook, and writes a revision or compares, should pay for it.
    from alembic_online.autogenerate.stock_operations import StockOperations  # noqa: PLC0415

    stock = StockOperations(run)
    revisions.process_revision_directives = _in_turn(first, stock.put, programs)
    run.opts["process_revision_directives"] = _in_turn(own, stock.take_back, last)


def _in_turn(*hooks: Hook | None) -> Hook:
    def run(context: MigrationContext, base: str | Iterable[str | None], directives: list[MigrationScript]) -> None:
        for hook in filter(None, hooks):
            hook(context, base, directives)

    return run


def finish_files(command: Command, _: object, __: object, directives: list[MigrationScript]) -> None:
    """Alembic's last hook: no file where autogenerate, and whoever has changed its lines, has nothing to write; the
    second one of a pair stands on the first one, which may have got another id."""
    if command.autogenerates and directives and all(each.is_empty() for each in directives[0].upgrade_ops_list):
        directives.clear()
        command.environment.config.print_stdout("Nothing to write: models and database do not differ.")
    for script in directives[1:]:
        # Imported late: who writes a pair has imported it already.
        from alembic_online.autogenerate.directives import ContractScript  # noqa: PLC0415

        if isinstance(script, ContractScript):
            script.stand_on_expand()


def process_directives(
    command: Command,
    metadata: MetaData,
    policy: Policy,
    migration_context: MigrationContext,
    revision: str | Iterable[str | None],
    directives: list[MigrationScript],
) -> None:
    """Alembic's hook: number the new revision, and write what differs.

    Raises `RequestRefused`, `BrokenChain`, and `ModelsDiffer` for the command `check`.
    """
    if command.name != "check":
        _number(migration_context, directives[0])
    write_what_differs(command, metadata, policy, migration_context, revision, directives)
    for script in directives[1:]:  # the second one of a pair
        assert migration_context.script is not None, "as above"
        known = {*taken(migration_context.script), *(each.rev_id for each in directives if each.rev_id)}
        script.rev_id = next_revision_id(script.message, known)


def _number(migration_context: MigrationContext, script: MigrationScript) -> None:
    scripts, options = migration_context.script, migration_context.opts["revision_context"].command_args
    assert scripts is not None, "Alembic gives every environment its script directory"
    if len(scripts.get_heads()) > 1 and options["head"] in (None, "head"):
        raise several_heads(scripts)
    _check_head(scripts, options["head"])
    check_message(script.message)
    if options["rev_id"]:
        check_id(options["rev_id"], taken(scripts))
    else:
        script.rev_id = next_revision_id(script.message, taken(scripts))
    script.message = _docstring(script.message or "")


def write_what_differs(
    command: Command,
    metadata: MetaData,
    policy: Policy,
    migration_context: MigrationContext,
    _: str | Iterable[str | None],
    directives: list[MigrationScript],
) -> None:
    """Alembic's hook without the house's rules for ids and messages. Raises `RequestRefused`, `ModelsDiffer`."""
    if command.name == "check":
        _compare(command, metadata, policy, migration_context)
    elif command.autogenerates:
        _compare(command, metadata, policy, migration_context, directives)


def _compare(
    command: Command,
    metadata: MetaData,
    policy: Policy,
    migration_context: MigrationContext,
    directives: list[MigrationScript] | None = None,
) -> None:
    # Imported late: only who compares should pay for it, and not each upgrade.
    from alembic_online.autogenerate.compare import compare_with_models  # noqa: PLC0415
    from alembic_online.autogenerate.directives import refuse_differences, write_differences  # noqa: PLC0415

    comparison = compare_with_models(migration_context, metadata, command.target, policy.scratch_url)
    if directives is None:
        refuse_differences(comparison.differences)
    else:
        write_differences(comparison, directives, says_phase=policy.expand_contract)


def _check_head(scripts: ScriptDirectory, head: str | None) -> None:
    """Alembic looks for the parent when env.py is done, and fails in words of its own."""
    known = known_ids(scripts)
    # Relative ones and labels of branches (+1, label@head) are left to Alembic.
    if not head or not head.isidentifier() or head in ("head", "heads", "base"):
        return
    if not any(each.startswith(head) for each in known) and not is_known(scripts, head):
        raise unknown_revision(head, scripts)


def taken(scripts: ScriptDirectory) -> set[str]:
    """Every id, and every file name, which is an id too as a rule: a new file must not overwrite another."""
    return known_ids(scripts) | {path.stem for folder in version_folders(scripts) for path in folder.glob("*.py")}


def _docstring(text: str) -> str:
    """`text` so that it can stand between triple quotes."""
    escaped = text.replace("\\", "\\\\").replace('"""', r"\"\"\"")
    return escaped[:-1] + r"\"" if escaped.endswith('"') else escaped
