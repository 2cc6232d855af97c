"""Extensions, schemas, policies, statistics, privileges and what else is declared beside the models."""

import pytest
from sqlalchemy import Connection

from alembic_online.autogenerate.cannot_write import CannotWrite
from alembic_online.autogenerate.context import Context
from alembic_online.autogenerate.diff import plan
from tests.alembic_online.autogenerate.case import Case, cases, prove, read
from tests.alembic_online.autogenerate.statements import on_t, sql

POLICY = "CREATE POLICY own ON t USING (a = 1)"


@cases(
    Case(
        "one comes",
        on_t(),
        on_t(POLICY),
        ["CREATE POLICY own ON t TO PUBLIC USING (", "a = 1"],
        ["DROP POLICY own ON"],
    ),
    Case("with row security and its table", "", on_t("ALTER TABLE t ENABLE ROW LEVEL SECURITY", POLICY)),
    Case(
        "for one command, roles, both expressions",
        on_t(),
        on_t(
            "CREATE POLICY p ON t AS RESTRICTIVE FOR UPDATE TO pg_monitor, CURRENT_USER USING (a > 0) WITH CHECK (true)"
        ),
    ),
    Case("another expression", on_t(POLICY), on_t(POLICY.replace("1", "2")), ["ALTER POLICY own ON t"]),
    Case(
        "an expression more",
        on_t(POLICY),
        on_t(f"{POLICY} WITH CHECK (b > 0)"),
        ["ALTER POLICY"],
        ["DROP POLICY", "CREATE POLICY"],
    ),
    Case(
        "another command",
        on_t(POLICY),
        on_t(POLICY.replace("USING", "FOR DELETE USING")),
        ["DROP POLICY", "CREATE POLICY"],
    ),
    Case("other roles", on_t(POLICY), on_t(POLICY.replace("USING", "TO pg_monitor USING")), ["TO pg_monitor"]),
    Case(
        "on another table's rows", on_t(), on_t("CREATE POLICY p ON t USING (EXISTS (SELECT FROM t x WHERE x.b = t.a))")
    ),
    Case(
        "on a function of ours",
        on_t(),
        on_t("CREATE FUNCTION f() RETURNS int LANGUAGE sql AS 'SELECT 1'", "CREATE POLICY p ON t USING (a = f())"),
        ["CREATE FUNCTION", "CREATE POLICY"],
    ),
    Case("a comment", on_t(POLICY), on_t(POLICY, "COMMENT ON POLICY own ON t IS ':x 100%'")),
    Case("its column gets another type", on_t(POLICY), on_t(POLICY).replace('"a", Integer', '"a", BigInteger')),
)
def test_policies(transaction: Connection, case: Case) -> None:
    assert prove(transaction, case)


STATISTICS = "CREATE STATISTICS st ON a, b FROM t"


@cases(
    Case(
        "some come",
        on_t(),
        on_t(STATISTICS),
        ["CREATE STATISTICS st ON a, b FROM t"],
        ["DROP STATISTICS st"],
    ),
    Case("of other kinds", on_t(STATISTICS), on_t(STATISTICS.replace(" ON", " (mcv, ndistinct) ON"))),
    Case("of an expression", on_t(), on_t("CREATE STATISTICS st ON (a + b) FROM t")),
    Case(
        "a target and a comment",
        on_t(STATISTICS),
        on_t(STATISTICS, "ALTER STATISTICS st SET STATISTICS 7", "COMMENT ON STATISTICS st IS 'x'"),
    ),
    Case("made with a target", "", on_t(STATISTICS, "ALTER STATISTICS st SET STATISTICS 7")),
    Case("in another schema", on_t(), on_t("CREATE SCHEMA s", "CREATE STATISTICS s.st ON a, b FROM t")),
    Case(
        "a column of theirs goes",
        on_t("CREATE STATISTICS st ON (a + b), a FROM t"),
        'Table("t", m, Column("a", Integer))',
    ),
)
def test_statistics(transaction: Connection, case: Case) -> None:
    assert prove(transaction, case)


