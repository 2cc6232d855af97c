"""A type as PostgreSQL prints it, as Python: `character varying(255)` is `sa.String(length=255)`.

SQLAlchemy has no class for some types of PostgreSQL, for composite types, and for those of extensions it does not know:
these are written as `SQLType("public.ltree")`, with the class in the same file.
"""

import re
from typing import NamedTuple

from alembic_online.autogenerate.context import Context, Schema, quoted
from alembic_online.autogenerate.op_rendering import Code, code
from alembic_online.autogenerate.search_path_names import schema_option, shortened
from alembic_online.postgres.catalogue import Attribute, CatalogueObject, Kind

_PRINTED = re.compile(
    r"""(?P<name>(?:"(?:[^"]|"")+"|[^("\[])+?)(\((?P<arguments>[^()]*)\))?"""
    r"""(?P<rest> with(out)? time zone)?(?P<array>\[\])?"""
)
_NAME = re.compile(r'(?:(?P<schema>"(?:[^"]|"")+"|[^".]+)\.)?(?P<name>"(?:[^"]|"")+"|[^".]+)')
_TEXTS = {"text": "sa.Text", "character varying": "sa.String", "character": "sa.CHAR"}
_OF_THE_DIALECT = (
    *("jsonb", "jsonpath", "inet", "cidr", "macaddr", "macaddr8"),
    *("money", "oid", "regclass", "regconfig", "tsvector", "tsquery"),
)
_RANGES = [
    f"{name}{kind}" for name in ("int4", "int8", "num", "date", "ts", "tstz") for kind in ("range", "multirange")
]
_PLAIN = {
    "smallint": "sa.SmallInteger",
    "integer": "sa.Integer",
    "bigint": "sa.BigInteger",
    "real": "sa.REAL",
    "double precision": "sa.Double",
    "boolean": "sa.Boolean",
    "bytea": "sa.LargeBinary",
    "date": "sa.Date",
    "uuid": "sa.Uuid",
    "json": "sa.JSON",
    **{name: f"postgresql.{name.upper()}" for name in (*_OF_THE_DIALECT, *_RANGES)},
}
_TIMES = {"timestamp": "DateTime", "time": "Time"}
_OF_EXTENSIONS = {"citext": "postgresql.CITEXT", "hstore": "postgresql.HSTORE"}
_OF_PGVECTOR = {"vector": "Vector", "halfvec": "HALFVEC", "sparsevec": "SPARSEVEC"}
_SQL_TYPE = '''

class SQLType(sa.types.UserDefinedType[object]):
    """A type that SQLAlchemy has no class for, by its name in SQL."""

    cache_ok = True

    def __init__(self, name: str) -> None:
        self.name = name

    def get_col_spec(self, **_: object) -> str:
        return self.name


'''


class Printed(NamedTuple):
    """A type as PostgreSQL prints it, taken apart: `public.vector(3)[]` is public, vector, (3,), an array."""

    schema: str
    name: str
    arguments: tuple[str, ...] = ()
    rest: str = ""
    array: bool = False

    @property
    def unmodified(self) -> str:
        """Printed again without modifiers, as where a cast is named."""
        name = quoted(self.schema, self.name) if self.schema else self.name
        return f"{name}{self.rest}{'[]' * self.array}"

    @property
    def number(self) -> int | None:
        """The only modifier."""
        return int(self.arguments[0]) if self.arguments else None


def parse_type(printed: str) -> Printed | None:
    """None for a type that is printed in no way known here."""
    match = _PRINTED.fullmatch(printed)
    name = match and _NAME.fullmatch(match["name"])
    if not match or not name:
        return None
    arguments = tuple(part.strip() for part in match["arguments"].split(",")) if match["arguments"] else ()
    return Printed(
        _unquoted(name["schema"] or ""), _unquoted(name["name"]), arguments, match["rest"] or "", bool(match["array"])
    )


