"""A revision file as text: its calls, its SQL, its comments. Nothing of it is run."""

import ast
import io
import re
import tokenize
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from alembic_online.postgres.locks.reader import Reader, statements
from alembic_online.review.lint.other_servers import nodes

_SQL = re.compile(
    r"\s*(ALTER|ANALYZE|CLUSTER|COMMENT|COPY|CREATE|DELETE|DO|DROP|GRANT|INSERT|LOCK|MERGE|REFRESH|REINDEX|RESET|REVOKE"
    r"|SELECT|SET|SHOW|TRUNCATE|UPDATE|VACUUM|WITH)\b",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class Sql:
    """A string that is SQL, and where it begins."""

    text: str
    line: int

    def statements(self) -> Iterator[Reader]:
        """A reader for each statement."""
        return statements(self.text)


@dataclass(frozen=True)
class Source:
    """The text of one file, which can be parsed: Alembic has imported it."""

    path: Path
    text: str

    @classmethod
    def read(cls, path: Path) -> "Source":
        """Read the file."""
        return cls(path, path.read_text(encoding="utf-8"))

    @cached_property
    def tree(self) -> ast.Module:
        """Its syntax tree."""
        return ast.parse(self.text)

    @cached_property
    def message(self) -> str:
        """The first line of its docstring."""
        return (ast.get_docstring(self.tree) or "").strip().partition("\n")[0]

    @cached_property
    def message_line(self) -> int:
        """Where it stands; 1 where there is none."""
        return self.tree.body[0].lineno if self.message else 1

    @cached_property
    def names(self) -> frozenset[str]:
        """Every string that could be a name of the schema."""
        nodes = (node.value for node in ast.walk(self.tree) if isinstance(node, ast.Constant))
        return frozenset(value for value in nodes if isinstance(value, str) and value.isidentifier())

    @cached_property
    def functions(self) -> dict[str, ast.FunctionDef]:
        """Its functions by name."""
        return {node.name: node for node in self.tree.body if isinstance(node, ast.FunctionDef)}

    @cached_property
    def imports(self) -> dict[str, tuple[str, int]]:
        """What each imported name means, with dots, and the line that says so."""
        found: dict[str, tuple[str, int]] = {}
        for node in ast.walk(self.tree):
            if isinstance(node, ast.Import):
                for each in node.names:
                    name = each.name if each.asname else each.name.partition(".")[0]
                    found[each.asname or name] = name, node.lineno
            elif isinstance(node, ast.ImportFrom):
                module = "." * node.level + (node.module or "")
                found.update({each.asname or each.name: (f"{module}.{each.name}", node.lineno) for each in node.names})
        return found

    def calls(self) -> Iterator[tuple[str, ast.Call]]:
        """Every call of a name, with the name's full meaning: `datetime.datetime.now`."""
        for node in self._nodes:
            if isinstance(node, ast.Call) and (name := self.dotted(node.func)):
                yield name, node

    def dotted(self, node: ast.expr) -> str:
        """The full meaning of `a.b.c`; "" for any other expression."""
        if isinstance(node, ast.Attribute):
            above = self.dotted(node.value)
            return f"{above}.{node.attr}" if above else ""
        if isinstance(node, ast.Name):
            return self.imports.get(node.id, (node.id, 0))[0]
        return ""

    @cached_property
    def sql(self) -> list[Sql]:
        """Every string that begins with a word of SQL, but docstrings; what an f-string inserts is a `_`."""
        skipped = set(self._docstrings())
        found = []
        for node in self._nodes:
            if isinstance(node, ast.JoinedStr):
                skipped.update(map(id, node.values))
                text = "".join(str(part.value) if isinstance(part, ast.Constant) else "_" for part in node.values)
            elif isinstance(node, ast.Constant) and isinstance(node.value, str):
                text = node.value
            else:
                continue
            if id(node) not in skipped and _SQL.match(text):
                found.append(Sql(text, node.lineno))
        return found

    def comments(self) -> Iterator[tuple[str, int]]:
        """Each comment with its line."""
        for token in tokenize.generate_tokens(io.StringIO(self.text).readline):
            if token.type == tokenize.COMMENT:
                yield token.string, token.start[0]

    @cached_property
    def _nodes(self) -> list[ast.AST]:
        """In the order of the file."""
        found = [(getattr(node, "lineno", 0), node) for node in nodes(self.tree)]
        return [node for _, node in sorted(found, key=lambda each: each[0])]

    def _docstrings(self) -> Iterator[int]:
        for node in ast.walk(self.tree):
            if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
                yield id(node.value)


def does_nothing(function: ast.FunctionDef) -> bool:
    """Whether there is nothing in it but `pass` and a docstring."""
    return all(
        isinstance(node, ast.Pass) or (isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant))
        for node in function.body
    )
