"""What a revision leaves behind by the texts of its own lines, and what of that the catalogue does not show.

The journal tells what each commit has changed. This asks for what the file says, whatever was noted: tables, columns,
indexes, constraints, views, types and labels that are made, or go; NOT NULL, defaults, types of columns.

It must never be wrong. So where something may have gone that no text names (CASCADE, a function, a block), all that may
hang on what is named there is forgotten.
"""

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from itertools import pairwise, takewhile

from sqlalchemy import text as sa_text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection

from alembic_online.postgres.locks.reader import Reader, first_word, statements
from alembic_online.postgres.locks.reader import texts as texts_in
from alembic_online.postgres.sql.tokens import Kind, Token, tokens
from alembic_online.recipes.names import plain
from alembic_online.recipes.object_effects import last_part, same_name
from alembic_online.runner.facts import Attributes, Facts, Identity
from alembic_online.runner.made_objects import Named, beside, is_name
from alembic_online.runner.temp_tables import is_temporary
from alembic_online.runtime.history import BOOKKEEPING

_RELATION = ("INDEX", "TABLE", "MATERIALIZED VIEW", "VIEW", "SEQUENCE", "TYPE", "DOMAIN")
_ROUTINES = ("FUNCTION", "PROCEDURE", "AGGREGATE")
_CREATED = (
    *_RELATION,
    *("TRIGGER", "POLICY", "RULE", *_ROUTINES),
    *("EXTENSION", "SCHEMA", "OPERATOR", "CAST", "COLLATION", "STATISTICS", "ROLE", "USER", "SERVER", "PUBLICATION"),
    *("SUBSCRIPTION", "EVENT TRIGGER", "TEXT SEARCH", "TRANSFORM", "ACCESS METHOD", "LANGUAGE", "CONVERSION"),
)
_RULES = ("CONSTRAINT", "PRIMARY KEY", "UNIQUE", "CHECK", "FOREIGN KEY", "EXCLUDE", "LIKE")
_UNNAMED = ("PRIMARY KEY", "UNIQUE", "CHECK", "FOREIGN KEY", "EXCLUDE", "NOT NULL")
_AFTER_TYPE = (
    *("NOT", "NULL", "DEFAULT", "CONSTRAINT", "CHECK", "UNIQUE", "PRIMARY", "REFERENCES", "GENERATED"),
    *("COLLATE", "STORAGE", "COMPRESSION", "USING"),
)
_AFTER_DEFAULT = ("NOT", "CONSTRAINT", "CHECK", "UNIQUE", "PRIMARY", "REFERENCES", "GENERATED")
_NAME_OF_TYPE = sa_text("SELECT format_type(to_regtype(:kind), NULL)")
_OPAQUE = ("SELECT", "WITH", "EXECUTE", "CALL", "DO")
_TAKES_ALL = re.compile(r"\s*(DROP\s+(SCHEMA|OWNED|EXTENSION)|ALTER\s+SCHEMA)\b", re.IGNORECASE)
# Functions of extensions that take something away say so: DropGeometryColumn, detach_partition.
_MAY_TAKE = re.compile(r"drop|rename|remove|delete|detach|move|alter|undo|execute|rollback", re.IGNORECASE)
_CAPITALS = re.compile(r'"[^"]*[A-Z]')
_OF_COLUMN = ("column", "not null", "default", "type")
# `char` is `bpchar` or means one of them, and `float(24)` is a real.
_OF_MANY_NAMES = ("interval", "character")
_OWN_MODIFIERS = ("bit", "real", "double")
_HAS_CHILDREN = re.compile(r"\b(INHERITS?|PARTITION)\b", re.IGNORECASE)
_IF_EXISTS = re.compile(r"\bIF\s+EXISTS\b", re.IGNORECASE)
_BEGINS_LIKE = 20
"""Characters of a table's name with which PostgreSQL begins the names that it makes for its parts."""


@dataclass(frozen=True)
class _Expected:
    state: str
    """"yes" or "no"; of a column's type its words."""
    hangs_on: frozenset[str]
    """All that is named where it was made: with any of that it may go."""


