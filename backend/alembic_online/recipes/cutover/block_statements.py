"""The statements that a DO block writes out, so that their locks are known before it runs.

    DO $$ BEGIN IF NOT EXISTS (...) THEN ALTER TABLE t ADD COLUMN a int; END IF; END $$

Which of them are carried out, only the block knows; what it runs by EXECUTE or in a function stays unknown.
"""

from collections.abc import Iterator

from alembic_online.postgres.locks.reader import Reader, single, statements
from alembic_online.postgres.sql.tokens import Kind, Token, text_of, tokens
from alembic_online.recipes.object_effects import given_up

_EDGES = ("BEGIN", "THEN", "ELSE", "LOOP", "DECLARE")
"""After which a statement of the block begins."""
_PLAIN = ("ALTER TABLE", "CREATE", "COMMENT", "INSERT", "UPDATE", "DELETE")
_FRAME = ("IF", "ELSIF", "ELSEIF", "END", "EXCEPTION", "WHEN", "NULL", "RAISE", "RETURN")


def with_block_statements(sql: str) -> str:
    """`sql`, and behind it what its DO blocks write out."""
    return ";\n".join([sql, *(each for each, reader in _in_blocks(sql) if not reader.comes(*_FRAME))])


def all_in_block(sql: str) -> str | None:
    """The statements of one DO block, where they tell all that it does, and it gives up nothing that may come back
    below; None for anything else."""
    reader = single(sql)
    if reader is None or not reader.comes("DO"):
        return None
    inside = list(_in_blocks(sql))
    told = ";\n".join(each for each, reader in inside if reader.comes(*_PLAIN))
    known = all(reader.comes(*_PLAIN, *_FRAME) for _, reader in inside)
    return told if known and not any(given_up(told)) else None


def _in_blocks(sql: str) -> Iterator[tuple[str, Reader]]:
    for reader in statements(sql):
        if reader.accept("DO"):
            for token in reader.rest():
                if token.kind is Kind.STRING:
                    yield from _in_body(_unquoted(token.text))


def _in_body(body: str) -> Iterator[tuple[str, Reader]]:
    start: list[Token] = []
    for token in tokens(body):
        if token.kind is Kind.COMMENT:
            continue
        if token.text == ";" or token.keyword in _EDGES:
            if start:
                yield text_of(start, body), Reader(start)
            start = []
        else:
            start.append(token)
    if start:
        yield body[start[0].start :], Reader(start)


def _unquoted(body: str) -> str:
    if body.startswith("$"):
        tag = body[: body.index("$", 1) + 1]
        return body.removeprefix(tag).removesuffix(tag)
    return body[body.index("'") + 1 : -1].replace("''", "'")
