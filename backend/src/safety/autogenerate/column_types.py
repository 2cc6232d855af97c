"""A type as PostgreSQL prints it, as Python: `character varying(255)` is `sa.String(length=255)`."""

import re

from src.safety.autogenerate.call import Code, code

_PLAIN = {
    "smallint": "sa.SmallInteger()",
    "integer": "sa.Integer()",
    "bigint": "sa.BigInteger()",
    "real": "sa.REAL()",
    "double precision": "sa.Double()",
    "numeric": "sa.Numeric()",
    "boolean": "sa.Boolean()",
    "text": "sa.Text()",
    "character varying": "sa.String()",
    "bytea": "sa.LargeBinary()",
    "date": "sa.Date()",
    "uuid": "sa.Uuid()",
    "timestamp without time zone": "sa.DateTime()",
    "timestamp with time zone": "sa.DateTime(timezone=True)",
    "time without time zone": "sa.Time()",
    "time with time zone": "sa.Time(timezone=True)",
    "interval": "sa.Interval()",
    "json": "sa.JSON()",
    "jsonb": "postgresql.JSONB()",
}


def column_type(printed: str) -> Code:
    """The Python of a type. One that SQLAlchemy has no class for is written as its SQL."""
    if match := re.fullmatch(r"(.+)\[\]", printed):
        return code("postgresql.ARRAY", column_type(match[1]))
    if printed in _PLAIN:
        return Code(_PLAIN[printed])
    if match := re.fullmatch(r"character varying\((\d+)\)", printed):
        return code("sa.String", length=int(match[1]))
    raise NotImplementedError(printed)
