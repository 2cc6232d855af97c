"""A database that others use too: what is compared is chosen by patterns, and by schema."""

import os
import re

from alembic import context
from models import metadata
from sqlalchemy import create_engine, pool

URL = os.environ["DATABASE_URL"].replace("postgresql://", "postgresql+psycopg://", 1)
NOT_OURS = re.compile(r"^(spatial_|tmp_|import_\d+$)")


def include_name(name, type_, parent_names):
    if type_ == "schema":
        return name in (None, "geo")
    return True


def include_object(object, name, type_, reflected, compare_to):
    if type_ == "table" and NOT_OURS.match(name):
        return False
    if type_ == "index" and reflected and name.endswith("_by_hand"):
        return False
    return not object.info.get("skip_autogenerate", False)


engine = create_engine(URL, poolclass=pool.NullPool)
with engine.connect() as connection:
    context.configure(
        connection=connection,
        target_metadata=metadata,
        include_schemas=True,
        include_name=include_name,
        include_object=include_object,
    )
    with context.begin_transaction():
        context.run_migrations()
