"""An env.py with more in it than the template has: what its owner does there goes on to hold."""

from pathlib import Path

import pytest

from tests.alembic_online.own_project import OwnProject
from tests.alembic_online.shop import MODELS, STATE, SYNC, make_shop

pytestmark = pytest.mark.programs

# As Alembic's cookbook has it: "Rudimental Schema-Level Multi Tenancy for PostgreSQL Databases".
TENANT = SYNC.replace(
    "        context.configure(connection",
    """        tenant = context.get_x_argument(as_dictionary=True)["tenant"]
        connection.exec_driver_sql(f'SET search_path TO "{tenant}"')
        connection.commit()
        connection.dialect.default_schema_name = tenant
        context.configure(connection""",
)
# For the transaction that the revisions of plain Alembic run in.
LOCAL = SYNC.replace(
    "        with ",
    """        tenant = context.get_x_argument(as_dictionary=True)["tenant"]
        connection.exec_driver_sql(f'SET LOCAL search_path TO "{tenant}"')
        connection.dialect.default_schema_name = tenant
        with """,
)
TRANSLATED = SYNC.replace(
    "        context.configure(connection",
    """        tenant = context.get_x_argument(as_dictionary=True)["tenant"]
        connection = connection.execution_options(schema_translate_map={None: tenant})
        connection.exec_driver_sql(f'SET search_path TO "{tenant}"')
        connection.commit()
        OPTIONS["version_table_schema"] = tenant
        context.configure(connection""",
)
HOOK = """
from sqlalchemy import create_engine, event, make_url
from sqlalchemy.pool import NullPool
import psycopg

def engine_from_config(given, poolclass):
    engine = create_engine("postgresql+psycopg://nobody@localhost:1/none", poolclass=poolclass)

    @event.listens_for(engine, "do_connect")
    def with_token(dialect, record, arguments, parameters):
        real = make_url(URL)
        arguments, parameters = engine.dialect.create_connect_args(real)
        return engine.dialect.connect(*arguments, **parameters)

    return engine
"""
CREATOR = """
from sqlalchemy import create_engine
import psycopg

def engine_from_config(given, poolclass):
    address = URL.replace("postgresql+psycopg:", "postgresql:")
    return create_engine("postgresql+psycopg://", creator=lambda: psycopg.connect(address), poolclass=poolclass)
"""
ROLE = """
from sqlalchemy import engine_from_config as made, event, pool

def engine_from_config(given, poolclass):
    engine = made(given, poolclass=poolclass)

    @event.listens_for(engine, "connect")
    def take_role(connection, record):
        with connection.cursor() as cursor:
            cursor.execute("SET ROLE shop_owner")
        connection.commit()

    return engine
"""
IN_ATTRIBUTES = """
from sqlalchemy import create_engine, pool

connection = context.config.attributes.get("connection")
if connection is None:
    connection = create_engine(URL, poolclass=pool.NullPool).connect()
context.configure(connection=connection, target_metadata=target_metadata, **OPTIONS)
with context.begin_transaction():
    context.run_migrations()
"""
PASSED_IN = """
import os
from alembic import command
from alembic.config import Config
from sqlalchemy import create_engine

engine = create_engine(os.environ["DATABASE_URL"].replace("postgresql:", "postgresql+psycopg:"))
config = Config("alembic.ini")
with engine.begin() as connection:
    config.attributes["connection"] = connection
    command.upgrade(config, "head")
"""
LIMITS = SYNC.replace(
    "        context.configure(connection",
    """        connection.exec_driver_sql("SELECT pg_advisory_lock(7), set_config('lock_timeout', '3s', false)")
        connection.commit()
        context.configure(connection""",
).replace(
    "            context.run_migrations()\n\nif",
    """            context.run_migrations()
        print("LIMIT", connection.exec_driver_sql("SHOW lock_timeout").scalar())
        print("LOCK", connection.exec_driver_sql("SELECT pg_advisory_unlock(7)").scalar())

if""",
)


def own_engine(hook: str) -> str:
    """The template with an engine of the project's own."""
    return hook + SYNC.replace("from sqlalchemy import engine_from_config, pool", "from sqlalchemy import pool")


