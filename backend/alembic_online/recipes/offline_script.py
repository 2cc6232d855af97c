"""An online operation in a script (`--sql`): outside of any transaction, but for the steps that belong together."""

from collections.abc import Callable
from contextlib import nullcontext
from typing import Any

from alembic.runtime.migration import MigrationContext

from alembic_online.recipes.names import verbatim
from alembic_online.recipes.step import Step, Steps, Task


def write(context: MigrationContext, steps: Steps, execute: Callable[..., Any], *, outside: bool) -> None:
    """Write `steps`; `outside` says that the script is outside of any transaction already."""
    with nullcontext() if outside else context.autocommit_block():
        together = False
        for step in steps:
            for each in step.script() if isinstance(step, Task) else (step,):
                together = _write_one(context, each, execute, together)


def _write_one(context: MigrationContext, step: Step, execute: Callable[..., Any], together: bool) -> bool:
    if step.with_next and not together:
        context.impl.emit_begin()
    execute(verbatim(step.sql))
    if together and not step.with_next:
        context.impl.emit_commit()
    return step.with_next
