"""What the lines above a statement rename, make and change: by their text, before any of them runs."""

from dataclasses import dataclass, field

from alembic_online.postgres.locks.reader import Reader
from alembic_online.postgres.sql.tokens import Kind, tokens
from alembic_online.recipes.cutover.replaced_type import StandIn, stand_in
from alembic_online.recipes.cutover.statement_forms import names_of
from alembic_online.recipes.names import plain
from alembic_online.recipes.object_effects import last_part, same_name

_TABLES = ("CREATE TABLE", "DROP TABLE")
_QUIET = (
    *("CREATE INDEX", "CREATE UNIQUE INDEX", "DROP INDEX", "ALTER INDEX", "COMMENT", "GRANT", "REVOKE", "CREATE VIEW"),
    *("CREATE OR REPLACE VIEW", "DROP VIEW", "CREATE MATERIALIZED VIEW", "DROP MATERIALIZED VIEW", "CREATE TRIGGER"),
    *("DROP TRIGGER", "CREATE POLICY", "DROP POLICY", "CREATE SEQUENCE", "ALTER SEQUENCE", "DROP SEQUENCE"),
    *("CREATE SCHEMA", "CREATE EXTENSION", "DROP TYPE", "DROP DOMAIN"),
)
"""After which every row is as it was."""
_RULES = ("CONSTRAINT", "CHECK", "UNIQUE", "PRIMARY KEY", "FOREIGN KEY")
_SETTINGS = ("SET DEFAULT", "DROP DEFAULT", "SET NOT NULL", "DROP NOT NULL", "SET STATISTICS", "SET STORAGE")


@dataclass
class NamesAbove:
    """Those of a revision, as far as it was read. Today's names are those that the database knows."""

    changed: set[str] = field(default_factory=set)
    """Today's tables, and `table.column`, plain, whose rows or values the lines above may have made other ones."""
    _today: dict[str, str] = field(default_factory=dict)
    """By the new name of a table, `table.column` or `type name`, plain: today's, as SQL writes it; "" for none."""
    _made: list[StandIn] = field(default_factory=list)

    def table(self, written: str) -> str:
        """Today's name of a table as SQL writes it; "" where it has none."""
        return self._today.get(last_part(plain(written)), written)

    def column(self, table: str, written: str) -> str:
        """The same of a column; `table` is today's."""
        return self._today.get(f"{last_part(plain(table))}.{plain(written)}", written)

    def expression(self, table: str, sql: str) -> str:
        """`sql` with today's names of the table's columns; "" where one of them has none."""
        parts, end = list[str](), 0
        for token in tokens(sql):
            if token.kind in (Kind.WORD, Kind.QUOTED_NAME):
                name = self.column(table, token.text)
                if not name:
                    return ""
                if name != token.text:
                    parts += [sql[end : token.start], name]
                    end = token.start + len(token.text)
        return "".join([*parts, sql[end:]])

    def type_made(self, kind: str) -> StandIn | None:
        """What is known of a type that is made above; of an array, that of its elements."""
        element = plain(kind.partition("[")[0].strip())
        return next((each for each in reversed(self._made) if same_name(plain(each.name), element)), None)

    def type(self, kind: str) -> str:
        """Today's name of a type that is not made above; "" where it has none."""
        element, bracket, rest = kind.partition("[")
        today = self._today.get(f"type {last_part(plain(element.strip()))}", element)
        return f"{today}{bracket}{rest}" if today else ""

    def note(self, reader: Reader, sql: str) -> bool:
        """Note what is another one after `sql`; False where rows may be, of any table."""
        if reader.accept_any(*_TABLES):
            self.changed |= names_of(sql)
        elif reader.accept("ALTER TABLE"):
            written = reader.altered()
            for action in reader.split():
                self._note_action(action, written)
        elif reader.comes("CREATE TYPE", "CREATE DOMAIN"):
            made = stand_in(sql, self._made)
            self._made += [made] if made else []
            return made is not None
        elif reader.accept_any("ALTER TYPE", "ALTER DOMAIN"):
            name = reader.name()
            if not reader.accept("RENAME TO"):
                return False
            self._rename("type ", name, reader.name())
            self._made = [each for each in self._made if not same_name(plain(each.name), plain(name))]
        else:
            return reader.accept_any(*_QUIET) is not None and not reader.has("CASCADE")
        return True

    def _note_action(self, action: Reader, written: str) -> None:
        table = self.table(written) or written
        own = last_part(plain(table))
        if action.accept("RENAME TO"):
            self._rename("", written, action.name())
        elif action.comes("RENAME CONSTRAINT"):
            return
        elif action.accept("RENAME"):
            action.accept("COLUMN")
            old = action.name()
            action.accept("TO")
            self._rename(f"{own}.", old, action.name())
        else:
            for each in _changed(action):
                self.changed |= {f"{own}.{each}", f"{own}.{plain(self.column(table, each))}"} if each else {own}

    def _rename(self, prefix: str, old: str, new: str) -> None:
        key = f"{prefix}{last_part(plain(old))}"
        self._today[f"{prefix}{last_part(plain(new))}"] = self._today.pop(key, old)
        self._today[key] = ""


def _changed(action: Reader) -> set[str]:
    """The columns that an action makes other ones, plain; "" is the table itself."""
    words = {plain(token.text) for token in action.rest()}
    if action.comes("SET SCHEMA", "ATTACH", "DETACH", "DISABLE", "ENABLE"):
        return {""}
    if action.accept_any("ADD", "DROP") and (action.comes(*_RULES) or action.accept("CONSTRAINT")):
        return set()
    if action.accept("ALTER"):
        action.accept("COLUMN")
        action.name()
        return set() if action.comes(*_SETTINGS) else words
    return set() if action.comes("VALIDATE") else words
