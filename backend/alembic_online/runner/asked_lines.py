"""The statements that a revision asks for by its own lines, in their order, whatever is made of each and whenever."""

from sqlalchemy import Executable
from sqlalchemy.schema import DDLElement
from sqlalchemy.sql.elements import TextClause

from alembic_online.postgres.locks.reader import Reader, first_word, single
from alembic_online.recipes.names import plain, sql_of

_OF_CATALOGUE = ("CREATE", "ALTER", "DROP", "DO", "CALL", "SELECT", "WITH", "EXECUTE", "SET")
_SAVEPOINT = "savepoint "


class AskedLines:
    """Of one try of a revision, without what it has gone back on."""

    def __init__(self) -> None:
        self._lines: list[str] = []

    def forget(self) -> None:
        """A try begins; or all is rolled back, of which some may have been committed by an earlier one."""
        self._lines = []

    def note(self, sql: str) -> None:
        """A line has run, or waits to be carried out with others."""
        word = first_word(sql)
        if word in _OF_CATALOGUE:
            self._lines.append(sql)
        elif word in ("SAVEPOINT", "ROLLBACK", "ABORT") and (reader := single(sql)) is not None:
            self._follow(word, reader)

    def _follow(self, word: str, reader: Reader) -> None:
        reader.accept(word)
        if word == "SAVEPOINT":
            self._lines.append(f"{_SAVEPOINT}{plain(reader.name())}")
            return
        reader.accept_any("WORK", "TRANSACTION")
        reader.accept_any("TO SAVEPOINT", "TO")
        mark = f"{_SAVEPOINT}{plain(reader.name())}"
        last = max((n for n, line in enumerate(self._lines) if line == mark), default=-1)
        del self._lines[last + 1 :]

    @property
    def texts(self) -> list[str]:
        """Each that may change the catalogue."""
        return [line for line in self._lines if not line.startswith(_SAVEPOINT)]


def text_of_line(construct: Executable | str) -> str:
    """Of what an operation asks for; "" for what reads or changes rows."""
    if isinstance(construct, str):
        return construct
    return sql_of(construct).replace("\\:", ":") if isinstance(construct, DDLElement | TextClause) else ""
