"""Collations."""

from alembic_online.autogenerate.context import Change, Context
from alembic_online.autogenerate.writers.types import Passage, TypeWriter
from alembic_online.autogenerate.writers.writer import literal
from alembic_online.postgres.catalogue import Attribute, CatalogueObject


class CollationWriter(TypeWriter):
    word = "COLLATION"

    def statement(self, entry: CatalogueObject, context: Context) -> str:
        stated = entry.attributes
        collate, _, ctype = str(stated[Attribute.LOCALE]).partition(", ")
        options = [f"PROVIDER = {stated[Attribute.PROVIDER]}"]
        options += [f"LC_COLLATE = {literal(collate)}", f"LC_CTYPE = {literal(ctype)}"] if ctype else []
        options += [] if ctype else [f"LOCALE = {literal(collate)}"]
        options += ["DETERMINISTIC = false"] if Attribute.NONDETERMINISTIC in stated else []
        options += [f"RULES = {literal(str(stated[Attribute.RULES]))}"] if Attribute.RULES in stated else []
        return f"CREATE {self.target(entry)} ({', '.join(options)})"

    def passage(self, change: Change, context: Context) -> Passage | None:
        used = context.old.needed_by.get(change.identity)
        return Passage() if change.attributes - {Attribute.COMMENT} and used else None
