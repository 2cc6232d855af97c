"""Statements are tried on the server, all of them in one round trip; nothing of them stays."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import psycopg

# A block with a handler is a savepoint; what has gone well is taken back by an error of our own.
_TRY = """
DO $crucible$
DECLARE
    statements text[] := {statements};
    failed jsonb := '[]';
BEGIN
    FOR place IN 1 .. cardinality(statements) LOOP
        BEGIN
            EXECUTE statements[place];
            RAISE EXCEPTION USING ERRCODE = 'ZZ000';
        EXCEPTION
            WHEN SQLSTATE 'ZZ000' OR lock_not_available THEN NULL;  -- which waits for an instant
            WHEN OTHERS THEN failed := failed || jsonb_build_array(jsonb_build_array(place - 1, SQLSTATE, SQLERRM));
        END;
    END LOOP;
    PERFORM set_config('crucible.failed', failed::text, false);
END $crucible$
"""


@dataclass(frozen=True)
class Failure:
    """A statement, by its place in the list."""

    place: int
    sqlstate: str
    words: str


def failures(session: psycopg.Connection[Any], statements: Sequence[str]) -> Iterator[Failure]:
    """Those that fail there now; the session is in autocommit. Who waits longer than its `lock_timeout` passes."""
    if not statements:
        return
    listed = ", ".join(f"$one${statement}$one$" for statement in statements)
    session.execute(_TRY.replace("{statements}", f"ARRAY[{listed}]").encode())
    found = session.execute("SELECT current_setting('crucible.failed')").fetchone()
    for place, sqlstate, words in json.loads(found[0] if found else "[]"):
        yield Failure(place, sqlstate, words)
