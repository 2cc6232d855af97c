"""Triggers, rules and event triggers."""

from sqlalchemy import Connection

from tests.alembic_online.autogenerate.case import Case, cases, prove
from tests.alembic_online.autogenerate.statements import TOUCH, on_t, sql

TRIGGER = "CREATE TRIGGER tg BEFORE UPDATE ON t FOR EACH ROW EXECUTE FUNCTION touch()"
LATE = (
    "CREATE CONSTRAINT TRIGGER tg AFTER UPDATE ON t DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION touch()"
)


@cases(
    Case(
        "one comes with its function",
        on_t(),
        on_t(TOUCH, TRIGGER),
        ["CREATE FUNCTION", "CREATE TRIGGER tg"],
        ["DROP TRIGGER tg ON t", "DROP FUNCTION"],
    ),
    Case("everything comes", "", on_t(TOUCH, TRIGGER), ["op.create_table(", "CREATE FUNCTION", "CREATE TRIGGER"]),
    Case(
        "other events and columns",
        on_t(TOUCH, TRIGGER),
        on_t(TOUCH, TRIGGER.replace("UPDATE", "INSERT OR UPDATE OF a")),
        ["CREATE OR REPLACE TRIGGER"],
    ),
    Case(
        "a condition",
        on_t(TOUCH, TRIGGER),
        on_t(TOUCH, TRIGGER.replace("EXECUTE", "WHEN (OLD.a IS DISTINCT FROM NEW.a) EXECUTE")),
    ),
    Case("arguments", on_t(TOUCH, TRIGGER), on_t(TOUCH, TRIGGER.replace("touch()", "touch('it''s', ':x', '100%')"))),
    Case(
        "of statements, with transition tables",
        on_t(TOUCH),
        on_t(
            TOUCH,
            "CREATE TRIGGER tg AFTER UPDATE ON t REFERENCING OLD TABLE AS o NEW TABLE AS n"
            " FOR EACH STATEMENT EXECUTE FUNCTION touch()",
        ),
    ),
    Case(
        "another function, the old one goes",
        on_t(TOUCH, TRIGGER),
        on_t(TOUCH.replace("touch", "tap"), TRIGGER.replace("touch", "tap")),
        ["CREATE FUNCTION", "CREATE OR REPLACE TRIGGER", "DROP FUNCTION"],
    ),
    Case(
        "disabled",
        on_t(TOUCH, TRIGGER),
        on_t(TOUCH, TRIGGER, "ALTER TABLE t DISABLE TRIGGER tg"),
        ["DISABLE TRIGGER tg"],
        ["ENABLE TRIGGER tg"],
    ),
    Case(
        "always, and another definition",
        on_t(TOUCH, TRIGGER),
        on_t(TOUCH, TRIGGER.replace("UPDATE", "INSERT"), "ALTER TABLE t ENABLE ALWAYS TRIGGER tg"),
    ),
    Case("a constraint trigger", on_t(TOUCH), on_t(TOUCH, LATE), ["CREATE CONSTRAINT TRIGGER"]),
    Case(
        "becomes a constraint trigger",
        on_t(TOUCH, TRIGGER),
        on_t(TOUCH, LATE),
        ["DROP TRIGGER", "CREATE CONSTRAINT TRIGGER"],
    ),
    Case("a constraint trigger changes", on_t(TOUCH, LATE), on_t(TOUCH, LATE.replace("DEFERRED", "IMMEDIATE"))),
    Case("a comment", on_t(TOUCH, TRIGGER), on_t(TOUCH, TRIGGER, "COMMENT ON TRIGGER tg ON t IS 'x'")),
    Case(
        "its column goes",
        on_t(TOUCH, TRIGGER.replace("UPDATE", "UPDATE OF b")),
        'Table("t", m, Column("a", Integer))\n' + sql(TOUCH, TRIGGER),
    ),
    Case(
        "of a view",
        on_t(TOUCH, "CREATE VIEW v AS SELECT a FROM t"),
        on_t(
            TOUCH,
            "CREATE VIEW v AS SELECT a FROM t",
            "CREATE TRIGGER tg INSTEAD OF INSERT ON v FOR EACH ROW EXECUTE FUNCTION touch()",
        ),
    ),
    Case("its table goes", on_t(TOUCH, TRIGGER), sql(TOUCH), ["op.drop_table("]),
    Case(
        "a rule",
        on_t(),
        on_t("CREATE RULE r AS ON DELETE TO t WHERE OLD.a > 0 DO INSTEAD UPDATE t SET b = 0 WHERE a = OLD.a"),
    ),
    Case(
        "a rule changes and is disabled",
        on_t("CREATE RULE r AS ON DELETE TO t DO INSTEAD NOTHING"),
        on_t("CREATE RULE r AS ON DELETE TO t DO ALSO NOTHING", "ALTER TABLE t DISABLE RULE r"),
    ),
    Case(
        "an event trigger",
        "",
        sql(
            "CREATE FUNCTION ev() RETURNS event_trigger LANGUAGE plpgsql AS 'BEGIN END'",
            "CREATE EVENT TRIGGER watch ON ddl_command_end WHEN TAG IN ('CREATE TABLE') EXECUTE FUNCTION ev()",
        ),
    ),
)
def test_triggers_and_rules(transaction: Connection, case: Case) -> None:
    assert prove(transaction, case)
