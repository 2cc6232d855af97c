"""The families of objects of which most databases have none.

A new session plans each query once, which in a small schema is most of the work of reading it: so the server is asked
first, in one short query, which of these are needed.
"""

from collections.abc import Mapping, Sequence
from types import ModuleType

from alembic_online.postgres.catalogue import data_types, operators, policies, publications, routines, triggers

_FROM_16384 = "SELECT FROM {} WHERE oid >= 16384"
_OPERATORS = ("pg_collation", "pg_operator", "pg_opfamily", "pg_opclass", "pg_cast", "pg_ts_dict", "pg_ts_config")
# An array of a table's rows is a type too, and each table has one.
_OWN_TYPES = """(typtype IN ('e', 'd', 'r', 'm') OR typtype = 'b' AND (typcategory <> 'A' OR typelem = 0))"""
RARE: Mapping[ModuleType, Sequence[str]] = {
    data_types: (f"{_FROM_16384.format('pg_type')} AND {_OWN_TYPES}", "SELECT FROM pg_class WHERE relkind = 'c'"),
    operators: [_FROM_16384.format(name) for name in _OPERATORS],
    routines: [_FROM_16384.format("pg_proc")],
    policies: [_FROM_16384.format(name) for name in ("pg_policy", "pg_statistic_ext")],
    # A foreign key has triggers, and a view a rule, that are not the user's.
    triggers: (
        f"{_FROM_16384.format('pg_trigger')} AND NOT tgisinternal",
        f"{_FROM_16384.format('pg_rewrite')} AND rulename <> '_RETURN'",
        _FROM_16384.format("pg_event_trigger"),
    ),
    publications: [
        _FROM_16384.format(name) for name in ("pg_publication", "pg_foreign_server", "pg_foreign_data_wrapper")
    ],
}
"""Each with queries of which one has a row where the database has such an object. PostgreSQL's own are below 16384."""
WHICH = " UNION ALL ".join(
    f"SELECT '{family.__name__}' WHERE " + " OR ".join(f"EXISTS ({each})" for each in signs)
    for family, signs in RARE.items()
)
"""A query for the names of those that the database has."""
