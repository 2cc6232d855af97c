"""Complete schemas in the manner of other people's projects, as data. One database can hold them all at once."""

import dataclasses
import datetime
import decimal
import enum
import typing
import uuid
from typing import Any

import pgvector.sqlalchemy
import sqlalchemy as sa
from sqlalchemy import MetaData, orm
from sqlalchemy.dialects import postgresql

from alembic_online.postgres import declared
from tests.alembic_online.autogenerate.unchanged import beside, core, of_the_orm

_MODULES = (sa.types, pgvector.sqlalchemy, sa, orm, postgresql, declared)
_NAMES: dict[str, Any] = {name: value for module in _MODULES for name, value in vars(module).items()}
_NAMES |= {module.__name__: module for module in (dataclasses, datetime, decimal, enum, typing, uuid)}
PLAIN = {**of_the_orm.MODELS, **core.MODELS, **beside.MODELS}
"""The code of each; `m` is the MetaData, `Base` the ORM's."""
ALL = {**PLAIN, **beside.NAMED}


def metadata_of(*names: str) -> MetaData:
    """These in one MetaData."""
    convention = beside.CONVENTION if beside.NAMED.keys() & set(names) else None
    metadata = MetaData(naming_convention=convention)
    for name in names:
        base = type("Base", (orm.DeclarativeBase,), {"metadata": metadata})
        exec(ALL[name], {**_NAMES, "__name__": "models", "m": metadata, "Base": base})
    return metadata
