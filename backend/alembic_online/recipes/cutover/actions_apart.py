"""`ALTER TABLE t ALTER c DROP DEFAULT, ALTER c TYPE e USING ..., ALTER c SET DEFAULT 'a'`: a statement for each action.

As one statement it holds the table for as long as the new type is written. One by one each action has its online way,
and what clients would miss in between waits for the cut-over, as if the revision had written them so.
"""

from alembic_online.postgres.locks.reader import Reader, single
from alembic_online.postgres.sql.tokens import text_of
from alembic_online.recipes.cutover.statement_forms import names_of
from alembic_online.recipes.names import plain

# In the order of PostgreSQL's own passes (`ATPrepCmd`, 16 to 18): what goes, types, new columns, the rest.
_GOES, _TYPE, _COLUMN, _DEFAULT, _NOT_NULL, _CONSTRAINT = range(6)
_WORK = (_TYPE, _NOT_NULL, _CONSTRAINT)
_CONSTRAINTS = ("CONSTRAINT", "CHECK", "UNIQUE", "PRIMARY KEY", "FOREIGN KEY")


def actions_apart(sql: str) -> list[str]:
    """The statements, in their order; [] where it has one action, none is work on rows, or one is of another kind."""
    reader = single(sql)
    if reader is None or not reader.accept("ALTER TABLE") or not reader.altered() or reader.done:
        return []
    head = sql[: reader.rest()[0].start]
    parts = [_Part(sql, each) for each in reader.split()]
    kinds = [each.kind for each in parts]
    if len(parts) < 2 or None in kinds or not any(kind in _WORK for kind in kinds) or _cross(parts):
        return []
    return [head + each.text for each in sorted(parts, key=lambda each: each.kind or 0)]


class _Part:
    """One action: its text, its kind, the column that it alters, and what its USING says."""

    def __init__(self, sql: str, action: Reader) -> None:
        self.text = text_of(action.rest(), sql)
        self.column = self.using = ""
        self.kind = self._read(action)

    def _read(self, action: Reader) -> int | None:
        if action.accept("DROP"):
            return _GOES
        if action.accept("ADD"):
            return _CONSTRAINT if action.comes(*_CONSTRAINTS) else _COLUMN
        if not action.accept("ALTER") or action.comes("CONSTRAINT"):
            return None
        action.accept("COLUMN")
        self.column = plain(action.name())
        if action.accept_any("TYPE", "SET DATA TYPE"):
            action.skip_to("USING")
            self.using = " ".join(token.text for token in action.rest())
            return _TYPE
        if action.comes("DROP DEFAULT", "DROP NOT NULL"):
            return _GOES
        kinds = {"SET DEFAULT": _DEFAULT, "SET NOT NULL": _NOT_NULL}
        return kinds.get(action.accept_any(*kinds) or "")


def _cross(parts: list[_Part]) -> bool:
    """Whether a USING names another column that gets a type, too: it means that column as it was before."""
    changed = {each.column for each in parts if each.kind == _TYPE}
    return any(names_of(each.using) & (changed - {each.column}) for each in parts)
