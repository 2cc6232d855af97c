"""A column of a domain that has a rule: PostgreSQL would rewrite the table for it, so a new one takes its place."""

import psycopg
import pytest

from tests.alembic_online.project import Project
from tests.alembic_online.recipes.cases import Case
from tests.alembic_online.recipes.conftest import Direct, both_ways_end_as_directly, the_way_up_converges, write
from tests.alembic_online.recipes.interruption import PATIENT
from tests.alembic_online.recipes.statements import statements

DOMAINS = """
    CREATE DOMAIN price AS numeric(8, 2) CHECK (VALUE >= 0); CREATE DOMAIN plain AS numeric;
    CREATE DOMAIN net AS price CONSTRAINT small CHECK (VALUE < 1e5);
"""
BOOKS = f"""{DOMAINS}
    CREATE TABLE books (id integer PRIMARY KEY, paid numeric DEFAULT 3 CHECK (paid <> -7), title text);
    INSERT INTO books SELECT i, i + 0.5, 'title ' || i FROM generate_series(1, 60) i;
    CREATE INDEX ix_paid ON books (paid DESC) WHERE paid > 3; CREATE VIEW sums AS SELECT sum(paid) FROM books;
"""
LOGS = f"""{DOMAINS}
    CREATE TABLE books (id integer PRIMARY KEY, paid numeric, title text) PARTITION BY RANGE (id);
    CREATE TABLE books_1 PARTITION OF books FOR VALUES FROM (1) TO (30); CREATE TABLE rest PARTITION OF books DEFAULT;
    INSERT INTO books SELECT i, i + 0.5, 'title ' || i FROM generate_series(1, 60) i; CREATE INDEX ON books (paid);
"""
PRICE = 'sa.dialects.postgresql.DOMAIN("price", sa.Numeric(8, 2), create_type=False)'
BEFORE = "from sqlalchemy.dialects import postgresql  # noqa: F401\n    "
GONE = 'op.drop_column("books", "net")'
BACK = 'op.execute("ALTER TABLE books ALTER paid TYPE numeric")'
CASES = [
    Case(
        "one that is new, with a default",
        f'{BEFORE}op.add_column("books", sa.Column("net", {PRICE}, server_default="7", nullable=False))',
        GONE,
        BOOKS,
    ),
    Case("one that is new, by hand", 'op.execute("ALTER TABLE books ADD IF NOT EXISTS net net")', GONE, BOOKS),
    Case(
        "one that becomes so, by an expression",
        f'{BEFORE}op.alter_column("books", "paid", type_={PRICE}, postgresql_using="paid * 2")',
        BACK,
        BOOKS,
    ),
    Case(
        "one that is new, of a table with partitions",
        f'{BEFORE}op.add_column("books", sa.Column("net", {PRICE}))',
        GONE,
        LOGS,
    ),
    Case(
        "one that becomes so, of a table with partitions",
        'op.execute("ALTER TABLE books ALTER paid TYPE net USING paid * 2")',
        BACK,
        LOGS,
    ),
]
every_case = pytest.mark.parametrize("case", CASES, ids=str)


@every_case
def test_it_ends_as_the_rewrite_does(project: Project, database: str, case: Case, directly: Direct) -> None:
    both_ways_end_as_directly(project, database, case, directly)


@pytest.mark.prove
@pytest.mark.parametrize("case", [CASES[4]], ids=str)
def test_it_converges_though_its_session_ends_around_every_step(
    project: Project, database: str, case: Case, directly: Direct
) -> None:
    the_way_up_converges(project, database, case, directly)


@pytest.mark.parametrize(
    ("upgrade", "is_new"),
    [
        (f'{BEFORE}op.add_column("books", sa.Column("net", {PRICE}, default=5, nullable=False))', True),
        (CASES[2].upgrade, True),
        ('op.execute("ALTER TABLE books ADD net plain")', False),
        ('op.execute("ALTER TABLE books ADD net national character varying(5)")', False),
    ],
)
def test_a_new_table_is_made_only_for_a_domain_with_a_rule(
    project: Project, database: str, upgrade: str, is_new: bool
) -> None:
    write(project, database, Case("", upgrade, "pass", BOOKS))
    with statements() as sent:
        project.alembic.having(**PATIENT)(database, "upgrade", "head")
    assert is_new == any("books__new.books" in each for each in sent)
    assert not is_new or not any(each.startswith("ALTER TABLE books ADD COLUMN") for each in sent)


def test_a_table_that_no_new_one_can_replace_is_refused_with_the_way_out(project: Project, database: str) -> None:
    with psycopg.connect(database, autocommit=True) as session:
        session.execute(f"{DOMAINS} CREATE TABLE books (id integer); INSERT INTO books VALUES (1)")
    project.revision("001_a", upgrade=f'{BEFORE}op.add_column("books", sa.Column("net", {PRICE}))')
    code, stderr = project.alembic.having(**PATIENT).refused(database, "upgrade", "head")
    assert (code, "it has no primary key" in stderr) == (18, True), stderr
    assert "with the rule as a CHECK of the table" in stderr