def column_type(printed: str, schema: Schema, collation: str | None = None) -> Code:
    """The Python of a type, as it is printed in `schema`; `collation` if it is not the type's own."""
    parsed = parse_type(printed)
    if parsed is None:
        return _sql_type(printed, collation)
    if parsed.array and collation is None:
        return code("postgresql.ARRAY", column_type(printed.removesuffix("[]"), schema))
    if parsed.array or (collation is not None and (parsed.schema or "." in collation)):
        return _sql_type(printed, collation)
    if parsed.schema:
        return _named(parsed, schema) or _sql_type(printed, collation)
    found = _text(parsed, collation) if parsed.name in _TEXTS else _built_in(parsed)
    return found if found is not None else _sql_type(printed, collation)


def written_type(column: CatalogueObject, context: Context) -> Code:
    """The Python of a column's type: in the project's own words, if it has some."""
    own = context.own_type(column) if context.own_type is not None else None
    if own is not None:
        return own
    collation = column.attributes.get(Attribute.COLLATION)
    return column_type(column.text(Attribute.TYPE), context.new, None if collation is None else str(collation))


def user_type(printed: str, schema: Schema) -> CatalogueObject | None:
    """The enum, domain or other type of the catalogue that `printed`, or the elements of the array, is of."""
    parsed = parse_type(printed)
    return None if parsed is None else schema.types.get((parsed.schema, parsed.name))


def _text(parsed: Printed, collation: str | None) -> Code:
    plain = None if collation is None else _unquoted(collation)
    return code(_TEXTS[parsed.name], length=parsed.number, collation=plain)


def _built_in(parsed: Printed) -> Code | None:
    name, number = parsed.name, parsed.number
    if name in _PLAIN:
        return code(_PLAIN[name])
    if name == "numeric":
        precision, scale = (*map(int, parsed.arguments), None, None)[:2]
        return code("sa.Numeric", precision=precision, scale=scale)
    if name in _TIMES and parsed.rest:
        zone = True if parsed.rest == " with time zone" else None
        if number is None:
            return code(f"sa.{_TIMES[name]}", timezone=zone)
        return code(f"postgresql.{name.upper()}", timezone=zone, precision=number)
    if name.partition(" ")[0] == "interval":
        return _interval(name.partition(" ")[2], number)
    if name == "bit varying" or (name == "bit" and number):
        return code("postgresql.BIT", number, varying=True if name != "bit" else None)
    return None


def _interval(fields: str, precision: int | None) -> Code:
    if not fields and precision is None:
        return code("sa.Interval")
    return code("postgresql.INTERVAL", fields=fields.upper() or None, precision=precision)


def _named(parsed: Printed, schema: Schema) -> Code | None:
    """A type that stands in a schema: of the models, or of an extension."""
    option = schema_option(parsed.schema, schema.default)
    entry = schema.types.get((parsed.schema, parsed.name))
    if entry is not None:
        return _of_the_catalogue(entry, schema, option)
    if option is not None and shortened(quoted(parsed.schema, parsed.name)) != quoted(parsed.name):
        return None
    if parsed.name in _OF_PGVECTOR:
        name = _OF_PGVECTOR[parsed.name]
        arguments = [] if parsed.number is None else [parsed.number]
        return Code(code(name, *arguments), frozenset({f"from pgvector.sqlalchemy import {name}"}))
    return code(_OF_EXTENSIONS[parsed.name]) if parsed.name in _OF_EXTENSIONS else None


def _of_the_catalogue(entry: CatalogueObject, schema: Schema, option: str | None) -> Code | None:
    if entry.kind is Kind.ENUM:
        labels = entry.items(Attribute.LABELS)
        return code("postgresql.ENUM", *labels, name=entry.name, schema=option, create_type=False)
    if entry.kind is Kind.DOMAIN:
        base = column_type(entry.text(Attribute.TYPE), schema)
        return code("postgresql.DOMAIN", entry.name, base, schema=option, create_type=False)
    return None


def _sql_type(printed: str, collation: str | None) -> Code:
    spelled = printed if collation is None else f"{printed} COLLATE {collation}"
    return Code(code("SQLType", shortened(spelled)), frozenset({_SQL_TYPE}))


def _unquoted(name: str) -> str:
    return name[1:-1].replace('""', '"') if name.startswith('"') else name