class ExpectedEnd:
    """Of one revision, as far as its lines are followed."""

    def __init__(self, functions: Iterable[str]) -> None:
        """Of the schema's own `functions` nobody knows what they do."""
        self._expected: dict[Named, _Expected] = {}
        self._functions = {name.lower() for name in functions}
        self._temporary: set[str] = set()
        self._has_children = False

    @property
    def types(self) -> list[str]:
        """The words of each type that a column is to have."""
        return sorted({each.state for named, each in self._expected.items() if named.kind == "type"})

    def follow(self, sql: str) -> None:
        """One line of the revision comes next."""
        for text in texts_in(sql):
            word = first_word(text)
            self._has_children |= bool(_HAS_CHILDREN.search(text))
            if word in _OPAQUE:
                self._follow_opaque(word, text)
            elif _has_dotted_name(text):  # which the plain names that are compared here cannot tell from a schema's
                self._forget(_words(text))
            elif _TAKES_ALL.match(text):
                self._expected.clear()
            elif word == "CREATE":
                self._create(next(statements(text)), text)
            elif word == "DROP":
                self._drop(next(statements(text)), text)
            elif word == "ALTER":
                self._alter(next(statements(text)), text)

    def _follow_opaque(self, word: str, text: str) -> None:
        words = _words(text)
        if words & self._functions or (word == "DO" and "execute" in words):
            self._expected.clear()
        elif word in ("DO", "CALL", "EXECUTE") or _MAY_TAKE.search(text):
            self._forget(words)
            self._expected = {n: e for n, e in self._expected.items() if e.state != "no" or not words & e.hangs_on}

    # What is made

    def _create(self, reader: Reader, text: str) -> None:
        reader.accept("CREATE")
        what = reader.skip_to(*_CREATED)
        reader.accept("CONCURRENTLY")
        may_be_there = reader.accept("IF NOT EXISTS")
        name = plain(reader.name())
        if is_temporary(text):
            self._temporary.add(last_part(name))
        elif what in _ROUTINES:
            self._functions.add(last_part(name))
        elif what == "TABLE":
            self._create_table(reader, text, name, may_be_there=may_be_there)
        elif what in ("INDEX", "TRIGGER", "POLICY"):
            self._create_part(what, reader, text, name)
        elif what in _RELATION and (what != "TYPE" or reader.has("AS")):
            self._expect(Named("relation", "", name), "yes", _words(text))
            if what == "TYPE" and reader.accept("AS ENUM"):
                for label in reader.parentheses().rest():
                    if label.kind is Kind.STRING:
                        self._expect(Named("label", name, label.text), "yes", {last_part(name)})

    def _create_table(self, reader: Reader, text: str, name: str, *, may_be_there: bool) -> None:
        self._take_parts(name)
        self._may_name_by_itself(name)
        columns = reader.parentheses()
        of_another = any(map(reader.has, ("INHERITS", "PARTITION"))) or columns.done
        own = {last_part(name)}
        self._expect(Named("relation", "", name), "yes", _words(text) if of_another else own)
        for item in () if may_be_there else columns.split():
            if not item.comes(*_RULES):
                column = plain(item.name())
                self._expect(Named("column", name, column), "yes", {*own, column})

    def _create_part(self, what: str, reader: Reader, text: str, name: str) -> None:
        if name == "on":
            written = name
        elif reader.skip_to("ON") is None:
            return
        else:
            written = ""
        reader.accept("ONLY")
        table = plain(reader.name())
        if last_part(table) in self._temporary:
            return
        if written:
            self._may_name_by_itself(table)
        elif what == "INDEX":  # it is in the schema of its table
            self._expect(Named("relation", "", beside(table, name)), "yes", _words(text))
        else:
            self._expect(Named(what.lower(), table, name), "yes", _words(text))

    # What goes

    def _drop(self, reader: Reader, text: str) -> None:
        reader.accept("DROP")
        word = reader.accept_any(*_RELATION, "TRIGGER", "POLICY", "RULE", *_ROUTINES)
        reader.accept("CONCURRENTLY")
        reader.accept("IF EXISTS")
        if word in ("TRIGGER", "POLICY"):
            name = plain(reader.name())
            reader.accept("ON")
            self._take(Named(word.lower(), plain(reader.name()), name), text)
            return
        for name in [plain(each.name()) for each in reader.split()] if word else ():
            self._forget({last_part(name)})
            if word in ("TABLE", "VIEW", "MATERIALIZED VIEW", "INDEX"):
                self._take_parts(name)
                self._take(Named("relation", "", name), text)
            else:
                self._pop(Named("relation", "", name))

    # What becomes another one

    def _alter(self, reader: Reader, text: str) -> None:
        reader.accept("ALTER")
        reader.accept("FOREIGN")
        word = reader.accept_any(*_RELATION, "EXTENSION")
        whole = plain(reader.altered())
        if word == "EXTENSION" or "SET SCHEMA" in " ".join(text.upper().split()):
            self._forget(_words(text))
        elif word in ("TYPE", "DOMAIN"):
            self._alter_type(reader, whole)
        elif word is None:  # a policy, a trigger, a function
            self._forget(_words(text))
        elif last_part(whole) not in self._temporary:
            for action in reader.split():
                self._by_action(action, whole, word, text)

    def _alter_type(self, reader: Reader, whole: str) -> None:
        if reader.accept("RENAME TO"):
            self._rename(whole, plain(reader.name()))
        elif reader.accept("ADD VALUE"):
            reader.accept("IF NOT EXISTS")
            self._label(whole, reader, "yes")
        elif reader.accept("RENAME VALUE"):
            self._label(whole, reader, "no")
            reader.accept("TO")
            self._label(whole, reader, "yes")

    def _label(self, whole: str, reader: Reader, state: str) -> None:
        label = next(iter(reader.rest()), None)
        reader.skip_to(label.keyword or label.text if label else "")
        if label is not None and label.kind is Kind.STRING:
            self._expect(Named("label", whole, label.text), state, {last_part(whole)})

    def _by_action(self, action: Reader, whole: str, word: str, text: str) -> None:
        own = last_part(whole)
        if action.accept("ADD"):
            self._add(action, whole)
        elif action.accept("DROP CONSTRAINT"):
            action.accept("IF EXISTS")
            name = plain(action.name())
            self._pop(Named("relation", "", beside(whole, name)))
            self._forget_kind("not null", whole, "yes")  # from PostgreSQL 18 on it is one of these
            if action.has("CASCADE"):
                self._forget({own})
            self._take(Named("constraint", whole, name), text)
        elif word != "INDEX" and action.accept("DROP"):
            action.accept("COLUMN")
            action.accept("IF EXISTS")
            name = plain(action.name())
            self._forget({name}, also=own)
            self._forget_column(whole, name)
            self._take(Named("column", whole, name), text)
        elif action.accept("RENAME TO"):
            may_go = word != "TABLE" or bool(
                _IF_EXISTS.search(text)
            )  # an index goes with a column, a view with CASCADE
            self._rename(whole, plain(action.name()), may_go=may_go)
            if word == "INDEX":
                self._expected = {n: e for n, e in self._expected.items() if (n.kind, n.name) != ("constraint", own)}
        elif action.accept("RENAME CONSTRAINT"):
            self._rename_part(action, whole, ("constraint",), text)
        elif word != "INDEX" and action.accept("RENAME"):
            action.accept("COLUMN")
            self._rename_part(action, whole, _OF_COLUMN, text)
        elif word == "SEQUENCE":
            self._pop(Named("relation", "", whole))  # it goes with the column that owns it
        elif action.accept("ATTACH PARTITION"):
            self._may_name_by_itself(plain(action.name()))
        elif word != "INDEX" and action.accept("ALTER"):
            action.accept("COLUMN")
            if not action.comes("CONSTRAINT"):
                self._alter_column(action, whole)

    def _add(self, action: Reader, whole: str) -> None:
        own, words = last_part(whole), _words_of(action)
        if action.accept("CONSTRAINT"):
            name = plain(action.name())
            if action.accept("NOT NULL"):
                self._expect_of_column("not null", whole, plain(action.name()), "yes")
                return
            self._pop(Named("relation", "", beside(whole, name)))
            self._expect(Named("constraint", whole, name), "yes", {own, *words})
        elif action.comes(*_UNNAMED):
            self._may_name_by_itself(whole)
        else:
            self._add_column(action, whole)
            return
        if action.has("PRIMARY") or action.has("NOT"):
            self._forget_kind("not null", whole, "no")
        if action.skip_to("USING INDEX"):
            self._pop(Named("relation", "", beside(whole, plain(action.name()))))

    def _add_column(self, action: Reader, whole: str) -> None:
        action.accept("COLUMN")
        may_be_there = action.accept("IF NOT EXISTS")
        name = plain(action.name())
        kind, words = _type_words(action), _words_of(action)
        self._may_name_by_itself(whole)
        self._expect(Named("column", whole, name), "yes", {last_part(whole), name, *words})
        if not may_be_there:
            self._expect_of_column("type", whole, name, kind)
            rest = list(action.rest())
            if _follows(_outside_parentheses(rest), "NOT", "NULL"):
                self._expect_of_column("not null", whole, name, "yes")
            if _has_default(rest):
                self._expect_of_column("default", whole, name, "yes")

    def _alter_column(self, action: Reader, whole: str) -> None:
        name = plain(action.name())
        self._forget_column(whole, name, its_own=False)
        if action.accept("SET NOT NULL"):
            self._expect_of_column("not null", whole, name, "yes")
        elif action.accept("DROP NOT NULL"):
            self._expect_of_column("not null", whole, name, "no")
        elif action.accept("DROP DEFAULT"):
            self._expect_of_column("default", whole, name, "no")
        elif action.accept("SET DEFAULT"):
            self._pop(Named("default", whole, name))
            if not _is_null(action.rest()):
                self._expect_of_column("default", whole, name, "yes")
        elif action.accept_any("SET DATA TYPE", "TYPE"):
            self._expect_of_column("type", whole, name, _type_words(action))
        else:  # an identity, an expression
            self._pop(Named("default", whole, name))

    # Keeping what is expected

    def _expect_of_column(self, kind: str, table: str, name: str, state: str) -> None:
        words = {last_part(table), name, *(_words(state) if kind == "type" else ())}
        self._expect(Named(kind, table, name), state, words)

    def _expect(self, named: Named, state: str, words: Iterable[str]) -> None:
        self._pop(named)
        if is_name(named.last_part) and state:
            self._expected[named] = _Expected(state, frozenset(words))

    def _take(self, named: Named, text: str) -> None:
        """It goes, and is not to be there in the end; of names that differ in capitals nobody knows which is meant."""
        self._pop(named)
        if not _CAPITALS.search(text):
            self._expect(named, "no", {last_part(named.table), named.last_part})

    def _pop(self, named: Named) -> None:
        for each in [each for each in self._expected if each.is_like(named)]:
            del self._expected[each]

    def _take_parts(self, table: str) -> None:
        for each in [each for each in self._expected if each.table and same_name(each.table, table)]:
            del self._expected[each]

    def _forget(self, names: set[str], also: str = "") -> None:
        """All that may have gone with one of these, and with that; `also` must be named there too."""
        while names:
            lost = [
                named
                for named, each in self._expected.items()
                if each.state != "no" and names & each.hangs_on and (not also or also in each.hangs_on)
            ]
            for named in lost:
                del self._expected[named]
            names, also = {named.last_part for named in lost if not named.table}, ""

    def _forget_column(self, table: str, name: str, *, its_own: bool = True) -> None:
        """What is done to a column is done to those of the tables that inherit it, too."""
        for named in list(self._expected):
            goes = its_own if same_name(named.table, table) else self._has_children
            if goes and named.kind in _OF_COLUMN and named.name == name:
                del self._expected[named]

    def _forget_kind(self, kind: str, table: str, state: str) -> None:
        for named, each in list(self._expected.items()):
            if named.kind == kind and each.state == state and same_name(named.table, table):
                del self._expected[named]

    def _may_name_by_itself(self, table: str) -> None:
        """PostgreSQL may name an index or a constraint of the table: one that has gone may be there again."""
        begins = last_part(table)[:_BEGINS_LIKE]
        for named, each in list(self._expected.items()):
            if each.state == "no" and named.kind in ("relation", "constraint") and named.last_part.startswith(begins):
                del self._expected[named]

    def _rename(self, old: str, new: str, *, may_go: bool = False) -> None:
        """A relation or a type, with all that is a part of it or named together with it."""
        before, after = last_part(old), last_part(new)
        self._forget_type(before)
        moved: dict[Named, _Expected] = {}
        for named, each in self._expected.items():
            if not named.table and named.is_like(Named("relation", "", old)):
                continue
            if named.table and same_name(named.table, old):
                named = named._replace(table=beside(named.table, after))
            also = {after} if before in each.hangs_on else set()
            moved[named] = replace(each, hangs_on=each.hangs_on | also)
        self._expected = moved
        if may_go:
            self._pop(Named("relation", "", beside(old, after)))
        else:
            self._expect(Named("relation", "", beside(old, after)), "yes", {after})

    def _forget_type(self, name: str) -> None:
        """What columns were to be of that type are of it still, under another name."""
        for named, each in list(self._expected.items()):
            if named.kind == "type" and name in _words(each.state):
                del self._expected[named]

    def _rename_part(self, action: Reader, whole: str, kinds: tuple[str, ...], text: str) -> None:
        old = plain(action.name())
        action.accept("TO")
        new = plain(action.name())
        kept = {
            Named(n.kind, n.table, new): replace(e, hangs_on=e.hangs_on | {new})
            for n, e in self._expected.items()
            if any(n.is_like(Named(kind, whole, old)) for kind in kinds) and e.state != "no"
        }
        if kinds == _OF_COLUMN:
            self._forget_column(whole, old)
            self._forget_column(whole, new)
        else:
            self._pop(Named(kinds[0], whole, old))
            self._pop(Named(kinds[0], whole, new))
        self._expected = {
            n: replace(e, hangs_on=e.hangs_on | {new}) if old in e.hangs_on else e for n, e in self._expected.items()
        } | kept
        if kinds == ("constraint",):
            self._pop(Named("relation", "", beside(whole, old)))
            return  # it may be that of a NOT NULL, of which the facts tell no name
        self._take(Named(kinds[0], whole, old), text)
        self._expect(Named(kinds[0], whole, new), "yes", {last_part(whole), new})

    # Holding it against the catalogue

    def missing(self, facts: Facts, path: Collection[str] | None, types: Mapping[str, str]) -> list[str]:
        """In words, what is not so.

        `path` has the schemas in which a name without one is looked for, None where nobody knows; `types` what
        PostgreSQL calls each of the types.
        """
        there = _There(facts, path)
        return [words for named, each in self._expected.items() if (words := there.lacks(named, each.state, types))]


