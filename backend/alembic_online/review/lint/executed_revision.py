"""What was seen of a revision that was carried out in a scratch database."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

from alembic_online.autogenerate.context import Schema, quoted
from alembic_online.postgres.catalogue import Difference, Identity, Kind, compare
from alembic_online.postgres.locks.reader import statements
from alembic_online.postgres.sql.tokens import Token
from alembic_online.review.plan.trace import Traced


@dataclass(frozen=True)
class Trial:
    """What was seen of one revision."""

    before: Schema
    after: Schema
    upgrade: tuple[Traced, ...] = ()
    downgrade: tuple[Traced, ...] = ()
    left: tuple[Difference, ...] = ()
    """How the schema after the downgrade differs from the one before the upgrade."""
    cut: tuple[Difference, ...] = ()
    """New types that round or cut values."""
    failed: str = ""
    """Why one of the two could not run."""

    @property
    def tables(self) -> dict[str, Identity]:
        """The tables that were there before, by the name that SQL gives them."""
        return {
            self.name_of(entry.identity): entry.identity
            for entry in self.before.catalogue.values()
            if entry.kind is Kind.TABLE
        }

    @property
    def tables_used(self) -> set[str]:
        """The tables that were there before and that statements of the upgrade name."""
        words = {token.text.replace('"', "") for each in self.upgrade for token in _tokens(each.sql)}
        return {identity.name for identity in self.tables.values()} & words

    def line_of(self, *names: str) -> int:
        """Where the first statement of the upgrade was written that names all of these, or the last, or the first."""
        said = [({token.text.replace('"', "") for token in _tokens(each.sql)}, each.line) for each in self.upgrade]
        for wanted in ({*names}, {*names[-1:]}, {*names[:1]}):
            if line := next((line for words, line in said if line and wanted <= words), 0):
                return line
        return 1

    @cached_property
    def differences(self) -> list[Difference]:
        """What the upgrade changed."""
        return compare(self.before.catalogue, self.after.catalogue)

    def name_of(self, table: Identity) -> str:
        """A table as SQL writes it here."""
        return quoted("" if table.schema == self.before.default else table.schema, table.name)


def _tokens(sql: str) -> Iterator[Token]:
    for reader in statements(sql):
        yield from reader.rest()
