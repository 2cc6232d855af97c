"""Promise: what a revision sets for its transaction holds to the end that it has with plain Alembic."""

import psycopg
import pytest

from tests.alembic_online.project import Project
from tests.alembic_online.recipes.cases import BOOKS, Case
from tests.alembic_online.recipes.conftest import Direct, directly, the_way_up_converges, write
from tests.alembic_online.recipes.interruption import PATIENT
from tests.alembic_online.recipes.state import read_state, same

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
