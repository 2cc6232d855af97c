"""Tables."""

from sqlalchemy import Connection

from tests.safety.autogenerate.case import Case, cases, prove


@cases(
    Case(
        "a table comes",
        "",
        'Table("t", m, Column("id", Text, primary_key=True))',
        ["op.create_table('t'"],
        ["op.drop_table('t')"],
    ),
    Case(
        "a table with a check comes",
        "",
        'Table("t", m, Column("a", Text, server_default="it\'s"), CheckConstraint("length(a) > 2"))',
    ),
)
def test_table(transaction: Connection, case: Case) -> None:
    prove(transaction, case)
