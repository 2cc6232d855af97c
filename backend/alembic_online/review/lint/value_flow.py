"""Where the value of a call goes: into the database, or only into a log, a wait, or nowhere.

Followed within one file, through expressions, names, and functions that return it. What cannot be followed counts as
written.
"""

import ast

from alembic_online.review.lint.source import Source

_LOGGERS = frozenset({"log", "logger", "logging", "_log", "_logger", "warnings", "print", "click", "sys"})
_HARMLESS = frozenset({"print", "click.echo", "time.sleep", "sys.stdout.write", "sys.stderr.write"})
_PASS_ON = frozenset(
    {"int", "float", "str", "repr", "round", "abs", "min", "max", "format", "datetime.timedelta", "divmod", "len"}
)
_EXPRESSIONS = (
    ast.BinOp,
    ast.UnaryOp,
    ast.JoinedStr,
    ast.FormattedValue,
    ast.Attribute,
    ast.Subscript,
    ast.Tuple,
    ast.IfExp,
    ast.Lambda,
    ast.Starred,
)


class ValueFlow:
    """Of one file."""

    def __init__(self, source: Source) -> None:
        self._source = source
        self._parents = {child: node for node in ast.walk(source.tree) for child in ast.iter_child_nodes(node)}
        self._seen: set[ast.AST] = set()

    def is_idle(self, call: ast.expr) -> bool:
        """Whether the value of `call` certainly does not come into the database."""
        self._seen = set()
        return self._ends_idle(call)

    def _ends_idle(self, node: ast.AST) -> bool:
        while node not in self._seen:
            self._seen.add(node)
            parent = self._parents[node]
            if isinstance(parent, ast.Call) and node is not parent.func:
                if not self._passes_on(parent):
                    return self._only_logs(parent)
            elif isinstance(parent, ast.keyword):
                if self._is_default(parent):
                    return True
            elif not isinstance(parent, (*_EXPRESSIONS, ast.Call)):
                return self._ends_in(parent, node)
            node = parent
        return True  # a name that is made of itself: its other uses are looked at

    def _ends_in(self, statement: ast.AST, node: ast.AST) -> bool:
        match statement:
            case ast.Expr():
                return True
            case ast.Assign(targets=[ast.Name(id=name)]) | ast.AnnAssign(target=ast.Name(id=name)):
                return self._uses_are_idle(name, statement)
            case ast.AugAssign(target=ast.Name(id=name)) | ast.NamedExpr(target=ast.Name(id=name)):
                return self._uses_are_idle(name, statement)
            case ast.Compare() | ast.BoolOp():
                return self._decides_nothing(statement)
            case ast.Return():
                return self._calls_are_idle(statement)
            case _:
                return False

    def _uses_are_idle(self, name: str, statement: ast.AST) -> bool:
        uses = [node for node in ast.walk(self._scope(statement)) if isinstance(node, ast.Name) and node.id == name]
        return all(isinstance(use.ctx, ast.Store) or self._ends_idle(use) for use in uses)

    def _calls_are_idle(self, statement: ast.AST) -> bool:
        """Of the function that returns it; one that is never called here is handed to somebody."""
        function = self._scope(statement)
        if not isinstance(function, ast.FunctionDef):
            return False
        uses = [node for node in ast.walk(self._source.tree) if isinstance(node, ast.Name) and node.id == function.name]
        calls = [self._parents[use] for use in uses]
        called = all(isinstance(call, ast.Call) and call.func is use for call, use in zip(calls, uses, strict=True))
        return bool(uses) and called and all(map(self._ends_idle, calls))

    def _decides_nothing(self, condition: ast.AST) -> bool:
        """A loop that waits, or an `if` that only logs."""
        parent = self._parents[condition]
        if isinstance(parent, ast.BoolOp | ast.UnaryOp):
            return self._decides_nothing(parent)
        if isinstance(parent, ast.While):
            return True
        return isinstance(parent, ast.If) and all(map(self._is_log, [*parent.body, *parent.orelse]))

    def _is_log(self, statement: ast.stmt) -> bool:
        if isinstance(statement, ast.Assign):
            return isinstance(statement.targets[0], ast.Name) and self._ends_in(statement, statement.value)
        is_call = isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Call)
        return isinstance(statement, ast.Pass) or (is_call and self._only_logs(statement.value))  # type: ignore[attr-defined]

    def _only_logs(self, call: ast.Call) -> bool:
        name = self._source.dotted(call.func)
        return name in _HARMLESS or name.partition(".")[0].lower() in _LOGGERS

    def _passes_on(self, call: ast.Call) -> bool:
        """Whether the result is made of the value: `int(...)`, `"{}".format(...)`, `other.total_seconds()`."""
        method = call.func.attr if isinstance(call.func, ast.Attribute) else ""
        return self._source.dotted(call.func) in _PASS_ON or (
            method == "format" and isinstance(call.func, ast.Attribute) and isinstance(call.func.value, ast.Constant)
        )

    def _is_default(self, keyword: ast.keyword) -> bool:
        """Python's default of a column that an operation makes: no row gets it, for nobody inserts by that column."""
        if keyword.arg not in ("default", "onupdate"):
            return False
        node: ast.AST = keyword
        while not isinstance(node, ast.stmt):
            node = self._parents[node]
        call = node.value if isinstance(node, ast.Expr) else None
        made = call.func.attr if isinstance(call, ast.Call) and isinstance(call.func, ast.Attribute) else ""
        return made in ("create_table", "add_column", "alter_column")

    def _scope(self, node: ast.AST) -> ast.AST:
        """The function around it, or the file."""
        while not isinstance(node, ast.FunctionDef | ast.Module):
            node = self._parents[node]
        return node