@pytest.mark.prove
@pytest.mark.parametrize(
    "shape",
    [
        pytest.param(TENANT, id="search_path"),
        pytest.param(LOCAL, id="search_path of a transaction"),
        pytest.param(TRANSLATED, id="schema_translate_map", marks=pytest.mark.prove),
    ],
)
def test_each_tenant_has_a_schema_of_its_own(tmp_path: Path, database: str, shape: str) -> None:
    shop = make_shop(tmp_path, database, shape)
    for tenant in ("plain", "red", "blue"):
        shop.execute(f"CREATE SCHEMA {tenant}")
    shop.alembic("-x", "tenant=plain", "upgrade", "head")
    shop.adopt()
    shop.alembic("-x", "tenant=red", "upgrade", "head")
    shop.alembic("-x", "tenant=blue", "upgrade", "1a2b")
    shop.execute("UPDATE blue.books SET title = 'of blue'")
    shop.alembic("-x", "tenant=blue", "upgrade", "head")
    state = [_of_tenant(shop, tenant) for tenant in ("plain", "red", "blue")]
    assert state[1] == state[0]
    assert state[2][1:] == state[0][1:]
    assert "of blue" in str(state[2][0])
    assert "of blue" not in str(state[1][0])
    shop.alembic("-x", "tenant=red", "check")
    shop.alembic("-x", "tenant=red", "downgrade", "base")
    assert shop.ask("SELECT to_regclass('red.books'), to_regclass('blue.books')::text") == [(None, "blue.books")]


def _of_tenant(shop: OwnProject, tenant: str) -> tuple[object, ...]:
    rows = STATE.replace("FROM books", f"FROM {tenant}.books").replace(
        "'books'::regclass", f"'{tenant}.books'::regclass"
    )
    rows = rows.replace("tablename = 'books'", f"tablename = 'books' AND schemaname = '{tenant}'")
    [found] = shop.ask(rows.replace("FROM alembic_version", f"FROM {tenant}.alembic_version"))
    return tuple(str(value).replace(f"{tenant}.", "") for value in found)


@pytest.mark.parametrize("hook", [HOOK, CREATOR], ids=["do_connect", "creator"])
def test_every_connection_is_the_engines(tmp_path: Path, database: str, hook: str) -> None:
    shop = make_shop(tmp_path, database, own_engine(hook))
    shop.alembic("upgrade", "head")
    plain = shop.ask(STATE)
    shop.alembic("downgrade", "base")
    shop.adopt()
    shop.alembic("upgrade", "head")
    assert shop.ask(STATE) == plain
    shop.alembic("check")
    models = shop.folder / "shop.py"
    models.write_text(MODELS.replace('Index("ix', 'CheckConstraint("pages > 0", name="more"), Index("ix'))
    shop.alembic("revision", "--autogenerate", "-m", "more")
    shop.alembic("upgrade", "head")
    shop.alembic("check")


HOOKS = """
def compare_type(context, found, model, found_type, model_type):
    print("TYPE", found.name, found_type, model_type)
    return False if model.info.get("any_type") else None

def compare_server_default(context, found, model, found_default, model_default, rendered):
    print("DEFAULT", found.name, found_default, rendered)
    return False if model.name == "pages" else None

OPTIONS = {"compare_type": compare_type, "compare_server_default": compare_server_default}
"""


@pytest.mark.prove
def test_what_the_project_calls_the_same_is_no_difference(tmp_path: Path, database: str) -> None:
    shop = make_shop(tmp_path, database, HOOKS + SYNC)
    shop.adopt()
    shop.alembic("upgrade", "head")
    models = shop.folder / "shop.py"
    other = MODELS.replace('"pages", Integer, server_default="7"', '"pages", Integer, server_default="8"')
    models.write_text(other.replace("String(200), ", "String(150), info={'any_type': True}, "))
    said = shop.alembic("check")
    assert "TYPE title VARCHAR(200) VARCHAR(150)" in said
    assert "DEFAULT pages 7 8" in said
    models.write_text(other.replace("String(200), ", "String(150), "))
    assert "title: type varchar(200) -> varchar(150)" in shop.alembic("check", code=20)
    env = shop.folder / "env.py"
    env.write_text(
        env.read_text().replace('OPTIONS = {"compare_type": compare_type', 'OPTIONS = {"compare_type": False')
    )
    shop.alembic("check")


