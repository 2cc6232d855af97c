"""The identity of a partitioned table, which its partitions share from PostgreSQL 17 on."""

from sqlalchemy import Connection

from tests.alembic_online.autogenerate.case import Case, cases, prove

LOW, HIGH = "PARTITION OF log FOR VALUES FROM (0) TO (10)", "PARTITION OF log FOR VALUES FROM (10) TO (20)"
PARTS = f"CREATE TABLE low {LOW}; CREATE TABLE high {HIGH} PARTITION BY LIST (d)"
PARTS += "; CREATE TABLE part PARTITION OF high FOR VALUES IN (11)"
ALONE = PARTS.replace(LOW, "(id bigint {}, d integer)")


def log(id_: str = "", parts: str = PARTS, more: str = "") -> str:
    """A partitioned table; what the column `id` has, and SQL of its partitions."""
    made = f'Column("id", BigInteger{id_ and f", {id_}"}), {more}Column("d", Integer)'
    table = f'Table("log", m, {made}, postgresql_partition_by="RANGE (d)")'
    return table + "".join(f"\ndeclare(m, SQLObject({part!r}))" for part in parts.split("; "))


MINE = "Identity()"
ROWS = "INSERT INTO log (id, d) VALUES (1, 1), (2, 11)"


@cases(
    Case("it comes with the tables", "", log(MINE), ["sa.Identity(", "ATTACH PARTITION low"]),
    Case("it comes", log(), log(MINE), rows=ROWS, kept="SELECT id, d FROM log ORDER BY id"),
    Case("it goes", log(MINE), log(), rows=ROWS, kept="SELECT id, d FROM log ORDER BY id"),
    Case("other options", log(MINE), log("Identity(always=True, increment=5, cycle=True)")),
    Case(
        "a partition comes",
        log(MINE),
        log(MINE, f"{PARTS}; CREATE TABLE more {HIGH.replace('10', '30').replace('20', '40')}"),
    ),
    Case("other bounds", log(MINE), log(MINE, PARTS.replace("(0) TO", "(1) TO"))),
    Case("a table becomes a partition", log(MINE, ALONE.format("NOT NULL")), log(MINE)),
    Case("a table with an identity does", log(MINE, ALONE.format("GENERATED ALWAYS AS IDENTITY")), log(MINE), since=17),
    Case("a column with one comes", log(), log(more='Column("n", Integer, Identity(start=5)), ')),
    Case("another type", log(MINE), log(MINE).replace("BigInteger", "Integer")),
    Case("a default instead", log(MINE), log("server_default='3'")),
    Case(
        "instead of a sequence",
        "declare(m, SQLObject('CREATE SEQUENCE s'))\n" + log("server_default=text(\"nextval('s')\")"),
        log(MINE),
    ),
)
def test_an_identity_that_partitions_share(transaction: Connection, case: Case) -> None:
    assert prove(transaction, case)
