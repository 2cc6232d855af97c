"""What every table has in common: the names of its constraints, a UUID primary key and true timestamps."""

from datetime import datetime
from functools import partial
from typing import Any
from uuid import UUID

from sqlalchemy import ARRAY, TIMESTAMP, Double, FetchedValue, MetaData, Text, func
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, relationship

from alembic_online.postgres.declared import SQLObject, declare
from src.db.enums import enum_types
from src.db.uuid7 import uuid7

# A constraint without a name of ours gets one from PostgreSQL, which no later revision can rely on.
NAMING_CONVENTION = {
    "pk": "pk_%(table_name)s_%(column_0_N_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
}

# Nothing is loaded behind the reader's back: in an async session that would be an error anyway. Deleting the owner
# leaves what it owns to ON DELETE CASCADE, in the database.
belongs_to = partial(relationship, lazy="raise")
owns = partial(relationship, lazy="raise", cascade="all", passive_deletes=True)

SET_UPDATED_AT = SQLObject(
    """\
CREATE FUNCTION set_updated_at() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW.updated_at := now();
    RETURN NEW;
END
$$"""
)


def updated_at_trigger(table: str) -> SQLObject:
    """Keeps `updated_at` true for every UPDATE, also one in bulk or by hand."""
    return SQLObject(
        f"CREATE TRIGGER set_updated_at BEFORE UPDATE ON {table} FOR EACH ROW EXECUTE FUNCTION set_updated_at()"
    )


class Base(DeclarativeBase):
    """Base of all models: each gets `id`, `created_at`, `updated_at` and the trigger that keeps the last one."""

    metadata = MetaData(naming_convention=NAMING_CONVENTION)
    type_annotation_map = {  # noqa: RUF012 - SQLAlchemy declares it as an instance attribute
        str: Text(),
        float: Double(),
        datetime: TIMESTAMP(timezone=True),
        list[str]: ARRAY(Text()),
        **enum_types(),
    }
    # What the server fills in (defaults, updated_at) comes back with the INSERT or UPDATE itself: an attribute
    # fetched later, on access, would be I/O where an async session allows none.
    __mapper_args__ = {"eager_defaults": True}  # noqa: RUF012

    id: Mapped[UUID] = mapped_column(
        primary_key=True, default=uuid7, server_default=func.gen_random_uuid(), sort_order=-1
    )
    created_at: Mapped[datetime] = mapped_column(server_default=func.now(), sort_order=1)
    updated_at: Mapped[datetime] = mapped_column(
        server_default=func.now(), server_onupdate=FetchedValue(), sort_order=1
    )

    def __init_subclass__(cls, **kwargs: Any) -> None:
        """Declare the trigger of every table as it is mapped, so that no table can be forgotten."""
        super().__init_subclass__(**kwargs)
        if "__tablename__" in vars(cls):
            declare(cls.metadata, updated_at_trigger(cls.__tablename__))


declare(Base.metadata, SET_UPDATED_AT)
