"""Values that the new type refuses and that clients have written meanwhile: looked for once, shortly before the swap.

From here on the trigger is strict. Where a value is found the change fails, and the trigger is lenient again: whoever
has to correct that value may take his time.
"""

import json
from collections.abc import Mapping, Sequence

from alembic.runtime.migration import MigrationContext
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncEngine

from alembic_online.backfill.definition import Backfill
from alembic_online.backfill.in_upgrade import runner
from alembic_online.backfill.script import script
from alembic_online.backfill.session import SET_LOCAL
from alembic_online.recipes.names import quoted, temporary, verbatim
from alembic_online.recipes.shadow_column.change_capture import become_lenient
from alembic_online.recipes.shadow_column.column import OldColumn
from alembic_online.recipes.step import Step, Task
from alembic_online.runtime.run_at_hand import run_at_hand


def last_look(part: OldColumn, column: OldColumn, using: str | None, leftovers: Sequence[str]) -> Task:
    """At the rows of the table, or of one of its parts, that were left empty; `column` is that of the whole table."""
    new = temporary(column.name)
    empty = f"{quoted(new)} IS NULL AND {column.quoted} IS NOT NULL"
    definition = Backfill(
        table=part.table,
        values={new: using or column.quoted},
        where=f"{empty} AND ({using}) IS NOT NULL" if using else empty,
        in_step=True,
        unnoticed=True,
        name=f"{part.table.replace(chr(34), '')}_{new}_last_look",
    )
    look, lenient = runner(definition, says_how_to_go_on(leftovers)), become_lenient(column, using)

    def run(context: MigrationContext) -> None:
        at_hand = run_at_hand(context)
        assert at_hand is not None, "who has none fills no column"
        settings = at_hand.settings()
        try:
            look(context)
        except DBAPIError:
            # On a connection of its own: the journal finds that it is not strict any more, and makes it so again.
            at_hand.beside.waiter.wait(_send(at_hand.beside.engine, lenient, settings))
            raise

    return Task(
        words=f"look once more at {definition.name}",
        run=run,
        script=lambda: [Step(sql=script(definition, commits=True))],
    )


def says_how_to_go_on(leftovers: Sequence[str]) -> str:
    """After a value that is refused; `leftovers` are statements that give the change up."""
    return (
        "The new column waits for another value there: clients are not refused such ones meanwhile.\n"
        f"To give the change up instead: {'; '.join(leftovers)}"
    )


async def _send(engine: AsyncEngine, sql: str, settings: Mapping[str, str]) -> None:
    async with engine.begin() as connection:
        await connection.execute(SET_LOCAL, {"settings": json.dumps(dict(settings))})
        await connection.execute(verbatim(sql))
