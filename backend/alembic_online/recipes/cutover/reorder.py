"""Which statements may come before all that waits for the cut-over, and end as if they came after it.

    DROP VIEW v; UPDATE t SET ...; ALTER TABLE t ALTER x TYPE bigint; CREATE VIEW v ...

The UPDATE does not know of the view. If it had what waits carried out first, clients would miss the view for as long as
rows are changed and copied. So it comes first, and the view is there until the one short transaction. Told by the
text: what is not certain waits its turn.
"""

import re
from collections.abc import Sequence
from functools import cached_property
from typing import Any

from sqlalchemy import Row

from alembic_online.postgres.locks import is_patient, strong_locks
from alembic_online.postgres.locks.reader import first_word
from alembic_online.recipes.cutover.cutover import CutOver
from alembic_online.recipes.cutover.pending_statements import Waiting, gaps
from alembic_online.recipes.cutover.statement_forms import assigned, is_type_change, names_of, retyped, updated
from alembic_online.recipes.database import Database
from alembic_online.recipes.names import plain
from alembic_online.recipes.object_effects import GivenUp, is_definition, last_part, same_name

_WORD = re.compile(r"[^\W\d][\w$]*")
_CALLED = re.compile(r"([^\W\d][\w$.]*)\s*\(")
_OF_THE_CATALOGUE = re.compile(r"\bpg_|information_schema|to_reg|::\s*reg", re.IGNORECASE)
# Whose name is compared with a value: a list of all names has in it what waits.
_ONE_BY_NAME = re.compile(
    r"\b(rel|con|typ|pro|att|table_?|index|column_|constraint_)name\b[\s\")]*(=|IN\b)[\s(]*(ANY[\s(]*)?('|%[(s]|\$\d|:\w)",
    re.IGNORECASE,
)
_WRITES = {"INSERT", "UPDATE", "DELETE", "MERGE", "COPY", "TRUNCATE"}
_READS = ("SELECT", "WITH", "VALUES", "TABLE")
# Functions of PostgreSQL, and words that stand before a parenthesis, which do no more than their arguments say.
_PLAIN = re.compile(
    r"""abs|and|any|array|array_agg|array_append|array_remove|as|avg|btrim|by|case|cast|ceil|char|coalesce|concat|
    concat_ws|count|current_date|current_timestamp|date_trunc|decode|distinct|else|encode|everything|except|
    exists|extract|filter|floor|format|from|gen_random_uuid|greatest|group|having|ilike|in|initcap|intersect|
    is|json_agg|json_build_object|json_object_agg|jsonb_agg|jsonb_build_array|jsonb_build_object|jsonb_set|
    lateral|least|left|length|like|limit|lower|lpad|ltrim|max|md5|min|mod|not|now|nullif|numeric|offset|on|or|
    order|over|partition|position|power|random|regexp_replace|repeat|replace|returning|reverse|right|round|
    row|row_number|rpad|rtrim|select|set|split_part|substr|substring|sum|then|to_char|to_date|to_json|
    to_jsonb|to_number|to_timestamp|to_tsvector|translate|trim|trunc|union|unnest|upper|using|uuidv7|values|
    varchar|when|where|with|within""",
    re.VERBOSE,
)
_DEPENDED_ON = ("column", "table", "type", "function", "sequence", "view", "key")
# Views that name the column, or that list all columns by `GROUP BY` a primary key, which they need then.
_LEANS_ON = {
    "key": """
        SELECT 1 FROM pg_constraint k JOIN pg_class c ON c.oid = k.conrelid
        JOIN pg_depend d ON d.refclassid = 'pg_constraint'::regclass AND d.refobjid = k.oid
        WHERE d.classid = 'pg_rewrite'::regclass AND lower(k.conname) = :name AND lower(c.relname) = :table LIMIT 1
    """,
    "column": """
        SELECT 1 FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid
        JOIN pg_depend d ON d.refclassid = 'pg_class'::regclass AND d.refobjid = c.oid AND d.refobjsubid = a.attnum
        WHERE d.classid = 'pg_rewrite'::regclass AND lower(a.attname) = :name AND lower(c.relname) = :table LIMIT 1
    """,
}
_RULES = ("constraint", "key", "index", "not null")
_IS_RULED = "SELECT 1 FROM pg_class WHERE lower(relname) = :table AND row_security_active(oid)"
# By the bits of pg_trigger.tgtype (TRIGGER_TYPE_INSERT and so on). MERGE does any of them, and INSERT may update.
_FIRED_BY = {"UPDATE": 16, "DELETE": 8, "TRUNCATE": 32}
_ALL_EVENTS = 4 | 8 | 16 | 32
# Triggers of a table that such a statement fires, but for our own, and keys by which a change of its rows is one of
# others.
_REACHES_FURTHER = """
    SELECT 1 FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid LEFT JOIN pg_constraint k ON k.oid = t.tgconstraint
    WHERE lower(c.relname) = ANY (:names) AND CASE WHEN t.tgisinternal THEN k.confrelid = c.oid
        AND (:deletes AND k.confdeltype NOT IN ('a', 'r') OR :updates AND k.confupdtype NOT IN ('a', 'r'))
        ELSE t.tgname NOT LIKE '~%__new' AND t.tgtype & :events > 0
        AND (t.tgattr = '' OR CAST(:columns AS text[]) IS NULL OR EXISTS (
            SELECT FROM pg_attribute a WHERE a.attrelid = c.oid AND a.attnum = ANY (t.tgattr)
            AND lower(a.attname) = ANY (CAST(:columns AS text[])))) END
    UNION ALL SELECT 1 FROM pg_rewrite r JOIN pg_class c ON c.oid = r.ev_class
    WHERE lower(c.relname) = ANY (:names) AND r.rulename <> '_RETURN' LIMIT 1
"""
# The relations that hold the rows of those with such names, or rule them: the tables under a view, partitions and
# children, and all that these are partitions or children of: no triggers of the last are fired. A view `calls` a
# function that is not PostgreSQL's own.
_OF_THE_SAME_ROWS = """
    WITH RECURSIVE below AS (
        SELECT oid FROM pg_class WHERE lower(relname) = ANY (:names) AND relkind IN ('r', 'p', 'f', 'v')
        AND relnamespace NOT IN ('pg_catalog'::regnamespace, 'information_schema'::regnamespace)
        UNION SELECT e.oid FROM below JOIN (
            SELECT inhparent AS of, inhrelid AS oid FROM pg_inherits
            UNION ALL SELECT r.ev_class, d.refobjid FROM pg_rewrite r JOIN pg_depend d ON d.objid = r.oid
            AND d.classid = 'pg_rewrite'::regclass AND d.refclassid = 'pg_class'::regclass) e ON e.of = below.oid
    ), above AS (SELECT oid FROM below UNION SELECT i.inhparent FROM above JOIN pg_inherits i ON i.inhrelid = above.oid)
    SELECT DISTINCT lower(c.relname) AS name, c.oid IN (SELECT oid FROM below) AS fires, c.relkind = 'v' AS is_view,
        c.relkind = 'v' AND EXISTS (
            SELECT FROM pg_rewrite r JOIN pg_depend d ON d.objid = r.oid AND d.classid = 'pg_rewrite'::regclass
            WHERE r.ev_class = c.oid AND d.refclassid = 'pg_proc'::regclass) AS calls
    FROM above JOIN pg_class c USING (oid)
"""
# The tables and columns that a constraint or a unique index rules; what is computed of others counts with it.
_RULED = """
    SELECT lower(c.relname) AS table, lower(a.attname) AS name, k.foreign FROM pg_class c
    JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 JOIN (
        SELECT conrelid AS oid, conkey AS keys, contype = 'f' AS foreign FROM pg_constraint WHERE lower(conname) = :name
        UNION ALL SELECT confrelid, confkey, true FROM pg_constraint WHERE lower(conname) = :name AND contype = 'f'
        UNION ALL SELECT x.indrelid, x.indkey::int2[], false FROM pg_index x JOIN pg_class i ON i.oid = x.indexrelid
        WHERE lower(i.relname) = :name AND x.indisunique) k ON k.oid = c.oid
    WHERE a.attnum = ANY (k.keys) OR 0 = ANY (k.keys) OR a.attgenerated <> ''
"""


