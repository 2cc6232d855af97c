"""Privileges: GRANT and REVOKE, from what a catalogue says of them.

A catalogue tells how an object departs from PostgreSQL's default: `SELECT to app`, `no EXECUTE to PUBLIC`.
"""

import re
from collections import defaultdict
from collections.abc import Iterator
from typing import NamedTuple

from alembic.operations import MigrateOperation

from alembic_online.autogenerate.cannot_write import CannotWrite
from alembic_online.autogenerate.context import Change
from alembic_online.autogenerate.op_rendering import sql
from alembic_online.postgres.catalogue import Attribute, CatalogueObject, Identity

_ITEM = re.compile(r"(?P<no>no )?(?P<privilege>.+?) to (?P<role>.+?)(?P<option> with grant option)?(?P<by> by .+)?")


class _Privilege(NamedTuple):
    name: str
    role: str


class _State(NamedTuple):
    """Whether a privilege is there, and whether its holder may give it on."""

    granted: bool
    grantable: bool = False


def grants(target: str, entry: CatalogueObject, column: str = "") -> list[MigrateOperation]:
    """The lines that give a new object its privileges; `target` is `TABLE public.chapters`.

    Raises:
        CannotWrite: a privilege was granted by another than the owner.
    """
    return list(_lines(target, column, {}, _states(entry)))


def altered_grants(target: str, change: Change, column: str = "", start: str = "") -> list[MigrateOperation]:
    """The lines that lead from the privileges before to those after; none if they are equal. Each begins with `start`,
    which may be `ALTER DEFAULT PRIVILEGES `."""
    return list(_lines(target, column, _states(change.before), _states(change.after), start))


def _states(entry: CatalogueObject) -> dict[_Privilege, _State]:
    items = entry.items(Attribute.PRIVILEGES)
    return dict(_parsed(item, entry.identity) for item in sorted(items, reverse=True))  # "no ..." never wins


def _parsed(item: str, identity: Identity) -> tuple[_Privilege, _State]:
    match = _ITEM.fullmatch(item)
    assert match is not None, item
    if match["by"]:
        raise CannotWrite(identity, f"{item}: PostgreSQL lets nobody grant in another's name")
    role = "CURRENT_USER" if match["role"] == "the owner" else match["role"]
    return _Privilege(match["privilege"], role), _State(not match["no"], bool(match["option"]))


def _lines(
    target: str, column: str, before: dict[_Privilege, _State], after: dict[_Privilege, _State], start: str = ""
) -> Iterator[MigrateOperation]:
    """What is named on one side only is PostgreSQL's default on the other."""
    verbs: defaultdict[tuple[str, str, str], list[str]] = defaultdict(list)
    for privilege in sorted(before.keys() | after.keys()):
        old, new = before.get(privilege), after.get(privilege)
        if old != new:
            verb, end = _verb(old or _default(new), new or _default(old))
            verbs[verb, end, privilege.role].append(privilege.name + column)
    for (verb, end, role), names in verbs.items():
        word = "FROM" if verb.startswith("REVOKE") else "TO"
        yield sql(f"{start}{verb} {', '.join(names)} ON {target} {word} {role}{end}")


def _default(departure: _State | None) -> _State:
    assert departure is not None, "one of the two sides states it"
    return _State(not departure.granted)


def _verb(old: _State, new: _State) -> tuple[str, str]:
    """How the statement begins and ends that leads from one to the other."""
    if not new.granted:
        return "REVOKE", ""
    if old.grantable and not new.grantable:
        return "REVOKE GRANT OPTION FOR", ""
    return "GRANT", " WITH GRANT OPTION" if new.grantable else ""
