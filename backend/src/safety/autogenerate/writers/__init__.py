"""One file a kind of object: the lines that create, drop and alter it.

A writer is asked by `plan.py`, which knows the order. It reads nothing but the two catalogues, so that the way back is
written by the same code.
"""

from src.postgres.catalogue import Kind
from src.safety.autogenerate.writers.columns import ColumnWriter
from src.safety.autogenerate.writers.constraints import ConstraintWriter
from src.safety.autogenerate.writers.indexes import IndexWriter
from src.safety.autogenerate.writers.tables import TableWriter
from src.safety.autogenerate.writers.writer import Writer

_WRITERS: dict[Kind, Writer] = {
    Kind.TABLE: TableWriter(),
    Kind.COLUMN: ColumnWriter(),
    Kind.CONSTRAINT: ConstraintWriter(),
    Kind.INDEX: IndexWriter(),
}


def writer_of(kind: Kind) -> Writer:
    """The writer of this kind of object."""
    return _WRITERS[kind]
