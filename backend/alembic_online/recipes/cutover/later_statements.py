"""What a revision makes again below one of its lines, as far as its text tells: nothing of it is run."""

import ast
import re
from collections.abc import Iterator
from functools import cached_property
from pathlib import Path

from alembic_online.postgres.locks.reader import Reader, statements
from alembic_online.recipes.cutover.numbering import may_say_number, says_number
from alembic_online.recipes.names import plain
from alembic_online.recipes.object_effects import (
    GivenUp,
    given_up,
    granted,
    last_part,
    made,
    same_name,
    sets_default,
    switched_on,
)

_UNKNOWN = "_"
"""What stands in an f-string where nobody knows what it inserts."""
_PAST_US = ("connection", "driver_connection", "dbapi_connection", "raw_connection", "cursor", "create_engine")


class Below:
    """The text of one direction of one file: its function, and what that calls and names in the file."""

    def __init__(self, path: Path, direction: str) -> None:
        self.path, self._direction = path, direction

    def brings_back(self, each: GivenUp, line: int, end: int) -> int:
        """The line below this one, which ends at `end`, that makes it again; 0 where none does."""
        return next((at for at, _ in self._making(each, line, end)), 0)

    def sets_default_below(self, default: GivenUp, line: int, end: int) -> bool:
        """Whether a line below this one, or the rest of it, sets the default; an identity wants NOT NULL before it."""
        return any("GENERATED" not in text.upper() for _, text in self._making(default, line, end))

    def identity_below(self, table: str, column: str, line: int) -> str:
        """The statement that makes this column of this very table an identity, on this line or below; "" for none."""
        default = GivenUp("default", plain(table), plain(column))
        texts = (sql for at, sql in self._texts if at >= line and "GENERATED" in sql.upper() and _makes(default, sql))
        return next((sql for sql in texts if default[:3] in [each[:3] for each in given_up(sql)]), "")

    def computes_below(self, column: GivenUp, line: int, end: int) -> bool:
        """Whether a line below this one makes the column again as a stored generated one."""
        return any("STORED" in text.upper() for at, text in self._making(column, line, end) if at > line)

    def _making(self, each: GivenUp, line: int, end: int) -> Iterator[tuple[int, str]]:
        for at, sql in self._texts:
            if at < line:
                continue
            is_below = at > end or each.kind == "numbers"  # which this line itself says, or not
            texts = [sql] if is_below else _after(each, sql)
            yield from ((at, text) for text in texts if _makes(each, text))

    def made_above(self, each: GivenUp, line: int) -> bool:
        """Whether a line above this one makes it: then no client has known it."""
        return any(_makes(each, sql) for at, sql in self._texts if at < line)

    def adds_above(self, column: GivenUp, line: int) -> bool:
        """Whether a line above this one adds the column to this very table, with no default and no IF NOT EXISTS."""
        return any(_adds(column, reader) for at, sql in self._texts if at < line for reader in statements(sql))

    def names(self, name: str, line: int) -> bool:
        """Whether a text on this line or below has this name in it."""
        word = re.compile(rf"\b{re.escape(name)}\b", re.IGNORECASE)
        return any(word.search(sql) for at, sql in self._texts if at >= line)

    def reads(self, line: int) -> bool:
        """Whether what this line executes returns something to it: it is not a plain call of `execute`."""
        alone = (each for each in ast.walk(self._tree) if isinstance(each, ast.Expr))
        here = (each.value for each in alone if each.lineno <= line <= (each.end_lineno or line))
        calls = (each.func for each in here if isinstance(each, ast.Call))
        return not any(isinstance(each, ast.Attribute) and each.attr == "execute" for each in calls)

    @property
    def takes_raw_connection(self) -> bool:
        """Whether the file takes the driver's own connection, or another one, of whose statements nobody hears."""
        return any(
            (isinstance(each, ast.Attribute) and each.attr in _PAST_US)
            or (isinstance(each, ast.Name) and each.id in _PAST_US)
            for each in ast.walk(self._tree)
        )

    @cached_property
    def whole_file(self) -> str:
        """The text of the file, both directions."""
        return self.path.read_text(encoding="utf-8")

    @cached_property
    def _tree(self) -> ast.Module:
        return ast.parse(self.whole_file)

    @cached_property
    def _texts(self) -> list[tuple[int, str]]:
        top = {name: node for node in self._tree.body for name in _names(node)}
        return sorted(_read(top.get(self._direction), top, set()))


def _names(node: ast.stmt) -> list[str]:
    if isinstance(node, ast.FunctionDef):
        return [node.name]
    if isinstance(node, ast.Assign):
        return [each.id for each in node.targets if isinstance(each, ast.Name)]
    return [node.target.id] if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name) else []


