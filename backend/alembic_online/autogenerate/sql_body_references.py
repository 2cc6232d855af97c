"""What the body of a function of language SQL names. PostgreSQL (up to 18) looks for it when the function is made,
unless `check_function_bodies` is off, and records none of it in pg_depend."""

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator

from alembic_online.autogenerate.context import Schema
from alembic_online.postgres.catalogue import Attribute, Identity, Kind

_CALLED = frozenset({Kind.FUNCTION, Kind.PROCEDURE, Kind.AGGREGATE})
_NAMED = _CALLED | {Kind.TABLE, Kind.VIEW, Kind.MATERIALIZED_VIEW, Kind.FOREIGN_TABLE, Kind.SEQUENCE}
_SQL = re.compile(r"^ LANGUAGE sql\b", re.MULTILINE)  # as pg_get_functiondef prints it


def mentions(schema: Schema, among: Iterable[Identity]) -> Iterator[tuple[Identity, Identity]]:
    """Pairs of objects, the first of which has the other's name in its body. It may mean another object."""
    by_name: defaultdict[str, list[Identity]] = defaultdict(list)
    readers: list[Identity] = []
    for identity in among:
        if identity.kind in _NAMED:
            by_name[_bare(identity)].append(identity)
        if identity.kind in (Kind.FUNCTION, Kind.PROCEDURE) and _SQL.search(_definition(schema, identity)):
            readers.append(identity)
    for reader in readers:
        for word in sorted(set(re.findall(r"\w+", _definition(schema, reader))) & by_name.keys()):
            yield from ((reader, named) for named in by_name[word] if named != reader)


def _bare(identity: Identity) -> str:
    return identity.name.rpartition("(")[0] if identity.kind in _CALLED else identity.name


def _definition(schema: Schema, identity: Identity) -> str:
    return schema.catalogue[identity].text(Attribute.DEFINITION)
