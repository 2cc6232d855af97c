"""Text search dictionaries and configurations."""

import re
from collections.abc import Iterator

from alembic.operations import MigrateOperation

from alembic_online.autogenerate.context import Change, Context, quoted
from alembic_online.autogenerate.op_rendering import sql
from alembic_online.autogenerate.writers.statements import StatementWriter
from alembic_online.postgres.catalogue import Attribute, CatalogueObject

_OPTION = re.compile(r"""("(?:[^"]|"")+"|\w+) = ('(?:[^']|'')*')""")


class DictionaryWriter(StatementWriter):
    def target(self, entry: CatalogueObject) -> str:
        return f"TEXT SEARCH DICTIONARY {quoted(entry.schema, entry.name)}"

    def statement(self, entry: CatalogueObject, context: Context) -> str:
        options = [f"TEMPLATE = {entry.attributes[Attribute.TEMPLATE]}"]
        options += [entry.text(Attribute.OPTIONS)] if entry.has(Attribute.OPTIONS) else []
        return f"CREATE {self.target(entry)} ({', '.join(options)})"

    def change(self, change: Change, context: Context) -> list[MigrateOperation] | None:
        if Attribute.TEMPLATE in change.attributes:
            return None
        before, after = _options(change.before), _options(change.after)
        options = [f"{name} = {value}" for name, value in after.items() if before.get(name) != value]
        options += [name for name in before if name not in after]
        return [sql(f"ALTER {self.target(change.after)} ({', '.join(options)})")]


class ConfigurationWriter(StatementWriter):
    def target(self, entry: CatalogueObject) -> str:
        return f"TEXT SEARCH CONFIGURATION {quoted(entry.schema, entry.name)}"

    def statement(self, entry: CatalogueObject, context: Context) -> str:
        return f"CREATE {self.target(entry)} (PARSER = {entry.attributes[Attribute.PARSER]})"

    def finish(self, entry: CatalogueObject, context: Context) -> Iterator[MigrateOperation]:
        yield from self._mapped("ADD", entry, _mappings(entry))

    def change(self, change: Change, context: Context) -> list[MigrateOperation] | None:
        if Attribute.PARSER in change.attributes:
            return None
        before, after = _mappings(change.before), _mappings(change.after)
        gone = ", ".join(quoted(token) for token in before if token not in after)
        lines: list[MigrateOperation] = []
        if gone:
            lines.append(sql(f"ALTER {self.target(change.after)} DROP MAPPING FOR {gone}"))
        new = {token: to for token, to in after.items() if token not in before}
        other = {token: to for token, to in after.items() if before.get(token, to) != to}
        return [*lines, *self._mapped("ADD", change.after, new), *self._mapped("ALTER", change.after, other)]

    def _mapped(self, verb: str, entry: CatalogueObject, mappings: dict[str, str]) -> Iterator[MigrateOperation]:
        """Tokens that go to the same dictionaries share a line."""
        for dictionaries in dict.fromkeys(mappings.values()):
            tokens = ", ".join(quoted(token) for token, to in mappings.items() if to == dictionaries)
            yield sql(f"ALTER {self.target(entry)} {verb} MAPPING FOR {tokens} WITH {dictionaries}")


def _options(entry: CatalogueObject) -> dict[str, str]:
    return dict(_OPTION.findall(entry.text(Attribute.OPTIONS)))


def _mappings(entry: CatalogueObject) -> dict[str, str]:
    """The dictionaries by kind of token."""
    items = (item.partition(": ") for item in entry.items(Attribute.MAPPINGS))
    return {token: dictionaries for token, _, dictionaries in items}