def _read(node: ast.AST | None, top: dict[str, ast.stmt], seen: set[str], line: int = 0) -> Iterator[tuple[int, str]]:
    """The SQL in it, and in what it names; that counts as written where it is named."""
    for each in ast.walk(node) if node else ():
        at = line or getattr(each, "lineno", 0)
        if isinstance(each, ast.Name) and each.id in top and each.id not in seen:
            yield from _read(top[each.id], top, seen | {each.id}, at)
        elif isinstance(each, ast.JoinedStr):
            yield at, "".join(str(part.value) if isinstance(part, ast.Constant) else _UNKNOWN for part in each.values)
        elif isinstance(each, ast.Constant) and isinstance(each.value, str):
            yield at, each.value
        elif isinstance(each, ast.Call) and (sql := _operation(each)):
            yield at, sql


def _operation(call: ast.Call) -> str:
    """A stock operation in SQL, so far as it brings something back that may have been given up; else ""."""
    name = call.func.attr if isinstance(call.func, ast.Attribute) else ""
    given = [each.value for each in call.args if isinstance(each, ast.Constant) and isinstance(each.value, str)]
    options = {each.arg: each.value for each in call.keywords}
    default = options.get("server_default")
    if name == "alter_column" and given and default is not None and not _is_none(default):
        action = "ADD GENERATED BY DEFAULT AS IDENTITY" if _is_identity(default) else f"SET DEFAULT {_UNKNOWN}"
        return f"ALTER TABLE {given[0] if given[1:] else _UNKNOWN} ALTER {given[-1]} {action}"
    if name == "setval":  # sa.func.setval(sa.func.pg_get_serial_sequence("t", "id"), ...)
        strings = [each.value for each in ast.walk(call) if isinstance(each, ast.Constant)]
        inside = [f"'{each}'" for each in strings if isinstance(each, str)]
        return f"SELECT setval({', '.join(inside)})"
    if name == "create_table" and given:
        return f"CREATE TABLE {given[0]} ()"
    column = next((each for each in call.args if isinstance(each, ast.Call)), None)
    if name == "add_column" and column and column.args and isinstance(column.args[0], ast.Constant):
        stored = " GENERATED STORED" if any(map(_is_stored, column.args)) else ""
        says_own = any(each.arg in ("server_default", None) for each in column.keywords)
        own = f" DEFAULT {_UNKNOWN}" if says_own or any(map(_is_identity, column.args)) else ""
        added = f'{"IF NOT EXISTS " if "if_not_exists" in options else ""}"{column.args[0].value!s}"'
        return f"ALTER TABLE {given[0] if given else _UNKNOWN} ADD COLUMN {added}{stored}{own}"
    return ""


def _is_none(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and node.value in (None, False)


def _is_stored(node: ast.expr) -> bool:
    """`sa.Computed(...)`, unless it says VIRTUAL."""
    if not (isinstance(node, ast.Call) and ast.unparse(node.func).rpartition(".")[2] == "Computed"):
        return False
    return not any(each.arg == "persisted" and _is_none(each.value) for each in node.keywords)


def _is_identity(node: ast.expr) -> bool:
    return isinstance(node, ast.Call) and ast.unparse(node.func).rpartition(".")[2] == "Identity"


def _after(each: GivenUp, sql: str) -> list[str]:
    """Of a text that gives it up, what comes after that."""
    texts = [sql[reader.rest()[0].start :] for reader in statements(sql)]
    return next((texts[at + 1 :][:1] for at, text in enumerate(texts) if each in set(given_up(text))), [])


def _makes(each: GivenUp, sql: str) -> bool:
    """A name that nobody knows may be this one."""
    if each.kind == "numbers":
        return says_number(sql, each) or may_say_number(sql, each)
    if each.kind == "default":
        again = [other for other in given_up(sql) if other.kind == "default"] if sets_default(sql) else []
        return any(other.name == each.name and _may_be(other.table, each.table) for other in again)
    if each.kind == "grant":
        return any(other.name == each.name and _may_be(other.table, each.table) for other in granted(sql))
    if each.kind == "switch":
        return any(other.name == each.name and _may_be(other.table, each.table) for other in switched_on(sql))
    kinds = {"function": ("FUNCTION", "PROCEDURE"), "column": ("ADD", "TO")}.get(each.kind, (each.kind.upper(),))
    has_kind = any(reader.has(kind) for reader in statements(sql) for kind in kinds)
    return has_kind and any(_may_be(name, last_part(each.name)) for name in made(sql))


def _adds(column: GivenUp, reader: Reader) -> bool:
    if not reader.accept("ALTER TABLE"):
        return False
    if not same_name(plain(reader.altered()), column.table) or not reader.accept("ADD"):
        return False
    reader.accept("COLUMN")
    return same_name(plain(reader.name()), column.name) and not any(map(reader.has, ("DEFAULT", "IDENTITY", "SERIAL")))


def _may_be(name: str, other: str) -> bool:
    return plain(name) == _UNKNOWN or same_name(plain(name), other)
