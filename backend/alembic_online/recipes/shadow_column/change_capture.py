"""The trigger that keeps the new column in step with the old one, for every row that anybody writes meanwhile.

A value that the new type refuses is refused to nobody as long as the change may still fail: the new column is left
empty then. Shortly before the swap the trigger becomes strict, and one look finds what was left empty (`last_look`).
"""

from collections.abc import Iterator

from alembic_online.recipes.names import literal, qualified, quoted, temporary
from alembic_online.recipes.shadow_column.column import OldColumn
from alembic_online.recipes.step import Step

# PostgreSQL fires triggers in the order of their names: this one last, when the others have made the row what it is. A
# batch of the backfill is announced by a setting: of such a row nothing changes but the new column, whatever the other
# triggers have done to it (updated_at, say). It says which column, for a table may have two of them at a time.
_FUNCTION = """\
CREATE OR REPLACE FUNCTION {function}() RETURNS trigger LANGUAGE plpgsql{settings} AS $shadow$
#variable_conflict use_column
BEGIN
    IF TG_OP = 'UPDATE' AND current_setting('safety.backfill', true) = concat_ws(' ', TG_RELID, {name}) THEN
        NEW := OLD;
        {assignment};
        RETURN NEW;
    END IF;
    {of_clients};
    RETURN NEW;
END
$shadow$"""
# A value is converted as the migration would, whoever writes it: by what its search_path finds, and to the text that
# its settings give.
_SETTINGS = ("search_path", "datestyle", "intervalstyle", "timezone", "extra_float_digits", "bytea_output")
# What PostgreSQL says of a value: not of the type, against a rule, refused by a function, too large.
_LENIENT = """\
BEGIN
        {assignment};
    EXCEPTION WHEN data_exception OR integrity_constraint_violation OR plpgsql_error OR program_limit_exceeded THEN
        NEW.{new} := NULL;
    END"""


def function_name(column: OldColumn) -> str:
    """In the schema of the table."""
    return qualified(temporary(f"{column.relation}_{column.name}"), column.schema)


def trigger_name(column: OldColumn) -> str:
    """Sorts after all others."""
    return quoted(temporary(f"~{column.name}"))


def keep_in_step(column: OldColumn, using: str | None, *, lenient: bool) -> Iterator[Step]:
    """Make function and trigger. `lenient` leaves the new column empty where its type refuses what a client writes."""
    yield Step(sql=_made(column, using, lenient=lenient))
    for table in tables(column):
        yield from _trigger(table, trigger_name(column), function_name(column))


def become_lenient(column: OldColumn, using: str | None) -> str:
    """The statement; who is writing meanwhile may still be refused."""
    return _made(column, using, lenient=True)


def become_strict(column: OldColumn, using: str | None) -> Iterator[Step]:
    """In one transaction, whose lock waits for everybody who has written by the lenient one."""
    yield Step(sql=_made(column, using, lenient=False), with_next=True)
    *first, last = [f"ALTER TABLE {table} ENABLE ALWAYS TRIGGER {trigger_name(column)}" for table in tables(column)]
    yield from (Step(sql=statement, with_next=True) for statement in first)
    yield Step(sql=last)


def _made(column: OldColumn, using: str | None, *, lenient: bool) -> str:
    new = quoted(temporary(column.name))
    # As ALTER COLUMN TYPE converts: by assignment, or by what USING says about the row.
    row = f"(SELECT (NEW).*) AS {quoted(column.relation)}"
    assignment = f"SELECT ({using}) INTO NEW.{new} FROM {row}" if using else f"NEW.{new} := NEW.{column.quoted}"
    return _FUNCTION.format(
        function=function_name(column),
        settings="".join(f" SET {name} FROM CURRENT" for name in _SETTINGS),
        name=literal(temporary(column.name)),
        assignment=assignment,
        of_clients=_LENIENT.format(assignment=assignment, new=new) if lenient else assignment,
    )


def tables(column: OldColumn) -> list[str]:
    """Those that have the trigger: partitions get it from the table above, children do not (PostgreSQL 16 to 18)."""
    return [column.table] if column.partitioned else [each.table for each in column.family]


def drop(column: OldColumn) -> Iterator[str]:
    """Give it up."""
    yield from (f"DROP TRIGGER {trigger_name(column)} ON {table}" for table in tables(column))


def _trigger(table: str, name: str, function: str) -> Iterator[Step]:
    there = (
        f"SELECT EXISTS (SELECT FROM pg_trigger WHERE tgrelid = {literal(table)}::regclass"
        f" AND quote_ident(tgname) = {literal(name)})"
    )
    made = f"CREATE TRIGGER {name} BEFORE INSERT OR UPDATE ON {table} FOR EACH ROW EXECUTE FUNCTION {function}()"
    yield Step(sql=made, unless=there, with_next=True)
    # Also for rows that replication or a restore brings.
    yield Step(sql=f"ALTER TABLE {table} ENABLE ALWAYS TRIGGER {name}")
