"""What the models do not name may be called anything; what they name is renamed, and never dropped for it."""

from sqlalchemy import Connection

from src.postgres.catalogue import CatalogueObject, Kind, compare, describe
from src.safety.autogenerate.same_definition import by_definition
from src.safety.autogenerate.unnamed import with_live_names
from tests.safety.autogenerate.state import by_models, by_sql, models

UNNAMED = (
    'Table("a", m, Column("id", Text, primary_key=True))\n'
    'Table("b", m, Column("x", Text, ForeignKey("a.id"), unique=True), CheckConstraint("x <> \'\'"))'
)
LIVE = (
    "CREATE TABLE a (id text CONSTRAINT made_by_hand PRIMARY KEY)",
    "CREATE TABLE b (x text CONSTRAINT one UNIQUE CONSTRAINT two REFERENCES a CONSTRAINT three CHECK (x <> ''))",
)


def _is_no_schema(entry: CatalogueObject) -> bool:
    return entry.kind is not Kind.SCHEMA


def test_a_constraint_without_a_name_is_found_by_what_it_says(transaction: Connection) -> None:
    metadata = models(UNNAMED)
    live, built = by_sql(transaction, *LIVE).only(_is_no_schema), by_models(transaction, metadata)
    wanted = with_live_names(live, built, metadata)
    assert describe(compare(live.catalogue, built.catalogue)) != ""
    assert describe(compare(live.catalogue, wanted.catalogue)) == ""


def test_a_name_that_the_models_give_is_wanted(transaction: Connection) -> None:
    metadata = models(UNNAMED, naming_convention={"pk": "pk_%(table_name)s"})
    live = by_sql(transaction, *LIVE).only(_is_no_schema)
    wanted = with_live_names(live, by_models(transaction, metadata), metadata)
    assert [str(rename) for rename in by_definition(live, wanted)] == ["constraint a.made_by_hand is called pk_a"]


def test_two_equal_constraints_are_two(transaction: Connection) -> None:
    metadata = models('Table("t", m, Column("x", Integer), CheckConstraint("x > 0"))')
    live = by_sql(transaction, "CREATE TABLE t (x int CONSTRAINT one CHECK (x > 0) CONSTRAINT two CHECK (x > 0))")
    live = live.only(_is_no_schema)
    wanted = with_live_names(live, by_models(transaction, metadata), metadata)
    assert describe(compare(live.catalogue, wanted.catalogue)).splitlines()[1:] == ["  constraint two: removed"]
