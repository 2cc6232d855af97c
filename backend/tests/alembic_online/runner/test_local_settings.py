"""Promise: what a revision sets for its transaction holds to the end that it has with plain Alembic."""

import psycopg
import pytest

from tests.alembic_online.project import Project
from tests.alembic_online.recipes.cases import BOOKS, Case
from tests.alembic_online.recipes.conftest import Direct, directly, the_way_up_converges, write
from tests.alembic_online.recipes.interruption import PATIENT
from tests.alembic_online.recipes.state import read_state, same
from tests.alembic_online.recipes.watch import watching

__all__ = ["directly"]

BEFORE = (
    BOOKS
    + """
    DO $$ BEGIN CREATE ROLE maker; EXCEPTION WHEN duplicate_object THEN NULL; END $$;
    CREATE SCHEMA shelf; CREATE SCHEMA makers AUTHORIZATION maker;
    ALTER TABLE books OWNER TO maker; GRANT CREATE ON SCHEMA public TO maker;
"""
)
SEEN = """op.execute("CREATE TABLE {} AS SELECT current_setting('app.tenant', true) AS tenant, current_user AS role,"
               " current_setting('app.user', true) AS who, current_setting('work_mem') AS memory")"""
KEPT = Case(
    "our own commits",
    f"""op.execute("SET LOCAL search_path TO shelf, public")
    op.execute("SET LOCAL app.tenant = '7'; SET LOCAL work_mem = '77MB'")
    op.execute("SELECT set_config('app.user', 'ann', true)")
    op.create_index("ix_pages", "books", ["pages"])
    {SEEN.format("seen")}
    op.execute("SET LOCAL ROLE maker")
    op.execute("SET LOCAL search_path TO makers, public")
    op.create_index("ix_title", "books", ["title"])
    {SEEN.format("seen_by_maker")}""",
    "pass",
    BEFORE,
)
ENDS = Case(
    "its own commits",
    f"""op.execute("SET LOCAL app.tenant = '7'")
    op.create_index("ix_pages", "books", ["pages"])
    op.get_bind().commit()
    {SEEN.format("after_commit")}
    op.execute("SET LOCAL app.tenant = '8'")
    op.create_index("ix_title", "books", ["title"])
    with op.get_context().autocommit_block():
        {SEEN.format("in_block")}
    {SEEN.format("after_block")}""",
    "pass",
    BEFORE,
)
TENANTS = (
    BOOKS
    + """
    ALTER TABLE books ADD PRIMARY KEY (id);
    CREATE SCHEMA tenant;
    CREATE TABLE tenant.books (LIKE books INCLUDING ALL);
    INSERT INTO tenant.books SELECT * FROM books;
    CREATE FUNCTION tenant.twice(integer) RETURNS integer LANGUAGE sql IMMUTABLE AS 'SELECT $1 * 2';
    CREATE TYPE tenant.state AS ENUM ('draft', 'open');
    CREATE TABLE tenant.tickets (id serial PRIMARY KEY, state tenant.state);
    INSERT INTO tenant.tickets (state) SELECT 'open' FROM generate_series(1, 50);
    CREATE SCHEMA other;
    CREATE TYPE other.state AS ENUM ('draft', 'open');
    CREATE TABLE other.tickets (id serial PRIMARY KEY, state other.state, day date);
    INSERT INTO other.tickets (state, day) SELECT 'draft', date '2026-02-01' + i FROM generate_series(1, 50) i;
"""
)
OF_TENANTS = [
    "INSERT INTO tenant.books (id, title, pages) VALUES (1000, 'new', 7) ON CONFLICT DO NOTHING",
    "INSERT INTO tenant.tickets (state) VALUES ('open')",
    "UPDATE other.tickets SET day = date '2026-03-04', state = 'open' WHERE id = 9",
]
IN_SCHEMA = Case(
    "a schema for the session",
    """op.execute("SET search_path TO tenant")
    op.add_column("books", sa.Column("n", sa.Integer(), server_default=sa.text("(random() * 0)::int + twice(2)")))
    op.add_column("books", sa.Column("m", sa.Integer()))
    op.backfill("books", {"m": "twice(id)"})
    op.alter_column("books", "pages", type_=sa.Text(), postgresql_using="twice(pages)::text")
    op.execute("RESET search_path")""",
    "pass",
    TENANTS,
)
EACH_SCHEMA = Case(
    "an enum replaced in each schema",
    """for schema in ("tenant", "other"):
        op.execute(f"SET LOCAL search_path TO {schema}, public")
        op.execute("ALTER TYPE state RENAME TO state_old")
        op.execute("CREATE TYPE state AS ENUM ('open', 'draft', 'new')")
        op.execute("ALTER TABLE tickets ALTER COLUMN state TYPE state USING state::text::state")
        op.execute("DROP TYPE state_old")""",
    "pass",
    TENANTS,
)
OF_APPLICATION = Case(
    "parameters of an application, and how a date is written",
    """op.execute("SET app.tenant = '7'")
    op.execute("SET datestyle TO german")
    op.get_bind().execute(sa.text("SELECT set_config('app.user', :name, true)"), {"name": "ann"})
    for name in ("tenant", "user"):
        default = sa.text(f"left(current_setting('app.{name}') || random(), {dict(tenant=1, user=3)[name]})")
        op.add_column("books", sa.Column(name, sa.Text(), server_default=default))
    op.alter_column("tickets", "day", schema="other", type_=sa.Text())
    op.execute("RESET datestyle")""",
    "pass",
    TENANTS,
)


@pytest.mark.parametrize("case", [IN_SCHEMA, EACH_SCHEMA, OF_APPLICATION], ids=str)
def test_it_counts_beside_the_revision_too(project: Project, database: str, directly: Direct, case: Case) -> None:
    up = directly.up(case)
    write(project, database, case)
    with watching(database, ["books", "tickets"], OF_TENANTS) as watch:
        project.alembic.having(**PATIENT)(database, "upgrade", "head")
    assert watch.failures == {}
    same(up, read_state(database))


@pytest.mark.parametrize("case", [KEPT, ENDS], ids=str)
def test_it_holds_over(project: Project, database: str, directly: Direct, case: Case) -> None:
    up = directly.up(case)
    write(project, database, case)
    project.alembic.having(**PATIENT)(database, "upgrade", "head")
    same(up, read_state(database))


@pytest.mark.prove
def test_it_is_set_again_by_who_goes_on(project: Project, database: str, directly: Direct) -> None:
    the_way_up_converges(project, database, KEPT, directly)


def test_the_next_revision_knows_nothing_of_it(project: Project, database: str) -> None:
    write(project, database, KEPT)
    project.revision("002_b", parent="001_a", upgrade=SEEN.format("later"))
    project.alembic.having(**PATIENT)(database, "upgrade", "head")
    with psycopg.connect(database) as session:
        assert session.execute("SELECT coalesce(tenant, ''), role = session_user FROM later").fetchone() == ("", True)