def test_the_role_of_the_engine_owns_everything(tmp_path: Path, database: str) -> None:
    shop = make_shop(tmp_path, database, own_engine(ROLE))
    shop.execute("CREATE ROLE shop_owner")
    shop.execute("GRANT ALL ON SCHEMA public TO shop_owner")
    shop.adopt()
    shop.alembic("upgrade", "head")
    shop.alembic("check")
    owners = "SELECT DISTINCT pg_get_userbyid(relowner) FROM pg_class WHERE relnamespace = 'public'::regnamespace"
    assert shop.ask(owners) == [("shop_owner",)]


POOLED = """
import os
from alembic import command
from alembic.config import Config
from sqlalchemy import create_engine

SETTINGS = "SELECT name, setting FROM pg_settings WHERE source = 'session' AND setting <> reset_val ORDER BY name"
engine = create_engine(os.environ["DATABASE_URL"].replace("postgresql:", "postgresql+psycopg:"), pool_size=3)
config = Config("alembic.ini")
with engine.connect() as connection:
    connection.exec_driver_sql("SET statement_timeout = '1h'")
    connection.commit()
    config.attributes["connection"] = connection
    command.upgrade(config, "head")
    print("THEIRS", connection.exec_driver_sql(SETTINGS).all())
    print("LOCKS", connection.exec_driver_sql("SELECT * FROM pg_locks WHERE locktype = 'advisory'").all())
    with engine.connect() as second, engine.connect() as third:
        for each in (second, third):
            print("OTHERS", each.exec_driver_sql(SETTINGS).all())
"""


def test_the_sessions_of_a_pool_are_left_as_they_were(tmp_path: Path, database: str) -> None:
    shop = make_shop(tmp_path, database, IN_ATTRIBUTES)
    (tmp_path / "start.py").write_text(POOLED)
    shop.adopt()
    said = shop("start")
    assert "THEIRS [('statement_timeout', '3600000')]" in said
    assert said.count("OTHERS []") == 2
    assert "LOCKS []" in said  # else the next migration waits until the application ends
    assert shop.ask("SELECT count(*) FROM books") == [(1000,)]


def test_a_connection_of_the_application_is_used(tmp_path: Path, database: str) -> None:
    shop = make_shop(tmp_path, database, IN_ATTRIBUTES)
    (tmp_path / "start.py").write_text(PASSED_IN)
    shop("start")
    plain = shop.ask(STATE)
    shop.alembic("downgrade", "base")
    shop.adopt()
    shop("start")
    assert shop.ask(STATE) == plain


def test_a_lock_and_limits_of_the_project_are_kept(tmp_path: Path, database: str) -> None:
    shop = make_shop(tmp_path, database, LIMITS)
    shop.alembic("upgrade", "head")
    plain = shop.ask(STATE)
    shop.alembic("downgrade", "base")
    shop.adopt()
    said = shop.alembic("upgrade", "head")
    assert "LIMIT 3s\nLOCK True" in said
    assert shop.ask(STATE) == plain


@pytest.mark.prove
def test_folders_and_a_template_of_the_project_are_used(tmp_path: Path, database: str) -> None:
    shop = make_shop(tmp_path, database, options='{"template_args": {"author": "Ada"}}')
    (tmp_path / "more").mkdir()
    ini = (tmp_path / "alembic.ini").read_text()
    (tmp_path / "alembic.ini").write_text(f"{ini}\nversion_locations = %(here)s/versions:%(here)s/more\n")
    template = tmp_path / "script.py.mako"
    template.write_text(
        template.read_text().replace("from alembic import op", "from alembic import op  # by ${author}", 1)
    )
    shop.adopt()
    shop.alembic("upgrade", "head")
    models = shop.folder / "shop.py"
    models.write_text(MODELS.replace('Index("ix', 'CheckConstraint("pages > 0", name="more"), Index("ix'))
    shop.alembic("revision", "--autogenerate", "-m", "more", "--version-path", str(tmp_path / "more"))
    [written] = (tmp_path / "more").glob("*.py")
    assert "# by Ada" in written.read_text()
    shop.alembic("upgrade", "head")
    shop.alembic("check")