def is_independent(sql: str, values: Sequence[str], cut_over: CutOver, database: Database) -> bool:
    """Whether `sql`, given such values, may overtake all that waits. The same for each try of a revision."""
    return database.recall_whether(f"overtakes: {sql}", lambda: _Statement(sql, database, values).passes(cut_over))


def may_stay(waiting: Sequence[Waiting], sql: str, cut_over: CutOver, database: Database) -> list[Waiting]:
    """Those that leave a gap and need not be carried out with the others, before `sql`, which needs one of these."""
    open_ends, statement = set(gaps(waiting)), _Statement(sql, database)
    stay = [each for each in waiting if each.step is None and each.gives_up and open_ends.issuperset(each.gives_up)]
    stay = [each for each in stay if statement.passes_one(each, cut_over)] if sql else []
    while True:
        others = [each for each in waiting if each not in stay]
        left = [each for each in stay if all(_goes_before(other, each, database) for other in others)]
        if left == stay:
            return stay
        stay = left


def _goes_before(other: Waiting, waiting: Waiting, database: Database) -> bool:
    """Whether it can be done though what `waiting` gives up is still there."""
    if other.swaps or is_type_change(other.sql):
        return False
    names = {last_part(each.name) for each in waiting.gives_up}
    needed = [each for each in other.gives_up if each.kind in _DEPENDED_ON]
    drops = "RENAME" not in other.sql.upper() and any(not _is_free(each, waiting, database) for each in needed)
    return not drops and "CASCADE" not in other.sql.upper() and names.isdisjoint(names_of(other.sql))


