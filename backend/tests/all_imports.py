"""What programs import at all, for the process that they are forked from."""

import gc
from importlib import import_module
from pkgutil import walk_packages

import psycopg
import rich.console

import alembic_online

assert psycopg, rich.console
for _module in walk_packages(alembic_online.__path__, "alembic_online."):
    if not _module.name.startswith(("alembic_online.testing", "alembic_online.__main__")):
        import_module(_module.name)

# A program that is forked from here leaves these objects alone: a collector that looks through them copies their pages.
gc.collect()
gc.freeze()
