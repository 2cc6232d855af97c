"""One file a kind of object: the lines that create, drop and alter it.

A writer is asked by `plan.py`, which knows the order. It reads nothing but the two catalogues, so that the way back is
written by the same code.
"""

from src.postgres.catalogue import CatalogueObject, Kind
from src.safety.autogenerate.cannot_write import CannotWrite
from src.safety.autogenerate.writers.columns import ColumnWriter
from src.safety.autogenerate.writers.constraints import ConstraintWriter
from src.safety.autogenerate.writers.indexes import IndexWriter
from src.safety.autogenerate.writers.sequences import SequenceWriter
from src.safety.autogenerate.writers.tables import TableWriter
from src.safety.autogenerate.writers.view_columns import ViewColumnWriter
from src.safety.autogenerate.writers.writer import Writer

_WRITERS: dict[Kind, Writer] = {
    Kind.SEQUENCE: SequenceWriter(),
    Kind.TABLE: TableWriter(),
    Kind.COLUMN: ColumnWriter(),
    Kind.CONSTRAINT: ConstraintWriter(),
    Kind.INDEX: IndexWriter(),
}
# What is altered by another word than in a table.
_WRITERS_OF_PARTS: dict[tuple[Kind, Kind], Writer] = {
    (Kind.COLUMN, Kind.VIEW): ViewColumnWriter(),
    (Kind.COLUMN, Kind.MATERIALIZED_VIEW): ViewColumnWriter(),
}


def writer_of(entry: CatalogueObject) -> Writer:
    """The writer of this object.

    Raises:
        CannotWrite: there is none for its kind.
    """
    if entry.parent is not None and (entry.kind, entry.parent.kind) in _WRITERS_OF_PARTS:
        return _WRITERS_OF_PARTS[entry.kind, entry.parent.kind]
    if entry.kind not in _WRITERS:
        raise CannotWrite(entry.identity, "autogenerate has no words for it")
    return _WRITERS[entry.kind]
