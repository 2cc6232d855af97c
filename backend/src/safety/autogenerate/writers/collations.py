"""Collations."""

from alembic.operations import MigrateOperation

from src.postgres.catalogue import CatalogueObject
from src.safety.autogenerate.call import sql
from src.safety.autogenerate.context import Change, Context
from src.safety.autogenerate.writers.types import type_name
from src.safety.autogenerate.writers.writer import Writer, comment, comment_on, literal


class CollationWriter(Writer):
    def create(self, entry: CatalogueObject, context: Context) -> list[MigrateOperation]:
        stated = entry.attributes
        collate, _, ctype = str(stated["locale"]).partition(", ")
        options = [f"provider = {stated['provider']}"]
        options += [f"lc_collate = {literal(collate)}", f"lc_ctype = {literal(ctype)}"] if ctype else []
        options += [] if ctype else [f"locale = {literal(collate)}"]
        options += ["deterministic = false"] if "nondeterministic" in stated else []
        options += [f"rules = {literal(str(stated['rules']))}"] if "rules" in stated else []
        return [sql(f"CREATE COLLATION {type_name(entry)} ({', '.join(options)})"), *comment(_target(entry), entry)]

    def drop(self, entry: CatalogueObject, context: Context) -> list[MigrateOperation]:
        return [sql(f"DROP COLLATION {type_name(entry)}")]

    def alter(self, change: Change, context: Context) -> list[MigrateOperation] | None:
        return [comment_on(_target(change.after), change.after)] if change.attributes == {"comment"} else None


def _target(entry: CatalogueObject) -> str:
    return f"COLLATION {type_name(entry)}"
