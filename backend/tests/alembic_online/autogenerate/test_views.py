"""Views and materialized views, declared or in SQLAlchemy's own words, and what lies under them."""

from sqlalchemy import Connection

from tests.alembic_online.autogenerate.case import Case, cases, prove


def t(columns: str = 'Column("a", String(50)), Column("b", Integer)') -> str:
    return f'Table("t", m, {columns})'


def on_t(*statements: str, columns: str = 'Column("a", String(50)), Column("b", Integer)') -> str:
    return f"{t(columns)}\ndeclare(m, {', '.join(f'SQLObject({statement!r})' for statement in statements)})"


VIEW = "CREATE VIEW v AS SELECT a FROM t"
OVER = "CREATE VIEW w AS SELECT a || '!' AS a FROM v"
TEXT = 'Column("a", Text), Column("b", Integer)'
REPLACE, DROP = "CREATE OR REPLACE VIEW v AS", "DROP VIEW v"


@cases(
    Case("one comes", t(), on_t(VIEW), ["CREATE VIEW v AS"], [DROP]),
    Case("with its table", "", on_t(VIEW), ["op.create_table(", "CREATE VIEW"], [DROP, "op.drop_table("]),
    Case(
        "in SQLAlchemy's words",
        t(),
        't = Table("t", m, Column("a", String(50)), Column("b", Integer))\n'
        'CreateView(select(t.c.a).where(t.c.b > 0), "v", metadata=m)',
        ["CREATE VIEW v AS"],
        [DROP],
    ),
    Case(
        "materialized, in SQLAlchemy's words",
        t(),
        't = Table("t", m, Column("a", String(50)), Column("b", Integer))\n'
        'CreateView(select(t.c.a), "v", materialized=True, metadata=m)',
    ),
    Case("another condition", on_t(VIEW), on_t(f"{VIEW} WHERE b > 0"), [REPLACE]),
    Case(
        "a column more at the end",
        on_t(VIEW),
        on_t(VIEW.replace("a FROM", "a, b FROM")),
        [REPLACE],
        [DROP, "CREATE VIEW"],
    ),
    Case("a column more at the start", on_t(VIEW), on_t(VIEW.replace("a FROM", "b, a FROM")), [DROP, "CREATE VIEW"]),
    Case("a column of another name", on_t(VIEW), on_t(VIEW.replace("a FROM", "a AS z FROM"))),
    Case("a column of another type", on_t(VIEW), on_t(VIEW.replace("a FROM", "a::text AS a FROM"))),
    Case("a view on a view", on_t(VIEW), on_t(VIEW, OVER)),
    Case("a view on a view that is rebuilt", on_t(VIEW, OVER), on_t(VIEW.replace("a FROM", "b, a FROM"), OVER)),
    Case("called the other way round", "", on_t(VIEW.replace(" v ", " z "), OVER.replace("FROM v", "FROM z"))),
    Case(
        "a column under it gets another type",
        on_t(VIEW, OVER),
        on_t(VIEW, OVER, columns=TEXT),
        [DROP, "op.alter_column(", "CREATE"],
    ),
    Case(
        "a column under it goes",
        on_t(VIEW.replace("a FROM", "a, b FROM")),
        on_t(VIEW, columns='Column("a", String(50))'),
    ),
    Case(
        "a column comes under it",
        on_t(VIEW),
        on_t(VIEW.replace("a FROM", "a, c FROM"), columns=TEXT.replace("Text", "String(50)") + ', Column("c", Text)'),
    ),
    Case(
        "from one table to another",
        on_t(VIEW),
        'Table("u", m, Column("a", String(50)))\ndeclare(m, SQLObject("CREATE VIEW v AS SELECT a FROM u"))',
    ),
    Case(
        "the table goes, the view stays",
        on_t("CREATE VIEW v AS SELECT a FROM t"),
        'declare(m, SQLObject("CREATE VIEW v AS SELECT NULL::varchar(50) AS a"))',
        [REPLACE, "op.drop_table("],
    ),
    Case(
        "with options",
        t(),
        on_t("CREATE VIEW v WITH (security_barrier, security_invoker) AS SELECT a FROM t WITH LOCAL CHECK OPTION"),
    ),
    Case(
        "options change",
        on_t(VIEW),
        on_t(VIEW.replace(" AS", " WITH (security_invoker) AS", 1)),
        ["ALTER VIEW v SET ("],
        ["RESET"],
    ),
    Case(
        "a comment, a default, a grant",
        on_t(VIEW),
        on_t(
            VIEW,
            "COMMENT ON VIEW v IS 'x'",
            "COMMENT ON COLUMN v.a IS 'y'",
            "ALTER VIEW v ALTER a SET DEFAULT 'z'",
            "GRANT SELECT ON v TO pg_monitor",
            "GRANT UPDATE (a) ON v TO PUBLIC",
        ),
    ),
    Case(
        "rebuilt with comment, default, grants and trigger",
        on_t(
            VIEW,
            "COMMENT ON COLUMN v.a IS 'y'",
            "GRANT SELECT ON v TO pg_monitor",
            "CREATE RULE r AS ON DELETE TO v DO INSTEAD NOTHING",
        ),
        on_t(
            VIEW,
            "COMMENT ON COLUMN v.a IS 'y'",
            "GRANT SELECT ON v TO pg_monitor",
            "CREATE RULE r AS ON DELETE TO v DO INSTEAD NOTHING",
            columns=TEXT,
        ),
    ),
    Case("recursive", t(), on_t("CREATE RECURSIVE VIEW v (n) AS SELECT 1 UNION ALL SELECT n + 1 FROM v WHERE n < 5")),
    Case(
        "with texts of every sort",
        t(),
        on_t('CREATE VIEW v AS SELECT \':x\' AS "A b", \'100%\' AS "it\'s", E\'\\\\:y\' AS """q""", a::text FROM t'),
    ),
    Case("becomes a table", on_t("CREATE VIEW v AS SELECT a FROM t"), t() + '\nTable("v", m, Column("a", String(50)))'),
    Case("becomes a materialized view", on_t(VIEW), on_t(VIEW.replace("VIEW", "MATERIALIZED VIEW"))),
)
def test_views(transaction: Connection, case: Case) -> None:
    assert prove(transaction, case)


