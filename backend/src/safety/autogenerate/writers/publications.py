"""What ties the database to others: publications, foreign-data wrappers and servers."""

from collections.abc import Iterator

from alembic.operations import MigrateOperation

from src.postgres.catalogue import CatalogueObject, Value
from src.safety.autogenerate.call import sql
from src.safety.autogenerate.clauses import clauses, wrapped
from src.safety.autogenerate.context import Change, Context, quoted
from src.safety.autogenerate.writers.options import foreign_options, new_foreign_options, options
from src.safety.autogenerate.writers.statements import StatementWriter
from src.safety.autogenerate.writers.writer import literal


class PublicationWriter(StatementWriter):
    def target(self, entry: CatalogueObject) -> str:
        return f"PUBLICATION {quoted(entry.name)}"

    def statement(self, entry: CatalogueObject, context: Context) -> str:
        content = "ALL TABLES" if "all tables" in entry.attributes else ", ".join(_published(entry))
        return f"CREATE {self.target(entry)}{f' FOR {content}' if content else ''} WITH ({_how(entry)})"

    def change(self, change: Change, context: Context) -> list[MigrateOperation] | None:
        if "all tables" in change.attributes:
            return None
        alter, lines = f"ALTER {self.target(change.after)}", list[MigrateOperation]()
        if change.attributes & {"tables", "schemas"}:
            content = ", ".join(_published(change.after))
            if not content:
                return None  # there is no word for a list that becomes empty
            lines.append(sql(f"{alter} SET {content}"))
        if change.attributes & {"operations", "via partition root", "generated columns"}:
            none = "generated columns" in change.attributes - change.after.attributes.keys()
            how = f"{_how(change.after)}{', publish_generated_columns = none' if none else ''}"
            lines.append(sql(f"{alter} SET ({how})"))
        return lines


def _published(entry: CatalogueObject) -> Iterator[str]:
    for table in _listed(entry.attributes.get("tables", ())):
        *named, last = clauses(table)
        yield "TABLE " + " ".join([*named, wrapped(last) if "where" in named else last])
    for schema in _listed(entry.attributes.get("schemas", ())):
        yield f"TABLES IN SCHEMA {quoted(schema)}"


def _how(entry: CatalogueObject) -> str:
    stated = entry.attributes
    words = [f"publish = {literal(', '.join(_listed(stated.get('operations', ()))))}"]
    words.append(f"publish_via_partition_root = {'true' if 'via partition root' in stated else 'false'}")
    if "generated columns" in stated:
        words.append(f"publish_generated_columns = {stated['generated columns']}")
    return ", ".join(words)


def _listed(value: Value) -> tuple[str, ...]:
    assert isinstance(value, tuple), "a list in every catalogue"
    return value


class ForeignDataWrapperWriter(StatementWriter):
    def target(self, entry: CatalogueObject) -> str:
        return f"FOREIGN DATA WRAPPER {quoted(entry.name)}"

    def statement(self, entry: CatalogueObject, context: Context) -> str:
        stated = entry.attributes
        functions = "".join(f" {word.upper()} {stated[word]}" for word in ("handler", "validator") if word in stated)
        return f"CREATE {self.target(entry)}{functions}{new_foreign_options(options(stated))}"

    def change(self, change: Change, context: Context) -> list[MigrateOperation] | None:
        after = change.after.attributes
        words = [f"ALTER {self.target(change.after)}"]
        for word in ("handler", "validator"):
            if word in change.attributes:
                words.append(f"{word.upper()} {after[word]}" if word in after else f"NO {word.upper()}")
        words.append(foreign_options(options(change.before.attributes), options(after)))
        return [sql(" ".join(filter(None, words)))]


class ServerWriter(StatementWriter):
    def target(self, entry: CatalogueObject) -> str:
        return f"SERVER {quoted(entry.name)}"

    def granted(self, entry: CatalogueObject) -> str:
        return f"FOREIGN SERVER {quoted(entry.name)}"

    def statement(self, entry: CatalogueObject, context: Context) -> str:
        stated = entry.attributes
        said = "".join(
            f" {word.upper()} {literal(str(stated[word]))}" for word in ("type", "version") if word in stated
        )
        wrapper = quoted(str(stated["foreign-data wrapper"]))
        return f"CREATE {self.target(entry)}{said} FOREIGN DATA WRAPPER {wrapper}{new_foreign_options(options(stated))}"

    def change(self, change: Change, context: Context) -> list[MigrateOperation] | None:
        """Its version and options are changed, its type never; a version is not taken away."""
        after = change.after.attributes
        if change.attributes & {"type", "foreign-data wrapper"} or ("version" in change.attributes - after.keys()):
            return None
        version = f"VERSION {literal(str(after['version']))}" if "version" in change.attributes else ""
        given = foreign_options(options(change.before.attributes), options(after))
        return [sql(" ".join(filter(None, [f"ALTER {self.target(change.after)}", version, given])))]
