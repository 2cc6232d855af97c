"""Models with keys, for the tests of constraints."""

COLUMNS = 'Column("a", Text, nullable=False), Column("b", Text, nullable=False), Column("c", Text)'
A = 'Table("a", m, Column("x", Text), Column("y", Text), PrimaryKeyConstraint("x", "y"))\n'


def t(*constraints: str) -> str:
    """A table with three columns."""
    return f'Table("t", m, {", ".join((COLUMNS, *constraints))})'


def t_and_a(*constraints: str) -> str:
    """The same, beside a table with a key of two columns."""
    return A + t(*constraints)


def by_sql(*statements: str) -> str:
    """A constraint that SQLAlchemy has no word for."""
    return f"{t_and_a()}\ndeclare(m, {', '.join(f'SQLObject({statement!r})' for statement in statements)})"


def added(definition: str) -> str:
    """Both tables, and a constraint `k` on the first."""
    return by_sql(f"ALTER TABLE t ADD CONSTRAINT k {definition}")


PERIODS = 'Table("t", m, Column("r", INT4RANGE), Column("during", INT4RANGE))'


def periods(definition: str, *more: str) -> str:
    """A table whose constraint says WITHOUT OVERLAPS."""
    statements = (f"ALTER TABLE t ADD CONSTRAINT k {definition}", *more)
    return f"{PERIODS}\ndeclare(m, {', '.join(f'SQLObject({statement!r})' for statement in statements)})"
