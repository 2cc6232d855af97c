"""Read the facts of a catalogue; where somebody has looked before, only what has changed since then.

To print a thousand tables costs the server half a second, and a revision touches a few. So each relation, type and
function has a version: a digest of the `xmin` of its rows in the catalogue and of those of its parts. Whoever changes
one of them makes another `xmin`; VACUUM keeps them, frozen or not. What has another version is printed again, and where
a name is gone from it, what is printed with that name. No lock but ACCESS SHARE. PostgreSQL 16 to 18.
"""

import hashlib
import json
from collections.abc import Collection, Mapping
from dataclasses import replace

from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection

from alembic_online.postgres.catalogue.session import SETTINGS
from alembic_online.runner.fact_queries import ALL, BEGIN, NAMED_WITH, SOME, VERSIONS
from alembic_online.runner.facts import Attributes, Facts, Identity, Key, Reading
from alembic_online.runtime.history import BOOKKEEPING

_LONG = 80  # characters; of what is longer, the digest is kept
_SETTINGS = json.dumps({**SETTINGS, "lock_timeout": "1s"})  # somebody may hold a table whose view is to be printed
# Lists are given as one text: for an array asyncpg reads its type from the catalogue, again after each schema change.
_BOOKKEEPING = {"bookkeeping": ",".join(BOOKKEEPING)}
_COMMON: Key = (0, 0)
"""The key of what may be a part of any other name or definition: schemas, extensions, operators, collations."""


async def read_facts(connection: AsyncConnection, history: str, known: Facts | None = None) -> Facts | None:
    """Read them on a connection in autocommit; None where somebody holds what cannot be read without.

    `history` is the name of the history's table as SQL writes it, `known` what an earlier look has read.
    """
    for _ in range(2):
        try:
            return await _read(connection, history, known)
        except DBAPIError as error:
            if error.connection_invalidated:
                raise  # otherwise somebody has dropped what was just being read, or does not let go of it
    return None


async def _read(connection: AsyncConnection, history: str, known: Facts | None) -> Facts:
    await connection.exec_driver_sql("BEGIN READ ONLY")
    try:
        begun = await connection.execute(BEGIN, {"history": history, "settings": _SETTINGS})
        number = begun.one()[0] or 0
        rows = await connection.execute(VERSIONS, _BOOKKEEPING)
        versions = {(row[0], row[1]): row[2] for row in rows}
        if known is None or known.readings[_COMMON].version != versions[_COMMON]:
            facts = await _print(connection, versions)
        else:
            facts = await _look_again(connection, versions, known)
    finally:
        await connection.exec_driver_sql("ROLLBACK")
    return replace(facts, history=number)


async def _look_again(connection: AsyncConnection, versions: Mapping[Key, int], known: Facts) -> Facts:
    again = {key for key in versions if key not in known.readings or known.readings[key].version != versions[key]}
    facts = await _print(connection, versions, again) if again else Facts({})
    renamed = [
        str(key[1])
        for key, reading in facts.readings.items()
        if key in known.readings and known.readings[key].numbers.items() - reading.numbers.items()
    ]
    if renamed:
        named_with = {*await connection.scalars(NAMED_WITH, {"oids": ",".join(renamed)})}
        # A rule of a domain is named with table 0.
        again |= {key for key in versions if key != _COMMON and key[1] in named_with}
        facts = await _print(connection, versions, again)
    kept = {key: reading for key, reading in known.readings.items() if key in versions and key not in again}
    objects, numbers = dict(known.objects), dict(known.numbers)
    for key in known.readings.keys() - kept.keys():
        for identity in known.readings[key].numbers:
            del objects[identity], numbers[identity]
    return Facts(objects | facts.objects, numbers | facts.numbers, readings=kept | facts.readings)


async def _print(
    connection: AsyncConnection, versions: Mapping[Key, int], only: Collection[Key] | None = None
) -> Facts:
    """What is said of all, or of these."""
    objects: dict[Identity, Attributes] = {}
    numbers: dict[Identity, int] = {}
    readings: dict[Key, Reading] = {}
    given = _BOOKKEEPING if only is None else {**_BOOKKEEPING, "oids": ",".join(str(oid) for _, oid in only)}
    rows = await connection.execute(ALL if only is None else SOME, given)
    for catalogue, oid, kind, schema, table, name, number, facts in rows:
        key, identity = (catalogue, oid), Identity(kind, schema, table, name)
        if key not in readings:
            readings[key] = Reading(versions.get(key, 0))
        readings[key].numbers[identity] = numbers[identity] = number
        objects[identity] = {what: _short(words) for what, words in json.loads(facts).items() if words is not None}
    return Facts(objects, numbers, readings=readings)


def _short(value: object) -> str:
    words = str(value)
    return words if len(words) <= _LONG else f"#{hashlib.sha256(words.encode()).hexdigest()[:16]}"
