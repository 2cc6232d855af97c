"""The forms of statements that may overtake what waits for the cut-over, or follow it: told by their text."""

from itertools import pairwise

from alembic_online.postgres.locks.reader import single, statements
from alembic_online.postgres.sql.tokens import Kind, tokens
from alembic_online.recipes.names import plain
from alembic_online.recipes.object_effects import last_part


def names_of(sql: str) -> set[str]:
    """Every word and name in it, plain; of a name with a dot of its own, also what `last_part` makes of it."""
    found = {plain(token.text) for token in tokens(sql) if token.kind in (Kind.WORD, Kind.QUOTED_NAME)}
    return found | {last_part(each) for each in found if "." in each}


def changes_schema(sql: str) -> bool:
    """Whether a table goes to another schema."""
    words = [token.keyword for token in tokens(sql)]
    return words[:2] == ["ALTER", "TABLE"] and ("SET", "SCHEMA") in pairwise(words)


def is_check_or_foreign_key(sql: str) -> bool:
    """Whether it adds one."""
    words = {token.keyword for token in tokens(sql)}
    return "ADD" in words and "CONSTRAINT" in words and bool(words & {"CHECK", "FOREIGN"})


def is_key(sql: str) -> bool:
    """Whether it adds one to a table, and does nothing else."""
    for reader in statements(sql):
        if not reader.accept("ALTER TABLE"):
            return False
        reader.accept_any("IF EXISTS", "ONLY")
        reader.name()
        actions = list(reader.split())
        if len(actions) != 1 or not actions[0].accept("ADD"):
            return False
        if actions[0].accept("CONSTRAINT"):
            actions[0].name()
        return actions[0].accept_any("PRIMARY KEY", "UNIQUE") is not None
    return False


def adopts_index(sql: str) -> bool:
    """Whether it makes an index of the same name a constraint."""
    words = [plain(token.text) for token in tokens(sql)]
    return is_key(sql) and "USING INDEX" in sql.upper() and words.count(words[-1]) > 1


def adds_column(sql: str) -> bool:
    """Whether it adds one to a table, with a default and not computed, and does nothing else."""
    for reader in statements(sql):
        if not reader.accept("ALTER TABLE"):
            return False
        reader.name()
        actions = list(reader.split())
        new = len(actions) == 1 and (actions[0].accept("ADD COLUMN"))
        return new and actions[0].has("DEFAULT") and not actions[0].has("GENERATED")
    return False


def sets_not_null(sql: str) -> bool:
    """Whether it makes a column NOT NULL, and does nothing else."""
    words = [token.keyword for token in tokens(sql)]
    return words[:2] == ["ALTER", "TABLE"] and words[-3:] == ["SET", "NOT", "NULL"] and words.count("ALTER") == 2


def renames_index(sql: str) -> bool:
    """Whether it gives an index another name, and does nothing else."""
    words = [token.keyword for token in tokens(sql)]
    return words[:2] == ["ALTER", "INDEX"] and words[-3:-1] == ["RENAME", "TO"]


def is_type_change(sql: str) -> bool:
    """Whether it gives a column of a table another type."""
    words = [token.keyword for token in tokens(sql)]
    return words[:2] == ["ALTER", "TABLE"] and words.count("ALTER") > 1 and "TYPE" in words


def retyped(sql: str) -> set[str]:
    """The columns, plain, that ALTER TABLE gives a type, whatever else it does."""
    found = set()
    for reader in statements(sql):
        if reader.accept("ALTER TABLE"):
            reader.altered()
            for action in reader.split():
                if action.accept("ALTER"):
                    action.accept("COLUMN")
                    column = plain(action.name())
                    found |= {column} if action.comes("TYPE", "SET DATA TYPE") else set()
    return found


def altered_column(sql: str) -> str:
    """That which the first action of ALTER TABLE alters, as SQL writes it."""
    for reader in statements(sql):
        if reader.skip_to("ALTER TABLE") and reader.skip_to("ALTER"):
            reader.accept("COLUMN")
            return reader.name()
    return ""


def updated(sql: str) -> str:
    """The relation that a plain UPDATE names, plain and without its schema; "" for any other statement."""
    (reader, *_) = statements(sql)
    if not reader.accept("UPDATE"):
        return ""
    reader.accept("ONLY")
    return last_part(plain(reader.name()))


def assigned(sql: str) -> set[str] | None:
    """The columns that a plain UPDATE sets, and maybe a few more; None for any other statement."""
    (reader, *others) = statements(sql)
    if others or not reader.accept("UPDATE") or not reader.skip_to("SET"):
        return None
    found: set[str] = set()
    for part in reader.split():
        # Of `tags[1]` and `address.city` the first name is the column. Behind WHERE and FROM there are commas too:
        # what is named there counts with the others.
        listed = list(part.parentheses().split()) or [part]
        found.update(plain(name) for each in listed for name in each.parts()[:1])
    return found or None


def makes_index(sql: str) -> bool:
    """Whether it makes an index that has a name, and does not say CONCURRENTLY itself."""
    reader = single(sql)
    if reader is None or not reader.accept_any("CREATE INDEX", "CREATE UNIQUE INDEX"):
        return False
    return not reader.comes("ON", "IF NOT EXISTS", "CONCURRENTLY")


def makes_on_columns(sql: str) -> bool:
    """Whether it makes a constraint or an index of columns that are there."""
    return is_check_or_foreign_key(sql) or is_key(sql) or makes_index(sql)


def locks_tables(sql: str) -> bool:
    """Whether it is LOCK TABLE: held to the end of its transaction, it is to come with what it is for."""
    found = list(statements(sql))
    return bool(found) and all(reader.accept("LOCK") for reader in found)
