"""What a catalogue is made of: objects, each with an identity and the attributes that PostgreSQL states for it."""

import hashlib
import json
from collections.abc import Callable, Collection, ItemsView, Iterable, Iterator, KeysView, Mapping, ValuesView
from dataclasses import dataclass, field, replace
from enum import StrEnum
from functools import cached_property
from typing import NamedTuple

from alembic_online.postgres.catalogue.attributes import Attribute

Value = str | int | bool | tuple[str, ...]

NOT_COMPARED = frozenset(
    {
        Attribute.OWNER,
        Attribute.POSITION,
        Attribute.STATEMENT,
        Attribute.SIGNATURE,
        Attribute.DEFAULTS,
        Attribute.IDENTITY_SEQUENCE,
        Attribute.NOT_NULL_NAME,
    }
)
"""Read, but outside of equality: two roles may have made the two databases; a column that is added again comes last;
a statement repeats, with names, what the other attributes say, and so do a routine's signature and defaults; the
sequence of an identity and a NOT NULL have names that PostgreSQL made up."""


class Kind(StrEnum):
    """The kinds of object, in the order in which they are listed."""

    EXTENSION = "extension"
    SCHEMA = "schema"
    DEFAULT_PRIVILEGES = "default privileges"
    COLLATION = "collation"
    ENUM = "enum"
    DOMAIN = "domain"
    COMPOSITE = "composite type"
    RANGE = "range type"
    BASE_TYPE = "base type"
    FUNCTION = "function"
    PROCEDURE = "procedure"
    AGGREGATE = "aggregate"
    OPERATOR = "operator"
    OPERATOR_FAMILY = "operator family"
    OPERATOR_CLASS = "operator class"
    CAST = "cast"
    TEXT_SEARCH_DICTIONARY = "text search dictionary"
    TEXT_SEARCH_CONFIGURATION = "text search configuration"
    FOREIGN_DATA_WRAPPER = "foreign-data wrapper"
    SERVER = "server"
    SEQUENCE = "sequence"
    TABLE = "table"
    FOREIGN_TABLE = "foreign table"
    VIEW = "view"
    MATERIALIZED_VIEW = "materialized view"
    COLUMN = "column"
    CONSTRAINT = "constraint"
    INDEX = "index"
    STATISTICS = "statistics"
    TRIGGER = "trigger"
    RULE = "rule"
    POLICY = "policy"
    EVENT_TRIGGER = "event trigger"
    PUBLICATION = "publication"


class Identity(NamedTuple):
    """The name of one object, unique in its catalogue.

    `schema` is empty for what belongs to the whole database; `table` is the table, view or type that the object is a
    part of, empty when it stands by itself. A routine's name carries its argument types: `slug(text)`.
    """

    kind: Kind
    schema: str
    table: str
    name: str


@dataclass(frozen=True, slots=True)
class CatalogueObject:
    """One object. An attribute that is absent means none, no, or PostgreSQL's default."""

    identity: Identity
    parent: Identity | None
    """What the object lives and dies with: a column's table, an index's constraint, an owned sequence's column."""
    attributes: Mapping[Attribute, Value] = field(hash=False)

    @property
    def kind(self) -> Kind:
        return self.identity.kind

    @property
    def schema(self) -> str:
        return self.identity.schema

    @property
    def name(self) -> str:
        return self.identity.name

    def has(self, attribute: Attribute) -> bool:
        """Whether it is stated: an attribute that is absent means none, no, or the default."""
        return attribute in self.attributes

    def text(self, attribute: Attribute) -> str:
        """The attribute as text; empty where it is absent."""
        return str(self.attributes.get(attribute, ""))

    def items(self, attribute: Attribute) -> tuple[str, ...]:
        """The attribute's items; none where it is absent."""
        stated = self.attributes.get(attribute, ())
        assert isinstance(stated, tuple), "a list in every catalogue"
        return stated

    def without(self, attributes: Collection[Attribute]) -> "CatalogueObject":
        """The same object as if these were not stated."""
        if self.attributes.keys().isdisjoint(attributes):
            return self
        return self.filtered(lambda attribute: attribute not in attributes)

    def like(self, other: "CatalogueObject", attributes: Collection[Attribute]) -> "CatalogueObject":
        """The same object with these as `other` states them, or does not."""
        theirs = other.filtered(lambda attribute: attribute in attributes)
        return replace(self, attributes={**self.without(attributes).attributes, **theirs.attributes})

    def filtered(self, keep: Callable[[Attribute], bool]) -> "CatalogueObject":
        """The same object with those of its attributes that `keep` keeps."""
        return replace(self, attributes={name: value for name, value in self.attributes.items() if keep(name)})

    @property
    def compared(self) -> dict[Attribute, Value]:
        """The attributes that equality looks at."""
        return {name: value for name, value in self.attributes.items() if name not in NOT_COMPARED}


class Catalogue(Mapping[Identity, CatalogueObject]):
    """Everything a database holds of its schema, by identity. Immutable.

    Two are equal when all that is compared is equal: everything but `NOT_COMPARED`.
    """

    def __init__(self, objects: Iterable[CatalogueObject]) -> None:
        self._objects = {entry.identity: entry for entry in objects}

    def __getitem__(self, identity: Identity) -> CatalogueObject:
        return self._objects[identity]

    def __iter__(self) -> Iterator[Identity]:
        return iter(self._objects)

    def __len__(self) -> int:
        return len(self._objects)

    # A comparison passes over all of it some fifty times: Mapping's own views ask for each object by its name again.
    def __contains__(self, identity: object) -> bool:
        return identity in self._objects

    def keys(self) -> KeysView[Identity]:
        """As of a dict."""
        return self._objects.keys()

    def values(self) -> ValuesView[CatalogueObject]:
        """As of a dict."""
        return self._objects.values()

    def items(self) -> ItemsView[Identity, CatalogueObject]:
        """As of a dict."""
        return self._objects.items()

    def __eq__(self, other: object) -> bool:
        return self.fingerprint == other.fingerprint if isinstance(other, Catalogue) else NotImplemented

    def __hash__(self) -> int:
        return hash(self.fingerprint)

    def __repr__(self) -> str:
        return f"<Catalogue of {len(self)} objects, {self.fingerprint[:12]}>"

    @cached_property
    def fingerprint(self) -> str:
        """SHA-256 in hexadecimal over everything that is compared: equal fingerprints, equal schemas."""
        content = sorted((entry.identity, sorted(entry.compared.items())) for entry in self._objects.values())
        return hashlib.sha256(json.dumps(content).encode()).hexdigest()
