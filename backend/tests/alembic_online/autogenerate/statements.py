"""Statements beside the models, for the tests of what models cannot say."""

BODY = "BEGIN\n    -- it's \"quoted\": %s, :name, \\:x, \\d\n    RAISE NOTICE '100%%';   \n\n\tRETURN NEW;\nEND"
TOUCH = f"CREATE FUNCTION touch() RETURNS trigger LANGUAGE plpgsql AS $$\n{BODY}\n$$"


def sql(*statements: str, table: bool = False) -> str:
    """Statements beside the models, and a table."""
    made = 'Table("t", m, Column("a", Integer), Column("b", Integer))\n' if table else ""
    return f"{made}declare(m, {', '.join(f'SQLObject({statement!r})' for statement in statements)})"


def on_t(*statements: str) -> str:
    """Statements beside a table."""
    return sql(*statements, table=True)
