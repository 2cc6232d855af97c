"""The conventions of every table, read from the catalogue of a migrated database: tables added later have them too."""

import re
from enum import StrEnum

import pytest
from sqlalchemy import Connection, Inspector, inspect, text
from sqlalchemy.dialects.postgresql.base import PGInspector
from sqlalchemy.engine.interfaces import ReflectedIndex

from alembic_online.runtime.history import BOOKKEEPING
from src.db import enums
from src.db.models import Base


@pytest.fixture
def catalogue(migrated_connection: Connection) -> Inspector:
    return inspect(migrated_connection)


def tables(catalogue: Inspector) -> list[str]:
    names = [name for name in catalogue.get_table_names() if name not in BOOKKEEPING]
    assert names
    return names


def test_the_tables_are_those_of_the_models(catalogue: Inspector) -> None:
    assert set(tables(catalogue)) == set(Base.metadata.tables)


def test_every_primary_key_is_a_uuid_that_the_server_can_make(catalogue: Inspector) -> None:
    for table in tables(catalogue):
        [key] = catalogue.get_pk_constraint(table)["constrained_columns"]
        [column] = [column for column in catalogue.get_columns(table) if column["name"] == key]
        assert (key, str(column["type"]), column["default"]) == ("id", "UUID", "gen_random_uuid()"), table


def test_every_table_has_its_timestamps(catalogue: Inspector) -> None:
    for table in tables(catalogue):
        columns = {column["name"]: column for column in catalogue.get_columns(table)}
        for name in ("created_at", "updated_at"):
            column = columns[name]
            assert (str(column["type"]), column["nullable"], column["default"]) == ("TIMESTAMP", False, "now()"), table
            assert column["type"].timezone, f"{table}.{name} has no time zone"  # type: ignore[attr-defined]


def test_every_point_in_time_has_a_time_zone(migrated_connection: Connection) -> None:
    without = migrated_connection.scalars(
        text(
            "SELECT table_name || '.' || column_name FROM information_schema.columns"
            " WHERE table_schema = 'public' AND data_type = 'timestamp without time zone'"
        )
    )
    assert without.all() == []


def test_every_constraint_is_named_after_its_table_and_columns(catalogue: Inspector) -> None:
    for table in tables(catalogue):
        key = catalogue.get_pk_constraint(table)
        assert key["name"] == "_".join(["pk", table, *key["constrained_columns"]])
        for unique in catalogue.get_unique_constraints(table):
            assert unique["name"] == "_".join(["uq", table, *unique["column_names"]])
        for reference in catalogue.get_foreign_keys(table):
            assert reference["name"] == "_".join(["fk", table, *reference["constrained_columns"]])


def test_every_check_is_named_after_its_table_and_columns(catalogue: Inspector) -> None:
    for table in tables(catalogue):
        for check in catalogue.get_check_constraints(table):
            assert check["name"] == "_".join(["ck", table, *_mentioned(catalogue, table, check["sqltext"])])


def test_every_index_is_named_after_its_table_and_columns(catalogue: Inspector) -> None:
    for table in tables(catalogue):
        for index in catalogue.get_indexes(table):
            prefix = "uq" if index["unique"] else "ix"
            columns = [
                mentioned for expression in _keys(index) for mentioned in _mentioned(catalogue, table, expression)
            ]
            assert index["name"] == "_".join([prefix, table, *columns])


def test_every_foreign_key_says_what_happens_on_delete(catalogue: Inspector) -> None:
    for table in tables(catalogue):
        nullable = {column["name"]: column["nullable"] for column in catalogue.get_columns(table)}
        for key in catalogue.get_foreign_keys(table):
            action = key["options"].get("ondelete")
            assert action in {"CASCADE", "SET NULL"}, key["name"]
            assert action == "CASCADE" or all(nullable[column] for column in key["constrained_columns"]), key["name"]


def test_every_foreign_key_has_an_index_that_leads_with_it(catalogue: Inspector) -> None:
    for table in tables(catalogue):
        leading = _btree_keys(catalogue, table)
        for key in catalogue.get_foreign_keys(table):
            columns = key["constrained_columns"]
            assert any(index[: len(columns)] == columns for index in leading), key["name"]


def test_no_index_repeats_the_leading_columns_of_another(catalogue: Inspector) -> None:
    for table in tables(catalogue):
        indexes = _btree_keys(catalogue, table)
        for position, index in enumerate(indexes):
            others = indexes[:position] + indexes[position + 1 :]
            assert not any(other[: len(index)] == index for other in others), f"{table}: {index}"


def test_the_labels_of_every_enum_type_are_those_of_its_python_enum(catalogue: Inspector) -> None:
    in_python = {
        re.sub(r"(?<=[a-z])(?=[A-Z])", "_", name).lower(): [member.value for member in states]
        for name, states in vars(enums).items()
        if isinstance(states, type) and issubclass(states, StrEnum) and states is not StrEnum
    }
    assert isinstance(catalogue, PGInspector)
    assert {kind["name"]: kind["labels"] for kind in catalogue.get_enums()} == in_python


def test_the_vector_is_stored_in_the_row(migrated_connection: Connection) -> None:
    storage = (
        "SELECT attstorage::text FROM pg_attribute WHERE attrelid = 'embeddings'::regclass AND attname = 'embedding'"
    )
    assert migrated_connection.scalar(text(storage)) == "p"


def _keys(index: ReflectedIndex) -> list[str]:
    """The columns or expressions that the index is ordered by."""
    return list(index.get("expressions") or [name for name in index["column_names"] if name])


def _mentioned(catalogue: Inspector, table: str, expression: str) -> list[str]:
    """The table's columns in an expression, in their order, each once."""
    columns = {column["name"] for column in catalogue.get_columns(table)}
    return list(dict.fromkeys(word for word in re.findall(r"\w+", expression) if word in columns))


def _btree_keys(catalogue: Inspector, table: str) -> list[list[str]]:
    """The keys of all indexes on the whole table that can look up a value, those of constraints included."""
    indexes = [
        _keys(index)
        for index in catalogue.get_indexes(table)
        if not index.get("duplicates_constraint")
        and not {"postgresql_where", "postgresql_using"} & index.get("dialect_options", {}).keys()
    ]
    unique = [constraint["column_names"] for constraint in catalogue.get_unique_constraints(table)]
    return [*indexes, *unique, catalogue.get_pk_constraint(table)["constrained_columns"]]
