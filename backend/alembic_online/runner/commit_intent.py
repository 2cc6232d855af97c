"""What is about to be committed, as a line of the journal that is committed with it.

What a commit has changed is read from the catalogue after it. A run that is killed between the two leaves this line: it
says what the objects that are named were like before. So the next run knows what became of them, and whether somebody
has taken it back since.
"""

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import Any

from alembic_online.postgres.sql.literals import hide_literals
from alembic_online.postgres.sql.tokens import Kind, tokens
from alembic_online.recipes.cutover.commit_points import calls_functions, writes_rows
from alembic_online.recipes.names import plain
from alembic_online.runner.facts import Attributes, Change, Facts, Identity, LastLook, differences
from alembic_online.runner.made_objects import Named, in_its_schema, names_afterwards

_COMMITTED = "committed "
_SETS = ("words", "rows")
_NAMED = ("made", "gone")
_LONGEST = 10_000
"""Characters of a statement: a longer one has rows in it."""
_ANY_CASE = re.IGNORECASE | re.DOTALL
# What facts show. Where they show nothing of it, somebody has taken it back, or it has changed nothing.
_SHOWN = re.compile(
    r"\s*((CREATE|DROP)\s+(UNIQUE\s+|MATERIALIZED\s+)?(INDEX|TABLE|VIEW|TRIGGER|POLICY|TYPE|DOMAIN|SEQUENCE|FUNCTION)\b"
    r"|ALTER\s+(TABLE|TYPE|INDEX|SEQUENCE)\s(?!.*\s(RESTART|USING)\b))",
    _ANY_CASE,
)
# What may be run twice: after somebody has taken it back it is to be, and else nothing comes of it.
_REPEATABLE = re.compile(
    r"\s*(ALTER\s+TABLE\s+(ONLY\s+)?\S+\s+ALTER\s+(COLUMN\s+)?\S+"
    r"\s+(DROP\s+DEFAULT|SET\s+DEFAULT\s[^,]*|(SET|DROP)\s+NOT\s+NULL)"
    r"|COMMENT\s+ON\s.*|CREATE\s+OR\s+REPLACE\s.*|(GRANT|REVOKE)\s.*)\s*;?\s*$",
    _ANY_CASE,
)
_RENAMES = re.compile(r"\sRENAME\s", re.IGNORECASE)
# What goes only by a statement that says so, or with its table: what is named and gone besides, somebody has dropped.
_SAYS_SO = ("column", "table", "view")
_RENAMED_CONSTRAINT = re.compile(r"\sRENAME\s+CONSTRAINT\s+(\S+)\s+TO\s+([^\s,;]+)", re.IGNORECASE)
_CASCADES = re.compile(r"\s(CASCADE|SCHEMA)\b", re.IGNORECASE)


@dataclass(frozen=True)
class Intent:
    """What is committed together."""

    words: frozenset[str]
    """All that its statements name, in lower case."""
    made: frozenset[Named]
    """What is there afterwards, as far as the text tells."""
    gone: frozenset[Named]
    """What is not."""
    shows: bool
    """Where facts show nothing of it, it may be run again."""
    repeats: bool
    """It may be run again."""
    opaque: bool
    """It may change what it does not name."""
    renames: bool
    before: Mapping[Identity, Attributes] | None
    """What is named, and the parts of tables that are, as they were; None where nobody knows."""
    rows: frozenset[str]
    """What those of its statements name that write rows."""
    wrote: Mapping[Identity, int] = field(default_factory=dict)
    """The tables and columns that were there and whose rows it has written, each with its number."""
    history: int = 0
    """The OID of the history's table."""

    def names(self, identity: Identity) -> bool:
        """Whether the object stands in its statements."""
        return _is_in(identity.name, self.words)

    def gives_up(self, identity: Identity) -> bool:
        """Whether it says that the object goes, or gets another name."""
        return any(named.means(identity) for named in self.gone)

    def touches(self, identity: Identity) -> bool:
        """Whether it does, or the table that it is a part of."""
        return self.names(identity) or (bool(identity.table) and _is_in(identity.table, self.words))

    def writes(self, identity: Identity) -> bool:
        """Whether it is a table or a column whose rows it writes."""
        is_column = identity.kind == "column" and _is_in(identity.table, self.rows)
        return (is_column or identity.kind == "table") and _is_in(identity.name, self.rows)

    def is_undone(self, changed: Sequence[Change], now: Facts) -> bool:
        """Whether nothing of it is there any more; `changed` is what became of what it names."""
        before = () if self.before is None else self.before
        made, gone = _not_in(self.made, before), self.gone - _not_in(self.gone, before)
        if made or gone:
            return _not_in(made, now.objects) == made and not _not_in(gone, now.objects)
        return self.before is not None and self.shows and not changed

    def missing(self, now: Facts) -> list[str]:
        """What it has made and that is not there."""
        return [] if self.opaque or self.before is None else sorted(map(str, _not_in(self.made, now.objects)))


