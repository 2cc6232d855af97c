"""Names as PostgreSQL itself would choose them (`makeObjectName` in indexcmds.c, PostgreSQL 16 to 18); their parts."""

import re

from sqlalchemy.dialects.postgresql.base import PGDialect

_LONGEST = 63  # bytes: NAMEDATALEN - 1
# With named parameters a % stays as it is: other dialects double it, and text() does so once more.
_PREPARER = PGDialect(paramstyle="named").identifier_preparer  # type: ignore[no-untyped-call]  # SQLAlchemy's own
_PART = re.compile(r'"(?:[^"]|"")*"|[^".]+')


def quoted(name: str) -> str:
    """A name as SQL writes it."""
    return str(_PREPARER.quote(name))


def without_schema(name: str) -> str:
    """The last part of a name as SQL writes it: `"b.c"` of `a."b.c"`."""
    return str(_PART.findall(name)[-1])


def object_name(first: str, second: str, label: str) -> str:
    """`first_second_label`, or without `second`; where that is too long, the longer of the two is cut, byte by byte."""
    one, two = first.encode(), second.encode()
    room = _LONGEST - len(label.encode()) - 1 - (1 if second else 0)
    while len(one) + len(two) > room:
        if len(one) > len(two):
            one = one[:-1]
        else:
            two = two[:-1]
    # A character that was cut in its middle goes as a whole.
    parts = [part.decode(errors="ignore") for part in (one, two)]
    return "_".join([*filter(None, parts), label])
