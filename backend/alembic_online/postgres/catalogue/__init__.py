"""The catalogue: everything a PostgreSQL database (16 to 18) holds of its schema, and how two of them differ, in words.

    before = read_catalogue(connection)
    ...
    print(describe(compare(before, read_catalogue(connection))))

`read.py` asks one query a family (`tables.py`, `columns.py`, ...), `model.py` is what comes out, `compare.py` finds the
differences and `words.py` says them. Names, types and definitions are PostgreSQL's own texts, fully qualified.
Not in it: data, sizes, statistics, positions of sequences, object ids; user mappings and subscriptions (passwords);
roles, tablespaces and settings of databases and roles, which are not this schema's; large objects; security labels;
access methods, languages, transforms, conversions, text search parsers and templates, which take C code or a superuser.
"""

from alembic_online.postgres.catalogue.attributes import Attribute
from alembic_online.postgres.catalogue.compare import Difference, compare, describe
from alembic_online.postgres.catalogue.model import Catalogue, CatalogueObject, Identity, Kind, Value
from alembic_online.postgres.catalogue.read import prepare_to_read, read_catalogue, read_namespaces
from alembic_online.postgres.catalogue.session import stay_neutral

__all__ = [
    "Attribute",
    "Catalogue",
    "CatalogueObject",
    "Difference",
    "Identity",
    "Kind",
    "Value",
    "compare",
    "describe",
    "prepare_to_read",
    "read_catalogue",
    "read_namespaces",
    "stay_neutral",
]
