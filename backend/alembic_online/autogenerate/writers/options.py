"""Options: storage parameters, and those of foreign-data wrappers. A catalogue tells them as `name=value`."""

from collections.abc import Iterator, Mapping

from alembic.operations import MigrateOperation

from alembic_online.autogenerate.context import quoted
from alembic_online.autogenerate.op_rendering import sql
from alembic_online.autogenerate.writers.writer import literal
from alembic_online.postgres.catalogue import Attribute, CatalogueObject

Options = Mapping[str, str]


def options(entry: CatalogueObject, stated: Attribute = Attribute.OPTIONS) -> dict[str, str]:
    """The options of an object by name."""
    return {option: value for option, _, value in (item.partition("=") for item in entry.items(stated))}


def parameters(given: Options) -> str:
    """`fillfactor = 70, deduplicate_items = off`, for WITH and SET."""
    return ", ".join(f"{name} = {_plain(value)}" for name, value in given.items())


def set_parameters(alter: str, old: Options, new: Options) -> Iterator[MigrateOperation]:
    """`ALTER ... SET (...)` and `RESET (...)`; `alter` is `ALTER TABLE public.chapters`."""
    changed = {name: value for name, value in new.items() if old.get(name) != value}
    gone = [name for name in old if name not in new]
    if changed:
        yield sql(f"{alter} SET ({parameters(changed)})")
    if gone:
        yield sql(f"{alter} RESET ({', '.join(gone)})")


def foreign_options(old: Options, new: Options) -> str:
    """`OPTIONS (ADD a '1', SET b '2', DROP c)`; empty if nothing changes."""
    words = [f"DROP {quoted(name)}" for name in old if name not in new]
    words += [f"ADD {quoted(name)} {literal(value)}" for name, value in new.items() if name not in old]
    words += [f"SET {quoted(name)} {literal(new[name])}" for name in old if new.get(name, old[name]) != old[name]]
    return f"OPTIONS ({', '.join(words)})" if words else ""


def new_foreign_options(given: Options) -> str:
    """` OPTIONS (a '1')`, for CREATE; empty for none."""
    return (
        f" OPTIONS ({', '.join(f'{quoted(name)} {literal(value)}' for name, value in given.items())})" if given else ""
    )


def _plain(value: str) -> str:
    """A value as it may stand there: a bare word or number, else a string."""
    return value if value.replace(".", "", 1).replace("_", "").removeprefix("-").isalnum() else literal(value)
