"""Server defaults: every sort comes and goes, and is written as a developer would."""

from sqlalchemy import Connection

from tests.alembic_online.autogenerate.case import Case, cases, prove


def _t(*columns: str) -> str:
    """A table `t` of columns."""
    return f"Table('t', m, {', '.join(columns)})\n"


def _default(type_: str, default: str) -> str:
    return _t(f"Column('a', {type_}, server_default={default})")


def _defaults() -> list[Case]:
    """Defaults of all kinds, from none and from another; with what stands in the file."""
    given = [
        ("String", "'it\\'s'", '"it\'s"'),
        ("String", "''", "''"),
        ("String", "'100%'", "'100%'"),
        ("String", "'a:b :c ::d'", "'a:b :c ::d'"),
        ("String", "'back\\\\slash'", "sa.text("),
        ("String", "'a\\\\:b'", "sa.text("),
        ("String", "'two\\nlines'", "'two\\nlines'"),
        ("String", "text(\"'it''s'\")", '"it\'s"'),
        ("String", "func.lower('A')", "sa.text(\"lower('A'::text)\")"),
        ("String(3)", "'abc'", "'abc'"),
        ("CHAR(3)", "'abc'", "'abc'"),
        ("Text", '\'{"a": "it\\\'s"}\'', '\'{"a": "it\\\'s"}\''),
        ("Integer", "'0'", "sa.text('0')"),
        ("Integer", "text('-1')", "'-1'"),
        ("SmallInteger", "'5'", "'5'"),
        ("BigInteger", "text('5')", ""),
        ("Numeric(8, 2)", "'1.50'", "sa.text('1.50')"),
        ("Numeric(8, 2)", "text('1.5')", "sa.text('1.5')"),
        ("Float", "text('1e-3')", ""),
        ("Boolean", "true()", "sa.text('true')"),
        ("Boolean", "text('1 = 2')", "sa.text('(1 = 2)')"),
        ("JSON", '\'{"a": "it\\\'s :x %s"}\'', '\'{"a": "it\\\'s :x %s"}\''),
        ("JSONB", "'[]'", "'[]'"),
        ("JSONB", 'text("\'{\\"a\\"\\\\:1}\'")', "'{\"a\": 1}'"),
        ("ARRAY(Text)", "'{}'", "'{}'"),
        ("ARRAY(String(5))", "'{\"a,b\"}'", "'{\"a,b\"}'"),
        ("ARRAY(Text)", "text(\"ARRAY['a', 'b']\")", "sa.text(\"ARRAY['a'::text, 'b'::text]\")"),
        ("DateTime(timezone=True)", "func.now()", "sa.text('now()')"),
        ("DateTime(timezone=True)", "text('CURRENT_TIMESTAMP')", "sa.text('CURRENT_TIMESTAMP')"),
        ("DateTime", "text(\"timezone('utc', now())\")", "sa.text(\"timezone('utc'::text, now())\")"),
        ("DateTime", "'2026-01-02 03:04:05'", "'2026-01-02 03:04:05'"),
        ("Date", "'2026-01-02'", "'2026-01-02'"),
        ("Interval", "'1 day'", "'1 day'"),
        ("INTERVAL(fields='DAY TO SECOND', precision=0)", "'1 day'", ""),
        ("Uuid", "text('gen_random_uuid()')", "sa.text('gen_random_uuid()')"),
        ("LargeBinary", "text(\"'\\\\x00ff'\")", "sa.text("),
        ("BIT(3)", "text(\"B'101'\")", ""),
        ("INT4RANGE", "'[1,2)'", "'[1,2)'"),
        ("INET", "'10.0.0.1'", "'10.0.0.1'"),
        ("Enum('a', 'it\\'s', name='e')", "'it\\'s'", '"it\'s"'),
        ("ARRAY(Enum('a', 'b', name='e'))", "'{a,b}'", "'{a,b}'"),
    ]
    return [
        Case(
            f"{type_} {default}",
            _t(f"Column('a', {type_})"),
            _default(type_, default),
            [f"op.alter_column('t', 'a', server_default={written}"] if written else [],
            ["op.alter_column('t', 'a', server_default=None)"],
        )
        for type_, default, written in given
    ]


@cases(*_defaults())
def test_server_default(transaction: Connection, case: Case) -> None:
    assert prove(transaction, case)


def test_all_defaults_of_a_new_table(transaction: Connection) -> None:
    columns = [case.after.replace("Table('t', m, Column('a'", "").strip()[:-1] for case in _defaults()]
    table = _t(*(f"Column('c{number}'{column}" for number, column in enumerate(columns) if "Enum(" not in column))
    assert prove(transaction, Case("a table", "", table))
