"""As Flask-Migrate has it: the application's engine, and no revision where nothing has changed."""

import logging
from logging.config import fileConfig

from alembic import context
from app import create_app
from models import db

config = context.config
fileConfig(config.config_file_name)
logger = logging.getLogger("alembic.env")

app = create_app()
config.set_main_option("sqlalchemy.url", app.engine.url.render_as_string(hide_password=False).replace("%", "%%"))


def get_metadata():
    return db


def run_migrations_offline():
    url = config.get_main_option("sqlalchemy.url")
    context.configure(url=url, target_metadata=get_metadata(), literal_binds=True)

    with context.begin_transaction():
        context.run_migrations()


def run_migrations_online():
    def process_revision_directives(context, revision, directives):
        if getattr(config.cmd_opts, "autogenerate", False):
            script = directives[0]
            if script.upgrade_ops.is_empty():
                directives[:] = []
                logger.info("No changes in schema detected.")

    with app.engine.connect() as connection:
        context.configure(
            connection=connection,
            target_metadata=get_metadata(),
            process_revision_directives=process_revision_directives,
            compare_type=True,
        )

        with context.begin_transaction():
            context.run_migrations()


if context.is_offline_mode():
    run_migrations_offline()
else:
    run_migrations_online()
