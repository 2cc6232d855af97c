"""One file a kind of object: the lines that create, drop and alter it.

A writer is asked by `diff.py`, which knows the order. It reads nothing but the two catalogues, so that the way back is
written by the same code.
"""

from alembic_online.autogenerate.cannot_write import CannotWrite
from alembic_online.autogenerate.writers.aggregates import AggregateWriter
from alembic_online.autogenerate.writers.collations import CollationWriter
from alembic_online.autogenerate.writers.columns import ColumnWriter
from alembic_online.autogenerate.writers.composites import AttributeWriter, CompositeWriter
from alembic_online.autogenerate.writers.constraints import ConstraintWriter
from alembic_online.autogenerate.writers.default_privileges import DefaultPrivilegesWriter
from alembic_online.autogenerate.writers.domains import DomainCheckWriter, DomainWriter
from alembic_online.autogenerate.writers.enums import EnumWriter
from alembic_online.autogenerate.writers.foreign_tables import ForeignTableWriter
from alembic_online.autogenerate.writers.indexes import IndexWriter
from alembic_online.autogenerate.writers.namespaces import ExtensionWriter, SchemaWriter
from alembic_online.autogenerate.writers.operators import (
    CastWriter,
    OperatorClassWriter,
    OperatorFamilyWriter,
    OperatorWriter,
)
from alembic_online.autogenerate.writers.policies import PolicyWriter, StatisticsWriter
from alembic_online.autogenerate.writers.publications import ForeignDataWrapperWriter, PublicationWriter, ServerWriter
from alembic_online.autogenerate.writers.ranges import BaseTypeWriter, RangeWriter
from alembic_online.autogenerate.writers.routines import RoutineWriter
from alembic_online.autogenerate.writers.sequences import SequenceWriter
from alembic_online.autogenerate.writers.tables import TableWriter
from alembic_online.autogenerate.writers.text_search import ConfigurationWriter, DictionaryWriter
from alembic_online.autogenerate.writers.triggers import EventTriggerWriter, RuleWriter, TriggerWriter
from alembic_online.autogenerate.writers.view_columns import ViewColumnWriter
from alembic_online.autogenerate.writers.views import MaterializedViewWriter, ViewWriter
from alembic_online.autogenerate.writers.writer import Writer
from alembic_online.postgres.catalogue import CatalogueObject, Kind

_WRITERS: dict[Kind, Writer] = {
    Kind.COLLATION: CollationWriter(),
    Kind.OPERATOR: OperatorWriter(),
    Kind.OPERATOR_FAMILY: OperatorFamilyWriter(),
    Kind.OPERATOR_CLASS: OperatorClassWriter(),
    Kind.CAST: CastWriter(),
    Kind.TEXT_SEARCH_DICTIONARY: DictionaryWriter(),
    Kind.TEXT_SEARCH_CONFIGURATION: ConfigurationWriter(),
    Kind.ENUM: EnumWriter(),
    Kind.DOMAIN: DomainWriter(),
    Kind.COMPOSITE: CompositeWriter(),
    Kind.RANGE: RangeWriter(),
    Kind.BASE_TYPE: BaseTypeWriter(),
    Kind.SEQUENCE: SequenceWriter(),
    Kind.TABLE: TableWriter(),
    Kind.COLUMN: ColumnWriter(),
    Kind.CONSTRAINT: ConstraintWriter(),
    Kind.INDEX: IndexWriter(),
    Kind.EXTENSION: ExtensionWriter(),
    Kind.SCHEMA: SchemaWriter(),
    Kind.FUNCTION: RoutineWriter(),
    Kind.PROCEDURE: RoutineWriter(),
    Kind.AGGREGATE: AggregateWriter(),
    Kind.DEFAULT_PRIVILEGES: DefaultPrivilegesWriter(),
    Kind.TRIGGER: TriggerWriter(),
    Kind.RULE: RuleWriter(),
    Kind.EVENT_TRIGGER: EventTriggerWriter(),
    Kind.VIEW: ViewWriter(),
    Kind.MATERIALIZED_VIEW: MaterializedViewWriter(),
    Kind.POLICY: PolicyWriter(),
    Kind.STATISTICS: StatisticsWriter(),
    Kind.PUBLICATION: PublicationWriter(),
    Kind.FOREIGN_DATA_WRAPPER: ForeignDataWrapperWriter(),
    Kind.SERVER: ServerWriter(),
    Kind.FOREIGN_TABLE: ForeignTableWriter(),
}
# What is altered by another word than in a table.
_WRITERS_OF_PARTS: dict[tuple[Kind, Kind], Writer] = {
    (Kind.COLUMN, Kind.COMPOSITE): AttributeWriter(),
    (Kind.CONSTRAINT, Kind.DOMAIN): DomainCheckWriter(),
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
