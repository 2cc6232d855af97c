"""A table is changed in the transaction that wrote its rows, also where their checks are deferred to its end."""

import psycopg
import pytest

from tests.alembic_online.project import Project

TABLES = """
    CREATE TABLE site (id int PRIMARY KEY);
    CREATE TABLE post (id int PRIMARY KEY, site int REFERENCES site DEFERRABLE INITIALLY DEFERRED,
      place int UNIQUE DEFERRABLE INITIALLY DEFERRED, other int REFERENCES site DEFERRABLE);
    CREATE TABLE part (id int, site int REFERENCES site DEFERRABLE INITIALLY DEFERRED) PARTITION BY LIST (id);
    CREATE TABLE part_1 PARTITION OF part FOR VALUES IN (1);
    CREATE FUNCTION look() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NULL; END $$;
    CREATE FUNCTION fill() RETURNS void LANGUAGE sql AS $$ UPDATE post SET site = 1 $$;
    CREATE TABLE seen (id int);
    CREATE CONSTRAINT TRIGGER look AFTER INSERT ON seen DEFERRABLE INITIALLY DEFERRED
      FOR EACH ROW EXECUTE FUNCTION look();
    INSERT INTO site VALUES (1);
    INSERT INTO post (id) VALUES (1), (2)
"""
NOT_NULL = 'op.alter_column("post", "site", nullable=False)'
SITE = "INSERT INTO site VALUES (5)"
CASES = {
    "a foreign key": (["UPDATE post SET site = 1"], [NOT_NULL]),
    "the table that it refers to": (["UPDATE site SET id = 2"], ['op.execute("ALTER TABLE site ADD n int")']),
    "an index": (["UPDATE post SET site = 1"], ['op.create_index("ix", "post", ["site"])']),
    "a unique constraint": (["UPDATE post SET place = id"], ['op.execute("ALTER TABLE post ADD n int")']),
    "a trigger": (["INSERT INTO seen VALUES (1)"], ['op.drop_table("seen")']),
    "a partition": (["INSERT INTO part VALUES (1, 1)"], ['op.execute("ALTER TABLE part ADD n int")']),
    "a function": (["SELECT fill()"], [NOT_NULL]),
    "two tables": (["UPDATE post SET site = 1", "INSERT INTO part VALUES (1, 1)"], [NOT_NULL, 'op.drop_table("part")']),
    "deferred by the revision": (
        ["SET CONSTRAINTS ALL DEFERRED", "UPDATE post SET other = 1"],
        [NOT_NULL[:-6] + "True)"],
    ),
    "a row that is right in the end": (["INSERT INTO post VALUES (5, 5)", "ALTER TABLE seen ADD n int", SITE], []),
    "and one after the change": (
        ["UPDATE post SET site = 1", "ALTER TABLE post ADD n int", "INSERT INTO post VALUES (5, 5)", SITE],
        [],
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_the_checks_are_made_before_it(project: Project, database: str, case: str) -> None:
    rows, changes = CASES[case]
    with psycopg.connect(database, autocommit=True) as session:
        session.execute(TABLES)
    project.revision("001_a", upgrade="\n    ".join([*(f'op.execute("{sql}")' for sql in rows), *changes]))
    project.alembic(database, "upgrade", "head")


def test_a_row_that_breaks_one_is_said(project: Project, database: str) -> None:
    with psycopg.connect(database, autocommit=True) as session:
        session.execute(TABLES)
    project.revision("001_a", upgrade=f'op.execute("UPDATE post SET site = 7")\n    {NOT_NULL}')
    code, stderr = project.alembic.having().refused(database, "upgrade", "head")
    assert (code, "violates foreign key constraint" in stderr) == (18, True), stderr
