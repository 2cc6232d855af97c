"""What of a change of the schema a release before it may stumble over: the one table of it.

It is read from the two catalogues, before and after. What is new is nobody's yet, so nothing of it breaks anything.
Where the catalogues do not tell, it is a break: a contract that waits in vain does no harm, an expand that breaks does.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum

from alembic_online.postgres.catalogue import (
    Attribute,
    Catalogue,
    CatalogueObject,
    Difference,
    Identity,
    Kind,
    compare,
)
from alembic_online.releases.new_rules import NULLS_NOT_DISTINCT, may_refuse_old_rows, ruled
from alembic_online.releases.phase import Phase
from alembic_online.releases.plain_view import is_plain_view

_SIZED = re.compile(
    r"(?P<name>character varying|character|bit varying|bit|numeric)(?:\((?P<size>\d+)(?:,(?P<scale>\d+))?\))?"
)
_LADDERS = (("smallint", "integer", "bigint"), ("real", "double precision"))
"""Types of which each holds all values of those before it."""
FILLS_ITSELF = (Attribute.DEFAULT, Attribute.IDENTITY, Attribute.GENERATED)
_ACTION = re.compile(r"^FOREIGN KEY .* ON (DELETE|UPDATE) (CASCADE|SET )")
_USED_BY_NAME = frozenset(
    {
        *(Kind.TABLE, Kind.FOREIGN_TABLE, Kind.VIEW, Kind.MATERIALIZED_VIEW, Kind.COLUMN, Kind.SEQUENCE, Kind.SCHEMA),
        *(Kind.FUNCTION, Kind.PROCEDURE, Kind.AGGREGATE, Kind.OPERATOR, Kind.CAST, Kind.EXTENSION, Kind.COLLATION),
        *(Kind.ENUM, Kind.DOMAIN, Kind.COMPOSITE, Kind.RANGE, Kind.BASE_TYPE),
    }
)
"""Kinds of which statements name what they use."""
_RELATIONS = (Kind.TABLE, Kind.FOREIGN_TABLE, Kind.VIEW, Kind.MATERIALIZED_VIEW)
_STRICTER = ("check_option=", "security_invoker=")
"""Options of a view that refuse rows or roles."""
_NEVER_FIRES = ("disabled", "on replicas")
_REVOKED = "no "
"""How a privilege begins that the default grants and this object does not."""


class How(Enum):
    """In which way."""

    GONE = "a statement that names it fails"
    REFUSED = "rows of the release before do not get in any more"
    RULED = "a rule is new: rows or values of the release before may break it"


@dataclass(frozen=True, slots=True)
class Break:
    """One thing that a release before may stumble over."""

    identity: Identity
    how: How
    what: str
    """What becomes of it: the rest of a sentence that begins with its name."""

    def __str__(self) -> str:
        kind, _, table, name = self.identity
        return f"{kind} {f'{table}.{name}' if table else name} {self.what}"


def phase_between(before: Catalogue, after: Catalogue) -> Phase:
    """`expand` where nothing breaks."""
    return Phase.CONTRACT if next(breaks(before, after), None) else Phase.EXPAND


def breaks(before: Catalogue, after: Catalogue) -> Iterator[Break]:
    """Everything that breaks, in the order in which differences are listed."""
    for each in compare(before, after):
        if each.change == "removed":
            yield from _removed(each.identity, before, after)
        elif each.change == "added":
            yield from _added(after[each.identity], before, after)
        elif each.change == "changed":
            yield from _changed(each, before, after)


def _removed(identity: Identity, before: Catalogue, after: Catalogue) -> Iterator[Break]:
    if identity.kind in _USED_BY_NAME:
        if (successor := _successor(identity, after)) is None:
            yield Break(identity, How.GONE, "goes, or gets another name: code that knows it fails.")
        elif not _serves_as(before[identity], successor, before, after):
            yield Break(
                identity,
                How.GONE,
                f"becomes a {successor.kind} that lacks columns or privileges of it, or that cannot be written for"
                " certain: code that uses it fails.",
            )
    elif _is_unique(before[identity]) and _stays(before[identity], after) and not _same(before[identity], after):
        yield Break(identity, How.GONE, "goes: INSERT ... ON CONFLICT that relies on it fails.")
    elif _acts(before[identity]) and _stays(before[identity], after) and not _same(before[identity], after):
        yield Break(
            identity, How.RULED, "goes: rows that it deleted or changed with those they refer to are left alone."
        )
    elif identity.kind is Kind.POLICY and _stays(before[identity], after):
        yield Break(identity, How.RULED, "goes: rows that it showed are hidden.")


def _successor(identity: Identity, after: Catalogue) -> CatalogueObject | None:
    """The relation of another kind that has its name: a view in the place of a table."""
    if identity.kind not in _RELATIONS:
        return None
    others = (Identity(kind, *identity[1:]) for kind in _RELATIONS)
    return next((after[each] for each in others if each in after), None)


def _serves_as(old: CatalogueObject, new: CatalogueObject, before: Catalogue, after: Catalogue) -> bool:
    """Whether statements on the one go on with the other: it has the columns and privileges, and is written alike."""
    types = {each.name: each.text(Attribute.TYPE) for each in _columns_of(new, after)}
    return (
        not _lost_privileges(old, new)
        and all(types.get(each.name) == each.text(Attribute.TYPE) for each in _columns_of(old, before))
        and (new.kind is Kind.TABLE or old.kind is Kind.MATERIALIZED_VIEW or is_plain_view(new))
    )


def _columns_of(relation: CatalogueObject, there: Catalogue) -> Iterator[CatalogueObject]:
    return (each for each in there.values() if each.kind is Kind.COLUMN and each.parent == relation.identity)


def _added(new: CatalogueObject, before: Catalogue, after: Catalogue) -> Iterator[Break]:
    if new.kind is Kind.COLUMN:
        if new.parent in before and new.has(Attribute.NOT_NULL) and not fills_itself(new):
            yield Break(
                new.identity,
                How.REFUSED,
                "is new, NOT NULL and without a default: the revision fails where there are rows, and INSERTs of code"
                " that does not know it fail.",
            )
    elif new.kind is Kind.CONSTRAINT or _is_unique(new):
        if new.parent in before and may_refuse_old_rows(new, before, after) and not _same(new, before):
            yield Break(new.identity, How.RULED, "is new: rows that code knowing nothing of it writes may break it.")
    elif new.kind is Kind.POLICY and new.parent in before and new.has(Attribute.RESTRICTIVE):
        yield Break(new.identity, How.RULED, "is new and restrictive: it hides rows, or refuses them.")
    elif new.kind in (Kind.TRIGGER, Kind.RULE) and new.parent in before and _fires(new):
        yield Break(new.identity, How.RULED, "is new: it may refuse or change what code knowing nothing of it writes.")


def _changed(each: Difference, before: Catalogue, after: Catalogue) -> Iterator[Break]:
    identity, old, new = each.identity, before[each.identity], after[each.identity]
    of_view = identity.kind is Kind.COLUMN and new.parent is not None and new.parent.kind is Kind.VIEW
    if of_view and each.attribute is not Attribute.TYPE:
        return  # defaults and rules are those of the table below it
    match each.attribute:
        case Attribute.NOT_NULL if identity.kind is Kind.COLUMN and new.has(Attribute.NOT_NULL):
            if not fills_itself(new):
                yield Break(identity, How.REFUSED, "becomes NOT NULL: INSERTs of code that leaves it out fail.")
            else:
                yield Break(identity, How.RULED, "becomes NOT NULL: code that writes NULL into it fails.")
        case Attribute.NOT_NULL if identity.kind is Kind.DOMAIN and new.has(Attribute.NOT_NULL):
            yield Break(identity, How.RULED, "becomes NOT NULL: code that writes NULL into it fails.")
        case Attribute.TYPE if identity.kind is Kind.COLUMN:
            yield from _retyped(identity, str(each.before), str(each.after))
        case Attribute.DEFAULT | Attribute.IDENTITY | Attribute.GENERATED if fills_itself(old) and not fills_itself(
            new
        ):
            how = How.REFUSED if new.has(Attribute.NOT_NULL) else How.RULED
            yield Break(identity, how, "loses its default: INSERTs of code that leaves it out fail, or give NULL.")
        case Attribute.IDENTITY if "always" in str(each.after).lower():
            yield Break(identity, How.REFUSED, "becomes GENERATED ALWAYS: INSERTs of code that gives it a value fail.")
        case Attribute.GENERATED if each.before is None:
            yield Break(identity, How.REFUSED, "becomes a generated column: code that writes into it fails.")
        case Attribute.LABELS if lost := _lost_labels(old, new):
            yield Break(identity, How.GONE, f"loses {', '.join(lost)}: code that writes or compares it fails.")
        case Attribute.DEFINITION if identity.kind in (Kind.VIEW, Kind.MATERIALIZED_VIEW):
            yield from (
                Break(each.identity, How.GONE, "goes, or gets another name: code that knows it fails.")
                for each in _columns_of(old, before)
                if each.identity not in after
            )
            if is_plain_view(old) and not is_plain_view(new):
                yield Break(identity, How.RULED, "is more than columns of one table: code that writes it may fail.")
        case Attribute.OPTIONS if identity.kind is Kind.VIEW and _strict_options(new) - _strict_options(old):
            yield Break(identity, How.RULED, "gets stricter options: rows or roles that were fine are refused.")
        case Attribute.DEFINITION if identity.kind in (Kind.FUNCTION, Kind.PROCEDURE):
            if _called_otherwise(old, new):
                yield Break(identity, How.GONE, "has other parameters or another result: code that calls it may fail.")
        case Attribute.DEFINITION | Attribute.FIRING if identity.kind in (Kind.TRIGGER, Kind.RULE) and _fires(new):
            yield Break(identity, How.RULED, "is another one: it may refuse or change what code writes.")
        case Attribute.COMMAND | Attribute.RESTRICTIVE | Attribute.ROLES | Attribute.USING | Attribute.CHECK if (
            identity.kind is Kind.POLICY
        ):
            yield Break(identity, How.RULED, "is another one: it may hide rows, or refuse them.")
        case Attribute.PARTITION if each.before is not None:
            yield Break(identity, How.GONE, "is no partition any more, or of other rows: code does not find them.")
        case Attribute.DEFINITION if identity.kind is Kind.CONSTRAINT or _is_unique(new):
            yield Break(
                identity, How.RULED, "is another one: rows that code knowing nothing of it writes may break it."
            )
        case Attribute.UNIQUE if new.has(Attribute.UNIQUE):
            yield Break(
                identity, How.RULED, "becomes unique: rows that code knowing nothing of it writes may break it."
            )
        case Attribute.PRIVILEGES if _lost_privileges(old, new):
            yield Break(identity, How.GONE, "loses privileges: a role that used them is refused.")
        case Attribute.ROW_SECURITY if new.has(Attribute.ROW_SECURITY):
            yield Break(identity, How.RULED, "gets row security: rows are hidden from code that saw them.")
        case Attribute.ROW_SECURITY_FORCED if new.has(Attribute.ROW_SECURITY_FORCED):
            yield Break(identity, How.RULED, "gets row security for its owner too: rows are hidden from its code.")


def _retyped(identity: Identity, before: str, after: str) -> Iterator[Break]:
    old, new = before.removesuffix("[]"), after.removesuffix("[]")
    both_or_none = (old == before) == (new == after)
    if both_or_none and is_narrower(old, new):
        yield Break(identity, How.REFUSED, f"becomes {after}: values that were fine are refused.")
    elif not (both_or_none and _holds_all(old, new)):
        yield Break(identity, How.RULED, f"becomes {after}: code that reads or writes {before} may fail.")


def is_narrower(before: str, after: str) -> bool:
    """Whether the type after holds fewer values: a shorter text, a smaller number."""
    for ladder in _LADDERS:
        if before in ladder and after in ladder:
            return ladder.index(after) < ladder.index(before)
    old, new = _SIZED.fullmatch(before), _SIZED.fullmatch(after)
    if new is None or new["size"] is None:
        return False
    if old is None:
        return before == "text"
    if new["name"] == "bit":  # of exactly this length
        return (old["name"], old["size"]) != (new["name"], new["size"])
    sizes = [(int(each["size"]) if each["size"] else None, int(each["scale"] or 0)) for each in (old, new)]
    (old_size, old_scale), (new_size, new_scale) = sizes
    assert new_size is not None, "asked above"
    return old_size is None or new_size - new_scale < old_size - old_scale or new_scale < old_scale


def _holds_all(before: str, after: str) -> bool:
    """Of two types of which the second is not narrower: whether whoever writes and reads the first may go on."""
    if any(before in ladder and after in ladder for ladder in _LADDERS):
        return True
    old, new = _SIZED.fullmatch(before), _SIZED.fullmatch(after)
    if old is None:
        return before == "text" and new is not None and new["name"] == "character varying"
    return after == "text" if new is None else old["name"] == new["name"]


def fills_itself(column: CatalogueObject) -> bool:
    """Whether whoever leaves it out gives it a value."""
    return any(column.has(each) for each in FILLS_ITSELF)


def _fires(trigger: CatalogueObject) -> bool:
    return trigger.text(Attribute.FIRING) not in _NEVER_FIRES


def _strict_options(view: CatalogueObject) -> set[str]:
    return {each for each in view.items(Attribute.OPTIONS) if each.startswith(_STRICTER)}


def _called_otherwise(old: CatalogueObject, new: CatalogueObject) -> bool:
    """Whether names of parameters or the result differ, or one lost its default; types are part of the name."""
    defaults = [int(each.text(Attribute.DEFAULTS) or 0) for each in (old, new)]
    return old.text(Attribute.SIGNATURE) != new.text(Attribute.SIGNATURE) or defaults[1] < defaults[0]


def _lost_privileges(old: CatalogueObject, new: CatalogueObject) -> bool:
    """Whether something is granted no more, by a GRANT or by the default of its kind."""
    had, has = (set(each.items(Attribute.PRIVILEGES)) for each in (old, new))
    granted = {each for each in had - has if not each.startswith(_REVOKED)}
    return bool(granted or any(each.startswith(_REVOKED) for each in has - had))


def _lost_labels(old: CatalogueObject, new: CatalogueObject) -> list[str]:
    kept = new.items(Attribute.LABELS)
    return [label for label in old.items(Attribute.LABELS) if label not in kept]


def _is_unique(entry: CatalogueObject) -> bool:
    """A unique index or constraint: what ON CONFLICT may name, and what refuses rows."""
    if entry.kind is Kind.INDEX:
        return entry.has(Attribute.UNIQUE)
    return entry.kind is Kind.CONSTRAINT and entry.text(Attribute.DEFINITION).startswith(
        ("UNIQUE", "PRIMARY", "EXCLUDE")
    )


def _acts(entry: CatalogueObject) -> bool:
    """Whether it is a foreign key that changes rows itself."""
    return entry.kind is Kind.CONSTRAINT and bool(_ACTION.search(entry.text(Attribute.DEFINITION)))


def _stays(part: CatalogueObject, after: Catalogue) -> bool:
    return part.parent is not None and part.parent in after


def _same(entry: CatalogueObject, there: Catalogue) -> bool:
    """Whether another one of the same definition is there, under another name."""
    rule = _rule(entry)
    return any(
        other.identity != entry.identity and _is_unique(other) == _is_unique(entry) and _rule(other) == rule
        for other in there.values()
        if other.identity.table == entry.identity.table and other.kind in (Kind.CONSTRAINT, Kind.INDEX)
        if other.schema == entry.schema
    )


def _rule(entry: CatalogueObject) -> tuple[str, bool]:
    """What a constraint or index rules, without the words around it, and whether one NULL equals another."""
    definition = entry.text(Attribute.DEFINITION)
    rule = ruled(definition) if _is_unique(entry) else definition
    return rule.replace(NULLS_NOT_DISTINCT, ""), NULLS_NOT_DISTINCT in definition