MATERIALIZED = "CREATE MATERIALIZED VIEW v AS SELECT a, b FROM t"
UNIQUE = "CREATE UNIQUE INDEX uq ON v (a)"


@cases(
    Case(
        "one comes with its index",
        t(),
        on_t(MATERIALIZED, UNIQUE),
        ["CREATE MATERIALIZED VIEW v AS", "op.create_index(op.f('uq'), 'v'"],
    ),
    Case("an index comes", on_t(MATERIALIZED), on_t(MATERIALIZED, UNIQUE)),
    Case(
        "another query, and the index is there again",
        on_t(MATERIALIZED, UNIQUE),
        on_t(f"{MATERIALIZED} WHERE b > 0", UNIQUE),
    ),
    Case("a column under it gets another type", on_t(MATERIALIZED, UNIQUE), on_t(MATERIALIZED, UNIQUE, columns=TEXT)),
    Case("without data", t(), on_t(f"{MATERIALIZED} WITH NO DATA"), ["WITH NO DATA"]),
    Case(
        "filled",
        on_t(f"{MATERIALIZED} WITH NO DATA"),
        on_t(MATERIALIZED),
        ["REFRESH MATERIALIZED VIEW v"],
        ["WITH NO DATA"],
    ),
    Case("with options", t(), on_t(MATERIALIZED.replace(" AS", " WITH (fillfactor = 70) AS", 1))),
    Case("options change", on_t(MATERIALIZED), on_t(MATERIALIZED, "ALTER MATERIALIZED VIEW v SET (fillfactor = 70)")),
    Case(
        "a comment, statistics, a grant",
        on_t(MATERIALIZED),
        on_t(
            MATERIALIZED,
            "COMMENT ON MATERIALIZED VIEW v IS 'x'",
            "ALTER MATERIALIZED VIEW v ALTER a SET STATISTICS 7",
            "GRANT SELECT ON v TO pg_monitor",
        ),
    ),
    Case("on a view", on_t(VIEW), on_t(VIEW, "CREATE MATERIALIZED VIEW w AS SELECT a FROM v")),
)
def test_materialized_views(transaction: Connection, case: Case) -> None:
    assert prove(transaction, case)
