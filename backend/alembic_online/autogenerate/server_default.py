"""The default of a column as an argument of an operation: `server_default="en"`."""

import re

from alembic_online.autogenerate.column_types import parse_type
from alembic_online.autogenerate.op_rendering import Code, code, text
from alembic_online.autogenerate.sequence_options import OPTIONS, of_identity
from alembic_online.postgres.catalogue import Attribute, CatalogueObject

_STRING = re.compile(r"'((?:[^']|'')*)'(?:::(.+))?", re.DOTALL)
_PRINTED_AS = {"character": "bpchar"}
NONE = Code("None")


def server_default(entry: CatalogueObject) -> Code | str | None:
    """What stands after `server_default=`, for an identity as well; None for no default."""
    if entry.has(Attribute.IDENTITY):
        return identity(entry)
    default = entry.attributes.get(Attribute.DEFAULT)
    return None if default is None else default_code(str(default), entry.text(Attribute.TYPE))


def default_code(default: str, printed_type: str) -> Code | str:
    """A plain string where the default is one of the column's own type; else the expression as PostgreSQL prints it."""
    match = _STRING.fullmatch(default)
    parsed = parse_type(printed_type)
    if match is None or parsed is None or "\\" in default:
        return text(default)
    name = _PRINTED_AS.get(parsed.unmodified, parsed.unmodified)
    return match[1].replace("''", "'") if match[2] in (name, None) else text(default)


def computed(entry: CatalogueObject) -> Code | None:
    """`sa.Computed(...)` of a generated column."""
    generated = entry.attributes.get(Attribute.GENERATED)
    if generated is None:
        return None
    expression, _, kept = str(generated).removeprefix("ALWAYS AS (").rpartition(") ")
    return code("sa.Computed", text(expression), persisted=kept == "STORED")


def identity(entry: CatalogueObject) -> Code | None:
    """`sa.Identity(...)`."""
    if not entry.has(Attribute.IDENTITY):
        return None
    stated = {name: entry.attributes.get(of_identity(option)) for option, name in OPTIONS.items()}
    return code("sa.Identity", always=entry.attributes[Attribute.IDENTITY] == "always", **stated)
