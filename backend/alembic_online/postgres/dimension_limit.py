"""An index on vectors that have more dimensions than it can hold: which index, and the ways out (pgvector 0.8)."""

import re

from sqlalchemy.exc import DBAPIError

from alembic_online.postgres.sqlstate import server_message

_SAID = re.compile(r"column cannot have more than (?P<limit>\d+) dimensions for (?P<method>\w+) index")
_INDEX = re.compile(
    r"CREATE\s+INDEX\s+(?:CONCURRENTLY\s+)?(?:IF\s+NOT\s+EXISTS\s+)?(?P<name>\S+)\s+ON\s+(?:ONLY\s+)?(?P<table>\S+)",
    re.IGNORECASE,
)
_OF_HALFVEC = 4000


def note_dimension_limit(error: DBAPIError) -> None:
    """Add lines to the notes of `error` if that is what it says."""
    said, index = _SAID.search(server_message(error)), _INDEX.search(error.statement or "")
    if said is None or index is None:
        return
    limit, method = int(said["limit"]), said["method"]
    error.add_note(
        f"The index {index['name']} of the table {index['table']}: {method} takes up to {limit:,} dimensions here."
    )
    if limit < _OF_HALFVEC:
        error.add_note(f"Up to {_OF_HALFVEC:,}: index (column::halfvec(n)) with halfvec_..._ops, or make it a HALFVEC.")
    error.add_note("More: index (binary_quantize(column)::bit(n)) with bit_hamming_ops, or store fewer dimensions.")
