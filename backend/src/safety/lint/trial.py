"""What was seen of a revision that was carried out in a scratch database."""

from dataclasses import dataclass

from src.postgres.catalogue import Difference, Identity, Kind, compare
from src.safety.autogenerate.context import Schema, quoted
from src.safety.plan.trace import Traced


@dataclass(frozen=True)
class Trial:
    """What was seen of one revision."""

    before: Schema
    after: Schema
    upgrade: tuple[Traced, ...] = ()
    downgrade: tuple[Traced, ...] = ()
    left: tuple[Difference, ...] = ()
    """How the schema after the downgrade differs from the one before the upgrade."""
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
    def differences(self) -> list[Difference]:
        """What the upgrade changed."""
        return compare(self.before.catalogue, self.after.catalogue)

    def name_of(self, table: Identity) -> str:
        """A table as SQL writes it here."""
        return quoted("" if table.schema == self.before.default else table.schema, table.name)