async def types_of(connection: AsyncConnection, kinds: Sequence[str]) -> dict[str, str]:
    """What PostgreSQL calls each of these types, without modifiers; nothing of one that it does not know."""
    found: dict[str, str] = {}
    for kind in kinds:
        with suppress(DBAPIError):  # what cannot be read as a type: the connection is in autocommit
            name = await connection.scalar(_NAME_OF_TYPE, {"kind": kind})
            found |= {kind: name} if name else {}
    return found


class _There:
    """What a catalogue shows."""

    def __init__(self, facts: Facts, path: Collection[str] | None) -> None:
        self._objects, self._path = facts.objects, None if path is None else {name.lower() for name in path}
        self._by_name: dict[str, list[Identity]] = {}
        for identity in facts.objects:
            self._by_name.setdefault(identity.name.lower(), []).append(identity)

    def lacks(self, named: Named, state: str, types: Mapping[str, str]) -> str:
        """In words; "" where it is so, or where that cannot be told."""
        if last_part(named.table or named.name) in BOOKKEEPING:
            return ""  # the catalogue that is read here leaves them out
        if named.table and not self._found(Named("relation", "", named.table)):
            return ""  # it is of an extension, or one of ours; where it is missing itself, that is said
        if named.kind == "label":
            return self._lacks_label(named, state)
        if named.kind in ("not null", "default", "type"):
            columns = [self._objects[each] for each in self._found(Named("column", named.table, named.name))]
            return "" if not columns else _lacks(named, state, columns, types)
        found = self._found(named)
        if state == "yes":
            return "" if found else f"{named} is missing"
        is_certain = "." in (named.table or named.name) or (self._path is not None and len(self._path) == 1)
        exact = [each for each in found if each.name == named.last_part]
        return f"{named} is there still" if exact and is_certain else ""

    def _found(self, named: Named) -> list[Identity]:
        return [
            each
            for each in self._by_name.get(named.last_part, ())
            if named.means(each) and self._is_on_path(named, each)
        ]

    def _is_on_path(self, named: Named, identity: Identity) -> bool:
        return self._path is None or "." in (named.table or named.name) or identity.schema.lower() in self._path

    def _lacks_label(self, named: Named, state: str) -> str:
        types = [self._objects[each] for each in self._found(Named("relation", "", named.table))]
        labels = [each["labels"] for each in types if "labels" in each]
        if (
            not labels
            or any(each.startswith("#") for each in labels)
            or not named.name.startswith("'")
            or "\\" in named.name
        ):
            return ""
        has = any(f", {named.name}," in f", {each}," for each in labels)
        if has == (state == "yes"):
            return ""
        return f"label {named.name} of {named.table} is {'there still' if has else 'missing'}"


