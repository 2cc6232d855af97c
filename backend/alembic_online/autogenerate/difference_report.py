"""What `check` and `revision --autogenerate` say: the differences, with what is renamed told as that."""

from collections.abc import Iterable, Iterator

from sqlalchemy import Connection, MetaData

from alembic_online.autogenerate.context import Schema
from alembic_online.autogenerate.equal_defaults import with_equal_defaults
from alembic_online.autogenerate.name_only_renames import by_definition
from alembic_online.autogenerate.renames import Rename
from alembic_online.autogenerate.unspecified_options import as_live
from alembic_online.postgres.catalogue import Attribute, Difference, Identity, compare
from alembic_online.postgres.catalogue.words import qualified


def announcement(
    connection: Connection, renames: Iterable[Rename], live: Schema, wanted: Schema, models: MetaData
) -> list[Difference]:
    """Everything that differs. `renames` were carried out in `live`, whose server is asked which defaults are equal."""
    renames = list(renames)
    wanted = as_live(live, wanted, models, renames)
    live = with_equal_defaults(connection, live, wanted)
    same = list(by_definition(live, wanted))
    told = {identity for rename in same for identity in (rename.old, rename.new)}
    rest = (each for each in compare(live.catalogue, wanted.catalogue) if each.identity not in told)
    return [*_renamed([*renames, *same]), *rest]


def _renamed(renames: Iterable[Rename]) -> Iterator[Difference]:
    """Each thing once, whatever it was called in between."""
    objects: dict[Identity, Identity] = {}
    labels: dict[tuple[Identity, str], str] = {}
    for rename in renames:
        if rename.label is None:
            # A column's table has its new name already, when the column is renamed.
            old = (
                rename.old._replace(schema=rename.new.schema, table=rename.new.table)
                if rename.new.table
                else rename.old
            )
            objects[rename.new] = objects.pop(old, rename.old)
        else:
            before, after = rename.label
            labels[rename.new, after] = labels.pop((rename.new, before), before)
    for new, old in objects.items():
        name = old.name if old.schema == new.schema else qualified(old.schema, old.name)
        yield Difference(new, "renamed", None, name, None)
    for (enum, after), before in labels.items():
        yield Difference(enum, "renamed", Attribute.LABEL, before, after)