def committed(texts: Sequence[str], last: LastLook, work: Sequence[str] = ()) -> str:
    """The line for these statements; `last` is what the catalogue was like. Those that are `work` fill rows."""
    short = [text for text in texts if len(text) < _LONGEST]
    before = last.facts
    untold = _untold_constraints(short, before)
    there = {
        in_its_schema(named, last): is_there
        for named, is_there in names_afterwards(short).items()
        if not (named.kind == "constraint" and named.name in untold)
    }
    intent = Intent(
        words=_words(short),
        made=frozenset(each for each, is_there in there.items() if is_there),
        gone=frozenset(each for each, is_there in there.items() if not is_there),
        shows=not untold
        and any(map(_SHOWN.match, short))
        and all(_SHOWN.match(text) or _REPEATABLE.match(text) for text in texts),
        repeats=bool(texts) and all(map(_REPEATABLE.match, texts)),
        opaque=any(map(calls_functions, short)) or any(map(_CASCADES.search, short)),
        renames=any(map(_RENAMES.search, short)),
        before=None,
        rows=_words([text for text in short if writes_rows(text)]) | {*re.findall(r"\w+", " ".join(work).lower())},
    )
    if before is not None:
        named = {each: attributes for each, attributes in before.objects.items() if intent.touches(each)}
        wrote = {each: number for each, number in before.numbers.items() if intent.writes(each)}
        intent = replace(intent, before=named, wrote=wrote, history=before.history)
    return _COMMITTED + _as_json(intent)


def _untold_constraints(texts: Iterable[str], before: Facts | None) -> set[str]:
    """The new names of those that get another one, and that facts do not tell: of NOT NULL, from PostgreSQL 18 on."""
    told = {each.name.lower() for each in before.objects if each.kind == "constraint"} if before is not None else set()
    found: set[str] = set()
    for old, new in (pair for text in texts for pair in _RENAMED_CONSTRAINT.findall(text)):
        (told if plain(old) in told else found).add(plain(new))
    return found if before is not None else set()


def is_committed(line: str) -> bool:
    """Whether a line of a journal is one of these."""
    return line.startswith(_COMMITTED)


def read_intent(line: str) -> Intent:
    """What `committed` wrote."""
    found: dict[str, Any] = json.loads(line.removeprefix(_COMMITTED))
    found |= {name: frozenset(found[name]) for name in _SETS}
    found |= {name: frozenset(Named(*each) for each in found[name]) for name in _NAMED}
    found["wrote"] = {Identity(*names): number for *names, number in found["wrote"]}
    if (before := found["before"]) is not None:
        found["before"] = {Identity(*names): attributes for *names, attributes in before}
    return Intent(**found)


def changes_since(intent: Intent, known: Mapping[Identity, Attributes | None], now: Facts) -> list[Change]:
    """What became of what it names; `known` is what earlier commits have left, where they have changed it."""
    before: dict[Identity, Attributes] = {}
    after = {each: now.objects[each] for each in known if each in now.objects}
    for identity, attributes in known.items():
        if attributes is not None:
            before[identity] = attributes
            if identity in after:  # nothing else is known of it
                after[identity] = {name: after[identity].get(name, "") for name in attributes}
    if intent.before is not None:
        touched = {each: attributes for each, attributes in now.objects.items() if intent.touches(each)}
        rest = {each: attributes for each, attributes in before.items() if not intent.touches(each)}
        before, after = {**rest, **intent.before}, {**after, **touched}
    found = differences(sorted({*before, *after}), before, after)
    return [each for each in found if _is_its_own(intent, each, known, now)]


def _is_its_own(intent: Intent, change: Change, known: Mapping[Identity, Attributes | None], now: Facts) -> bool:
    identity = change.identity
    if change.after is not None:
        return intent.touches(identity) or (identity in known and (intent.opaque or intent.renames))
    if intent.opaque or intent.gives_up(identity):
        return True
    if intent.names(identity) and identity.kind not in _SAYS_SO:
        return True
    table = Identity("table", identity.schema, "", identity.table)
    return intent.touches(identity) and (
        identity.kind not in _SAYS_SO or (bool(identity.table) and table not in now.objects)
    )


def _not_in(named: frozenset[Named], objects: Iterable[Identity]) -> frozenset[Named]:
    """Those of which nothing is there."""
    by_name: dict[str, list[Identity]] = {}
    for identity in objects if named else ():
        by_name.setdefault(identity.name.lower(), []).append(identity)
    return frozenset(each for each in named if not any(map(each.means, by_name.get(each.last_part, ()))))


def _is_in(name: str, words: frozenset[str]) -> bool:
    return _words_of(name) <= words


@lru_cache(maxsize=100_000)  # each commit asks for each name of the catalogue
def _words_of(name: str) -> frozenset[str]:
    return frozenset(re.findall(r"\w+", name.partition("(")[0].lower()))


def _words(texts: Iterable[str]) -> frozenset[str]:
    return frozenset(re.findall(r"\w+", " ".join(map(_without_values, texts)).lower()))


def _without_values(text: str) -> str:
    """With what stands in the bodies of blocks and functions, but no value of a user."""
    bodies = [token.text for token in tokens(text) if token.kind is Kind.STRING and token.text.startswith("$")]
    inside = [_without_values(body.split("$", 2)[2].rpartition("$")[0].rpartition("$")[0]) for body in bodies]
    return " ".join([hide_literals(text), *inside])


def _as_json(intent: Intent) -> str:
    before = None if intent.before is None else [[*each, attributes] for each, attributes in intent.before.items()]
    found = {
        **intent.__dict__,
        **{name: sorted(getattr(intent, name)) for name in (*_SETS, *_NAMED)},
        "before": before,
        "wrote": [[*each, number] for each, number in intent.wrote.items()],
    }
    return json.dumps(found)