@cases(
    Case("an extension", "", 'declare(m, Extension("vector"))', ["CREATE EXTENSION vector"], ["DROP EXTENSION vector"]),
    Case(
        "with a column of its type",
        "",
        'declare(m, Extension("vector"))\nTable("t", m, Column("a", VECTOR(3)))',
        ["CREATE EXTENSION", "op.create_table("],
        ["op.drop_table(", "DROP EXTENSION"],
    ),
    Case(
        "in a schema of its own",
        "",
        sql("CREATE SCHEMA s", "CREATE EXTENSION vector SCHEMA s"),
        ["CREATE SCHEMA s", "CREATE EXTENSION vector SCHEMA s"],
    ),
    Case(
        "moves",
        sql("CREATE SCHEMA s", "CREATE EXTENSION vector"),
        sql("CREATE SCHEMA s", "CREATE EXTENSION vector SCHEMA s"),
        ["ALTER EXTENSION vector SET SCHEMA s"],
    ),
    Case(
        "a schema, granted",
        "",
        sql("CREATE SCHEMA s", "GRANT USAGE ON SCHEMA s TO pg_monitor"),
        ["GRANT USAGE ON SCHEMA s TO pg_monitor"],
    ),
    Case("a schema with quotes", "", sql('CREATE SCHEMA "My ""s"""', 'COMMENT ON SCHEMA "My ""s""" IS \'x\'')),
    Case(
        "a publication",
        on_t(),
        on_t(
            "CREATE PUBLICATION p FOR TABLE t (a) WHERE (a > 0), TABLES IN SCHEMA public".replace(
                " (a) WHERE", " WHERE"
            )
        ),
    ),
    Case(
        "a publication of columns where a function says so",
        on_t(),
        on_t("CREATE PUBLICATION p FOR TABLE t (a, b) WHERE (abs(a) > 1 OR b IS NULL) WITH (publish = 'insert')"),
    ),
    Case(
        "a column that a publication names gets another type",
        on_t("CREATE PUBLICATION p FOR TABLE t (a)", "CREATE PUBLICATION q FOR TABLE t WHERE (abs(a) > 1)"),
        on_t("CREATE PUBLICATION p FOR TABLE t (a)", "CREATE PUBLICATION q FOR TABLE t WHERE (abs(a) > 1)").replace(
            "Integer", "BigInteger"
        ),
        ["ALTER PUBLICATION p DROP TABLE", "op.alter_column(", "ALTER PUBLICATION p ADD TABLE"],
    ),
    Case(
        "a publication of a table with children",
        on_t("CREATE TABLE kid (c int) INHERITS (t)"),
        on_t("CREATE TABLE kid (c int) INHERITS (t)", "CREATE PUBLICATION p FOR TABLE t WHERE (a > 1)"),
        ["TABLE ONLY t where ("],
    ),
    Case(
        "a publication of a table that comes, and of one that goes",
        on_t("CREATE TABLE u (c int)", "CREATE PUBLICATION p FOR TABLE u"),
        on_t("CREATE TABLE v (c int)", "CREATE PUBLICATION p FOR TABLE t, v"),
        ["op.create_table('v'", "ALTER PUBLICATION p SET TABLE", "op.drop_table('u')"],
    ),
    Case("a publication becomes empty", on_t("CREATE PUBLICATION p FOR TABLE t"), on_t("CREATE PUBLICATION p")),
    Case(
        "far tables",
        "",
        sql(
            "CREATE FOREIGN DATA WRAPPER w OPTIONS (debug 'true')",
            "CREATE SERVER s TYPE 'x' VERSION '1' FOREIGN DATA WRAPPER w OPTIONS (host 'a''b')",
            "CREATE FOREIGN TABLE f (a int OPTIONS (name 'A') NOT NULL, b text COLLATE \"C\" DEFAULT 'x',"
            " CHECK (a > 0)) SERVER s OPTIONS (path '/x')",
            "COMMENT ON COLUMN f.a IS 'x'",
        ),
    ),
    Case(
        "a far table on another server",
        sql(
            "CREATE FOREIGN DATA WRAPPER w",
            "CREATE SERVER s FOREIGN DATA WRAPPER w",
            "CREATE FOREIGN TABLE f (a int) SERVER s",
            "CREATE VIEW v AS SELECT a FROM f",
        ),
        sql(
            "CREATE FOREIGN DATA WRAPPER w",
            "CREATE SERVER z FOREIGN DATA WRAPPER w",
            "CREATE FOREIGN TABLE f (a int) SERVER z",
            "CREATE VIEW v AS SELECT a FROM f",
        ),
    ),
    Case(
        "privileges to come",
        on_t(),
        on_t(
            "ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT SELECT ON TABLES TO pg_monitor",
            "ALTER DEFAULT PRIVILEGES REVOKE EXECUTE ON FUNCTIONS FROM PUBLIC",
        ),
    ),
    Case(
        "privileges that tables, views, functions and types come with",
        sql("ALTER DEFAULT PRIVILEGES GRANT INSERT ON TABLES TO pg_monitor")
        + "\nTable('kept', m, Column('a', Integer))",
        sql(
            "ALTER DEFAULT PRIVILEGES GRANT SELECT, INSERT ON TABLES TO pg_monitor",
            "ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT USAGE ON SEQUENCES TO PUBLIC",
            "ALTER DEFAULT PRIVILEGES REVOKE EXECUTE ON FUNCTIONS FROM PUBLIC",
            "ALTER DEFAULT PRIVILEGES REVOKE USAGE ON TYPES FROM PUBLIC",
            "CREATE TYPE e AS ENUM ('a')",
            "CREATE TYPE k AS (a e)",
            "CREATE DOMAIN d AS int",
        )
        + "\nTable('kept', m, Column('a', Integer)); Table('n', m, Column('id', Integer, primary_key=True))\n"
        + sql(
            "CREATE VIEW v AS SELECT id FROM n",
            "CREATE FUNCTION f() RETURNS int LANGUAGE sql RETURN 1",
            "CREATE FUNCTION g() RETURNS int LANGUAGE sql RETURN 1",
            "GRANT EXECUTE ON FUNCTION g() TO PUBLIC",
            "REVOKE INSERT ON v FROM pg_monitor",
        ),
        [
            "ALTER DEFAULT PRIVILEGES GRANT SELECT ON TABLES TO pg_monitor",
            "GRANT SELECT ON TABLE kept TO pg_monitor",
            "op.create_table('n'",
            "GRANT EXECUTE ON FUNCTION g() TO PUBLIC",
            "REVOKE INSERT ON TABLE v FROM pg_monitor",
        ],
    ),
    Case(
        "privileges to come, with a grant option",
        sql("ALTER DEFAULT PRIVILEGES GRANT USAGE ON SCHEMAS TO pg_monitor"),
        sql("ALTER DEFAULT PRIVILEGES GRANT USAGE ON SCHEMAS TO pg_monitor WITH GRANT OPTION"),
    ),
    Case(
        "a view granted by column, a sequence, a type",
        on_t("CREATE VIEW v AS SELECT a FROM t"),
        on_t(
            "CREATE VIEW v AS SELECT a FROM t",
            "CREATE SEQUENCE s",
            "GRANT SELECT (a) ON v TO PUBLIC",
            "GRANT USAGE ON SEQUENCE s TO pg_monitor",
        ),
    ),
)
def test_objects_beside_the_tables(transaction: Connection, case: Case) -> None:
    assert prove(transaction, case)


def test_an_index_that_was_never_finished_is_made_again(transaction: Connection) -> None:
    transaction.exec_driver_sql("CREATE TABLE t (a int); CREATE INDEX ix ON t (a)")
    wanted = read(transaction)
    transaction.exec_driver_sql("UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'ix'::regclass")
    broken = read(transaction)

    assert [str(line) for line in plan(Context(broken, wanted))] == [
        "op.drop_index(op.f('ix'), table_name='t')",
        "op.create_index(op.f('ix'), 't', ['a'])",
    ]
    assert plan(Context(wanted, broken)) == []


def test_a_grant_in_another_name_is_refused(transaction: Connection) -> None:
    transaction.exec_driver_sql(
        "CREATE TABLE t (a int); CREATE ROLE giver; GRANT SELECT ON t TO giver WITH GRANT OPTION"
    )
    before = read(transaction)
    transaction.exec_driver_sql("SET LOCAL ROLE giver; GRANT SELECT ON t TO pg_monitor; RESET ROLE")

    with pytest.raises(CannotWrite, match="PostgreSQL lets nobody grant in another's name"):
        plan(Context(before, read(transaction)))
