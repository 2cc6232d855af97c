"""The columns of one revision that get a type and, further down, another: each is changed once (`retyped_twice`)."""

from collections.abc import Callable
from dataclasses import dataclass

from alembic.script import Script

from alembic_online.recipes.cutover.actions_apart import actions_apart
from alembic_online.recipes.cutover.retyped_twice import RetypedTwice, retyped_twice, squeezed
from alembic_online.recipes.cutover.statement_forms import is_type_change
from alembic_online.recipes.database import Database
from alembic_online.runner.written_statements import written_statements

# A trigger or rule of somebody's sees the UPDATE that is between, and writes more than it.
_SEES_ROWS = """
    SELECT 1 FROM pg_trigger WHERE tgrelid = to_regclass(:table) AND NOT tgisinternal AND tgname NOT LIKE '~%\\_\\_new'
    UNION ALL SELECT 1 FROM pg_rewrite WHERE ev_class = to_regclass(:table)
    UNION ALL SELECT 1 WHERE row_security_active(to_regclass(:table))
"""


@dataclass
class JoinedType:
    """Such a column, and how many of its statements have come."""

    column: RetypedTwice
    come: int = 0

    @property
    def is_whole(self) -> bool:
        """Whether the last has come: now it is to be carried out."""
        return self.come == len(self.column.statements)


class JoinedTypes:
    """Of one try of a revision."""

    def __init__(self, script: Script, direction: str, database: Database) -> None:
        self._script, self._direction, self._database = script, direction, database
        self._joined: list[JoinedType] | None = None

    def takes(self, sql: str, is_large: Callable[[str], bool]) -> JoinedType | None:
        """The column whose next statement `sql` is; it is carried out with the last of them."""
        if self._joined is None:
            if not is_type_change(sql):
                return None
            self._joined = self._found(is_large)
        here = squeezed(sql) if self._joined else ""
        for each in self._joined:
            if not each.is_whole and each.column.statements[each.come] == here:
                each.come += 1
                return each
        return None

    def _found(self, is_large: Callable[[str], bool]) -> list[JoinedType]:
        """All of them, where one of their tables is large: what lies between may be about the types of all."""
        written = written_statements(self._script, self._direction)
        found = retyped_twice([part for sql in written for part in actions_apart(sql) or [sql]])

        def are_joined() -> bool:
            sees = any(self._database.ask(_SEES_ROWS, table=each.table) for each in found)
            return not sees and any(is_large(each.table) for each in found)

        words = f"in one: {'; '.join(each.one for each in found)}"
        if not (found and self._database.is_known and self._database.recall_whether(words, are_joined)):
            return []
        return [JoinedType(each) for each in found]