def _is_free(each: GivenUp, waiting: Waiting, database: Database) -> bool:
    """Whether a key or a column can go though what `waiting` gives up is still there: nothing of it leans on that."""
    if each.kind not in _LEANS_ON or not each.table:
        return False
    for one in waiting.gives_up:
        if one.kind in ("column", "default", "not null"):
            if each.kind != "column" or same_name(one.table, each.table):
                return False
        elif one.kind != "view":
            return False
    given = {"name": last_part(each.name), "table": last_part(each.table)}
    return not any(one.kind == "view" for one in waiting.gives_up) or not database.ask(_LEANS_ON[each.kind], **given)


class _Statement:
    def __init__(self, sql: str, database: Database, values: Sequence[str] = ()) -> None:
        self._sql, self._database = sql, database
        self._words = names_of(sql) | {word.lower() for text in (sql, *values) for word in _WORD.findall(text)}
        capitals = {word.upper() for word in self._words}
        self._writes = capitals & _WRITES
        self._has_default = "DEFAULT" in capitals
        self._is_of_rows = not is_definition(sql)

    @cached_property
    def _same_rows(self) -> Sequence[Row[Any]]:
        return self._database.ask(_OF_THE_SAME_ROWS, names=sorted(self._words))

    @cached_property
    def _reached(self) -> set[str]:
        """Its words, and the relations that share rows with one of them."""
        return self._words | {row.name for row in self._same_rows}

    def passes(self, cut_over: CutOver) -> bool:
        """It names nothing that is made, and depends on nothing that goes."""
        if _OF_THE_CATALOGUE.search(self._sql):
            asks = first_word(self._sql) in _READS and not self._writes and _ONE_BY_NAME.search(self._sql)
            return bool(asks) and not any(self._names_any(each) for each in cut_over.waiting)
        if is_patient(self._sql) or first_word(self._sql) == "ANALYZE":
            return not any(self._meets(each) for each in cut_over.waiting)
        if not self._is_of_rows:
            return (
                first_word(self._sql) == "CREATE"
                and not any(self._names_any(each) for each in cut_over.waiting)
                and not strong_locks(self._sql)
            )
        return all(self.passes_one(each, cut_over) for each in cut_over.waiting)

    def passes_one(self, waiting: Waiting, cut_over: CutOver) -> bool:
        """The same for one of those that wait; what is carried out online knows of them."""
        if self._is_of_rows:
            plain_rows = first_word(self._sql) in (*_READS, *_WRITES) and not self._calls_others()
            return plain_rows and not _OF_THE_CATALOGUE.search(self._sql) and self._comes_before(waiting, cut_over)
        return self._words.isdisjoint(last_part(each.name) for each in waiting.gives_up)

    def _calls_others(self) -> bool:
        if any(row.calls for row in self._same_rows):
            return True
        if self._writes & {"INSERT"}:  # its list of columns comes in parentheses too
            return "SELECT" in self._sql.upper() and bool(self._called() - self._named_tables())
        return bool(self._called())

    def _called(self) -> set[str]:
        return {name.lower() for name in _CALLED.findall(self._sql) if not _PLAIN.fullmatch(name.lower())}

    def _named_tables(self) -> set[str]:
        found = re.findall(r"\b(?:INTO|JOIN|FROM)\s+([\w$.\"]+)", self._sql, re.IGNORECASE)
        return {plain(name) for name in found}

    def _meets(self, waiting: Waiting) -> bool:
        """For what reads a table and its indexes, but no values that clients would miss."""
        gone = {last_part(each.name) for each in waiting.gives_up if each.kind not in ("default", "grant")}
        return bool(self._words & (waiting.makes | gone)) or last_part(plain(waiting.swaps)) in self._words

    def _names_any(self, waiting: Waiting) -> bool:
        given = {last_part(name) for each in waiting.gives_up for name in (each.name, each.table)}
        return bool(self._words & (waiting.makes | given | _locked(waiting)))

    def _comes_before(self, waiting: Waiting, cut_over: CutOver) -> bool:
        if self._reached & waiting.makes:
            return False
        if waiting.step is not None:
            return self._leaves_columns(waiting, cut_over)
        if not waiting.gives_up:
            return not self._reached & _locked(waiting)
        if (columns := retyped(waiting.sql)) and self._reached & _locked(waiting) and self._uses(columns):
            return False
        return all(self._may_precede(each) for each in waiting.gives_up)

    def _leaves_columns(self, waiting: Waiting, cut_over: CutOver) -> bool:
        """It is a step of a swap: rows of its table may change, but not the column, nor may all columns be listed."""
        named = [table for table in {*_locked(waiting), last_part(plain(waiting.swaps))} if table in self._reached]
        columns = {column.lower() for table in named for column in cut_over.exchanged(table)}
        return not named or (bool(columns) and not self._uses(columns))

    def _uses(self, columns: set[str]) -> bool:
        """Whether it names one of these columns of a table that it names, or may list all that the table has."""
        listed = "*" in self._sql or bool(self._writes - {"UPDATE", "DELETE"})
        return listed or not self._reached.isdisjoint(columns)

    def _may_precede(self, each: GivenUp) -> bool:
        table, name = last_part(each.table), last_part(each.name)
        if each.kind in ("view", "function", "grant"):
            return name not in self._reached or each.kind == "grant"
        if each.kind == "policy" or (each.kind == "switch" and name.endswith("security")):
            # Who is above them reads and writes the same rows with them and without.
            return table not in self._reached or not self._database.ask(_IS_RULED, table=table)
        if not self._writes:
            return table not in self._reached if each.kind == "column" else name not in self._reached
        if each.kind in _RULES:
            return self._respects(each, name)
        if self._reaches_further():
            return False
        if each.kind == "default":
            return table not in self._reached or not (self._has_default or self._writes - {"UPDATE", "DELETE"})
        return not {table, name} & self._reached if table else name not in self._reached

    def _respects(self, each: GivenUp, name: str) -> bool:
        """It cannot break the rule, nor is another statement where there is none."""
        if name in self._reached:
            return False
        ruled = self._database.ask(_RULED, name=name) if each.kind != "not null" else ()
        columns, tables = {row.name for row in ruled} or {name}, {row.table for row in ruled} or {last_part(each.table)}
        if not tables & self._reached or (not ruled and each.kind == "index"):
            return not self._reaches_further()
        if self._reaches_further():
            return False
        if self._writes == {"UPDATE"}:
            changed = self._assigned()
            return changed is not None and not changed & columns
        return self._writes == {"DELETE"} and not any(row.foreign for row in ruled)

    def _assigned(self) -> set[str] | None:
        """The columns that a plain UPDATE sets; those of a view may have other names in its tables."""
        is_of_view = updated(self._sql) in {row.name for row in self._same_rows if row.is_view}
        return None if is_of_view else assigned(self._sql)

    def _reaches_further(self) -> bool:
        deletes, updates = self._writes - {"UPDATE", "INSERT"}, self._writes - {"DELETE", "TRUNCATE"}
        events = sum(_FIRED_BY.get(each, _ALL_EVENTS) for each in self._writes)
        columns = self._assigned() if self._writes == {"UPDATE"} else None
        fired = self._words | {row.name for row in self._same_rows if row.fires}
        asked = {"names": sorted(fired), "deletes": bool(deletes), "updates": bool(updates), "events": events}
        asked["columns"] = None if columns is None else sorted(columns)
        return bool(self._database.ask(_REACHES_FURTHER, **asked))


def _locked(waiting: Waiting) -> set[str]:
    return {last_part(plain(lock.name)) for lock in strong_locks(waiting.sql)}