def _lacks(named: Named, state: str, columns: list[Attributes], types: Mapping[str, str]) -> str:
    column = f"column {named.name} of {named.table}"
    if named.kind == "not null":
        if any((state == "yes") == ("not null" in each) for each in columns):
            return ""
        return f"{column} {'may be NULL' if state == 'yes' else 'is NOT NULL still'}"
    if named.kind == "default":
        has = [any(word in each for word in ("default", "identity", "generated")) for each in columns]
        if (state == "yes") in has:
            return ""
        return f"{column} {'has no default' if state == 'yes' else 'has a default still'}"
    wanted = types.get(state)
    if wanted is None or any(_is_type(each["type"], wanted, state) for each in columns):
        return ""
    return f"{column} is {columns[0]['type']}, and not {state}"


def _is_type(found: str, wanted: str, written: str) -> bool:
    """Whether the type that a column has is `wanted`, as PostgreSQL calls it without its modifiers."""
    if wanted.startswith(_OF_MANY_NAMES) and not wanted.startswith("character varying"):
        return found.startswith((*_OF_MANY_NAMES, "bpchar"))
    if last_part(re.sub(r"\([^)]*\)", "", found)) != last_part(wanted):
        return False
    if wanted.startswith(_OWN_MODIFIERS):
        return True
    has, asked = _numbers(found), _numbers(written)
    return has[: len(asked)] == asked if asked else not has


