"""Whether a catalogue was changed at all: a number, without reading a definition.

Nine times in ten nobody has touched the catalogue since it was last looked at. PostgreSQL writes a catalogue's row
again, under a new transaction id, for whatever is changed in it.
"""

from sqlalchemy import Connection, text

_ROWS = {
    "pg_class": "oid",
    "pg_attribute": "attrelid",
    "pg_attrdef": "oid",
    "pg_constraint": "oid",
    "pg_index": "indexrelid",
    "pg_sequence": "seqrelid",
    "pg_inherits": "inhrelid",
    "pg_type": "oid",
    "pg_enum": "oid",
    "pg_range": "rngtypid",
    "pg_proc": "oid",
    "pg_trigger": "oid",
    "pg_rewrite": "oid",
    "pg_policy": "oid",
    "pg_statistic_ext": "oid",
    "pg_description": "objoid",
    "pg_operator": "oid",
    "pg_amop": "oid",
    "pg_amproc": "oid",
    "pg_opclass": "oid",
    "pg_opfamily": "oid",
    "pg_collation": "oid",
    "pg_cast": "oid",
    "pg_ts_config": "oid",
    "pg_ts_config_map": "mapcfg",
    "pg_ts_dict": "oid",
    "pg_publication": "oid",
    "pg_publication_rel": "oid",
    "pg_publication_namespace": "oid",
    "pg_foreign_server": "oid",
    "pg_foreign_data_wrapper": "oid",
    "pg_foreign_table": "ftrelid",
    "pg_event_trigger": "oid",
    "pg_default_acl": "oid",
    "pg_extension": "oid",
}
"""Each catalogue, and the object id that its index begins with. Those below 16384 are of initdb."""
# Not hashint8extended of both in one number: of that it takes the upper half XOR the lower one, so that an object which
# is dropped and made again under the next numbers may be the same to it (PostgreSQL 16 to 18).
_VERSION = text(
    "SELECT sum(version)::text FROM ("
    + " UNION ALL ".join(
        f"SELECT sum(hashtextextended(xmin::text, {oid}::bigint)) AS version FROM {name} WHERE {oid} >= 16384"
        for name, oid in _ROWS.items()
    )
    + """ UNION ALL SELECT sum(hashtextextended(xmin::text, oid::bigint)) FROM pg_namespace
    WHERE nspname !~ '^pg_'
    UNION ALL SELECT sum(hashtextextended(xmin::text, objoid::bigint)) FROM pg_description
    WHERE classoid = 'pg_namespace'::regclass AND objoid < 16384
    UNION ALL SELECT sum(hashtextextended(xmin::text, objid::bigint)) FROM pg_depend
    WHERE classid = 'pg_class'::regclass AND objid >= 16384) AS catalogue"""
)


def read_version(connection: Connection) -> str:
    """A number that stays the same while nothing is written to this database's catalogue.

    It is another one after a dump, and after what changes no schema: a temporary table, TRUNCATE, REINDEX.
    """
    return str(connection.scalar(_VERSION))
