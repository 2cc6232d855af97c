"""Aggregates, from the options that the catalogue lists: PostgreSQL prints no definition of one."""

import re

from alembic_online.autogenerate.context import Context, quoted
from alembic_online.autogenerate.definition_parser import clauses
from alembic_online.autogenerate.writers.routines import routine_name
from alembic_online.autogenerate.writers.statements import StatementWriter
from alembic_online.postgres.catalogue import Attribute, CatalogueObject

_LINE = re.compile(r"\n(?=\w+ = |m?finalfunc_extra)")
_MODIFY = {"r": "READ_ONLY", "s": "SHAREABLE", "w": "READ_WRITE"}
_CODES = {
    "finalfunc_modify": _MODIFY,
    "mfinalfunc_modify": _MODIFY,
    "parallel": {"s": "SAFE", "r": "RESTRICTED", "u": "UNSAFE"},
}
_SAID_ELSEWHERE = frozenset({"kind", "arguments", "returns"})


class AggregateWriter(StatementWriter):
    def target(self, entry: CatalogueObject) -> str:
        name = entry.name.rpartition("(")[0]
        return f"AGGREGATE {quoted(entry.schema, name)}({_listed(entry)['arguments'] or '*'})"

    def granted(self, entry: CatalogueObject) -> str:
        return f"FUNCTION {routine_name(entry)}"

    def statement(self, entry: CatalogueObject, context: Context) -> str:
        listed = _listed(entry)
        if "mfinalfunc" not in listed:
            del listed["mfinalfunc_modify"]
        words = [_option(name, value) for name, value in listed.items() if name not in _SAID_ELSEWHERE]
        if listed["kind"] == "hypothetical set":
            words.append("HYPOTHETICAL")
        return f"CREATE {self.target(entry)} ({', '.join(words)})"


def _listed(entry: CatalogueObject) -> dict[str, str]:
    """The options by name; the value of one that has none is empty."""
    lines = (line.partition(" = ") for line in _LINE.split(entry.text(Attribute.DEFINITION)))
    return {name: value for name, _, value in lines}


def _option(name: str, value: str) -> str:
    if name == "sortop":
        value = f"OPERATOR({clauses(value)[0]})" if "." in value else clauses(value)[0]
    value = _CODES.get(name, {}).get(value, value)
    return f"{name.upper()} = {value}" if value else name.upper()