def _numbers(kind: str) -> list[str]:
    return re.findall(r"\d+", "".join(re.findall(r"\(([^)]*)\)", kind)))


def _type_words(action: Reader) -> str:
    """Of the type that comes next, up to what is said of the column besides."""
    return " ".join(token.text for token in takewhile(lambda token: token.keyword not in _AFTER_TYPE, action.rest()))


def _outside_parentheses(found: Iterable[Token]) -> list[str]:
    """What is said in an expression is not said of the column."""
    depth, outside = 0, []
    for token in found:
        depth += {"(": 1, ")": -1}.get(token.text, 0)
        if depth == 0:
            outside.append(token.keyword)
    return outside


def _has_default(found: Sequence[Token]) -> bool:
    words = [token.keyword for token in found]
    for place, (before, word) in enumerate(pairwise(["", *words])):
        if word == "DEFAULT" and before != "SET":  # ON DELETE SET DEFAULT
            return not _is_null(
                takewhile(
                    lambda token: (
                        token.keyword
                        not in ("NOT", "CONSTRAINT", "CHECK", "UNIQUE", "PRIMARY", "REFERENCES", "GENERATED")
                    ),
                    found[place + 1 :],
                )
            )
    return False


def _is_null(found: Iterable[Token]) -> bool:
    """Whether an expression may be NULL, which PostgreSQL keeps as no default, however it is written."""
    return any(token.keyword == "NULL" for token in found)


def _follows(words: list[str], one: str, other: str) -> bool:
    return any(pair == (one, other) for pair in pairwise(words))


def _has_dotted_name(text: str) -> bool:
    return '"' in text and any(each.kind is Kind.QUOTED_NAME and "." in each.text for each in tokens(text))


def _words(text: str) -> set[str]:
    return set(re.findall(r"\w+", text.lower()))


def _words_of(reader: Reader) -> set[str]:
    return _words(" ".join(token.text for token in reader.rest()))
