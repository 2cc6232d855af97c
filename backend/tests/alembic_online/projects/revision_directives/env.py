"""Ids are counted, the message is the team's, and no empty revision is written."""

import os
from logging.config import fileConfig

from alembic import context
from alembic.script import ScriptDirectory
from models import Base
from sqlalchemy import engine_from_config, pool

config = context.config
fileConfig(config.config_file_name)
config.set_main_option(
    "sqlalchemy.url",
    os.environ["DATABASE_URL"].replace("postgresql://", "postgresql+psycopg://", 1).replace("%", "%%"),
)


def process_revision_directives(context, revision, directives):
    [script] = directives
    if getattr(config.cmd_opts, "autogenerate", False) and script.upgrade_ops.is_empty():
        directives.clear()
        return
    head = ScriptDirectory.from_config(config).get_current_head()
    script.rev_id = f"{int(head or 0) + 1:04}"
    script.message = f"kitchen: {script.message}"


with engine_from_config(config.get_section("alembic"), poolclass=pool.NullPool).connect() as connection:
    context.configure(
        connection=connection,
        target_metadata=Base.metadata,
        process_revision_directives=process_revision_directives,
        compare_server_default=True,
    )
    with context.begin_transaction():
        context.run_migrations()
