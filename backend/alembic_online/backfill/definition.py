"""What is to be filled, as a value that can be kept in the database."""

import re
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from importlib import import_module
from typing import Any

from alembic_online.errors import RequestRefused
from alembic_online.postgres.sql.tokens import Kind, tokens

Rows = Sequence[Mapping[str, Any]]
Function = Callable[[Rows], "Rows | Awaitable[Rows]"]
"""Takes rows with the key and what it `reads`; returns as many mappings of column to new value, empty to leave one."""

NUMBERS = "numbers"
"""Kept beside a definition: of which table and columns it was begun (`state`)."""
_COLON = re.compile(":")


@dataclass(frozen=True, kw_only=True)
class Backfill:
    """New values for columns of every row of a table, by SQL or by a Python function over batches.

    Names in `table` are as SQL writes them; the keys of `values` are plain column names. Raises `RequestRefused` for
    what cannot be meant.
    """

    table: str
    values: Mapping[str, str] = field(default_factory=dict)
    """Column to SQL expression over the row."""
    where: str | None = None
    """SQL that is true for the rows that need it, and false for a row that has been filled."""
    function: Function | str | None = None
    """Instead of `values`: a function, or where to import it from (`package.module:name`)."""
    reads: tuple[str, ...] = ()
    """The columns that the function is given besides the key."""
    in_step: bool = False
    """A trigger or a default keeps new and changed rows right: one pass over the table is enough."""
    unnoticed: bool = False
    """Fires no trigger of the table where the role may say so, and announces the batch to that of a shadow column,
    which leaves the rest of the row as it is whatever the others do to it."""
    asked_once: bool = False
    """A row's values are asked for but once, as a sequence's must be: `where` alone says which rows need them."""
    into: str = ""
    """Another table, as SQL writes it: the values are copied there as new rows, and the table itself stays as it is."""
    settings: Mapping[str, str] = field(default_factory=dict)
    """What a session must have set for it, as the search_path by which the revision has found the table."""
    name: str = ""

    def __post_init__(self) -> None:
        if bool(self.values) == (self.function is not None):
            raise RequestRefused(
                f"The backfill of {self.table} has {'both' if self.values else 'neither'} values and a function.",
                "Give it one of the two: values={'column': 'SQL'} or function=...",
            )
        if self.function is not None and self.where is None:
            raise RequestRefused(
                f"The backfill of {self.table} by a Python function does not say which rows need it.",
                "Give it where='...', true for a row that needs a value and false once it has one.",
            )
        if not self.name:
            what = "_".join(self.values) or _function_name(self.function)
            object.__setattr__(self, "name", f"{self.table.replace(chr(34), '')}_{what}")

    def as_data(self) -> dict[str, Any]:
        """For the database; a function that cannot be imported by name is left out."""
        importable = self.function if isinstance(self.function, str) else None
        return {
            "table": self.table,
            "values": dict(self.values),
            "where": self.where,
            "function": importable,
            "reads": list(self.reads),
            "in_step": self.in_step,
            "unnoticed": self.unnoticed,
            "asked_once": self.asked_once,
            "into": self.into,
            **({"settings": dict(self.settings)} if self.settings else {}),
        }

    @classmethod
    def from_data(cls, name: str, data: Mapping[str, Any]) -> "Backfill":
        """What `as_data` gave. Raises `RequestRefused` where its function is known to a revision only."""
        if not data["values"] and not data["function"]:
            raise RequestRefused(
                f"The values of the backfill {name} come from a Python function inside of a revision.",
                "Run it by `alembic upgrade` with a larger MIGRATION_BACKFILL_UPGRADE_SECONDS,\n"
                "or let the revision name the function: function='package.module:name'.",
            )
        own = {key: value for key, value in data.items() if key != NUMBERS}
        return cls(name=name, **{**own, "reads": tuple(data["reads"])})

    def named_columns(self) -> list[str]:
        """What may be a column of its table, plain: those that it fills and reads, and all words of the condition."""
        found = [token for token in tokens(self.where or "") if token.kind in (Kind.WORD, Kind.QUOTED_NAME)]
        words = (each.text.strip('"') if each.kind is Kind.QUOTED_NAME else each.text.lower() for each in found)
        return sorted({*self.values, *self.reads, *words})

    def loaded_function(self) -> Function | None:
        """The function itself. Raises `RequestRefused` if it is not there to import."""
        if not isinstance(self.function, str):
            return self.function
        module, _, attribute = self.function.partition(":")
        try:
            return getattr(import_module(module), attribute)  # type: ignore[no-any-return]
        except (ImportError, AttributeError) as error:
            raise RequestRefused(
                f"The function {self.function!r} of the backfill {self.name} cannot be imported: {error}.",
                "Write it as package.module:name, as `python` would import it where alembic.ini is.",
            ) from error


def verbatim(sql: str) -> str:
    """`sql` for SQLAlchemy's text(), which would take a colon for the beginning of a parameter."""
    return _COLON.sub(r"\:", sql)


def _function_name(function: Function | str | None) -> str:
    if isinstance(function, str):
        return function.rpartition(":")[2]
    return getattr(function, "__name__", "function")
