"""The chunks nearest to a vector: few candidates are compared one by one, many are looked for in the HNSW index.

Under a filter that few rows pass, an HNSW scan with default settings finds too few answers and the wrong ones (recall
0.02 at 5 %). So the candidates are counted first, as far as it takes to know. Few are found by the B-tree and compared.
Beyond, the index goes on until it has enough (`hnsw.iterative_scan`, pgvector 0.8) or until `hnsw.max_scan_tuples`; if
it has too few by then, all are compared after all. That limit is soon reached where the candidates lie far from what is
looked for, as a module about something else does: who comes there by the index finds the first of them, not the nearest
(recall 0.7), and later than by comparing them.

It is one statement: each way stands under a condition that PostgreSQL asks once, before it begins (One-Time Filter).
"""

from dataclasses import dataclass
from typing import Any

from pgvector.sqlalchemy import VECTOR
from sqlalchemy import (
    CTE,
    ColumnElement,
    Float,
    Integer,
    Text,
    bindparam,
    cast,
    func,
    literal_column,
    not_,
    or_,
    select,
    union_all,
)

from src.db.models import Chapter, Embedding, Module

FEW = (1_000, 5_000)
"""What is few: an eighth of the table, but never less than the first nor more than the second.

Of a larger part, the index finds enough in less time than it takes to compare them.
"""

FARTHEST = 20_000
"""Tuples, pgvector's default: a scan goes to a tenth of the table, or to 40 for each that is wanted, but not beyond."""

_EF_SEARCH = range(40, 1_001)  # from pgvector's default, which has recall 0.995 here, to its limit
# The cast says what is sent, also while a migration has the column of another type, to which PostgreSQL converts it.
_ASKED = cast(bindparam("vector", type_=VECTOR()), VECTOR())
_DISTANCE: ColumnElement[float] = Embedding.embedding.op("<=>", return_type=Float())(_ASKED)
_OF_MODEL = Embedding.embedding_model == bindparam("model")
_LEAST, _MOST = bindparam("least", type_=Integer()), bindparam("most", type_=Integer())
_ROWS = literal_column("(SELECT reltuples FROM pg_class WHERE oid = 'embeddings'::regclass)", Float())
_FARTHEST = bindparam("farthest", type_=Integer())
_ENOUGH = cast(func.least(_MOST, func.greatest(_LEAST, _ROWS / literal_column("8"))), Integer())


@dataclass(frozen=True, slots=True)
class Scope:
    """Where to look: everywhere, in one module, or in one chapter of it. By their slugs."""

    module: str | None = None
    chapter: str | None = None

    @property
    def parameters(self) -> dict[str, str]:
        """The values that `visible(self)` binds."""
        named = {"module": self.module, "chapter": self.chapter}
        return {name: slug for name, slug in named.items() if slug is not None}

    @property
    def shape(self) -> "Scope":
        """The same without its values: what a statement depends on."""
        return Scope(None if self.module is None else "", None if self.chapter is None else "")


EVERYWHERE = Scope()


def visible(scope: Scope) -> ColumnElement[bool]:
    """That a chapter, joined with its module, is within `scope` and may be seen by everybody."""
    condition = Chapter.is_published & Module.is_published
    if scope.module is not None:
        condition &= Module.slug == bindparam("module")
    if scope.chapter is not None:
        condition &= Chapter.slug == bindparam("chapter")
    return condition


def nearest(scope: Scope, depth: int) -> CTE:
    """The `depth` nearest chunks: `id`, `chapter_id`, `rank` from 1 on, and `place`, the rank within the chapter.

    `depth` is written into the statement: with a parameter, a generic plan would guess it, and sort the whole table.
    """
    few = select(_few(scope).c.few).scalar_subquery()
    by_index = _by_index(scope, not_(few), depth)
    count = select(func.count()).select_from(by_index).scalar_subquery()
    compared = _compared(scope, or_(few, count < depth), depth)
    found = union_all(select(compared), select(by_index).where(count == depth)).subquery("found")
    # Ranked after all are there: the index yields its last rows slightly out of order.
    order = (found.c.distance, found.c.id)
    return select(
        found.c.id,
        found.c.chapter_id,
        func.row_number().over(order_by=order).label("rank"),
        func.row_number().over(partition_by=found.c.chapter_id, order_by=order).label("place"),
    ).cte("near")


def _few(scope: Scope) -> CTE:
    """Whether the candidates are few; counts no further than it takes to know, and through indexes alone."""
    if scope == EVERYWHERE:
        # All of them, or nearly. A table that was never analysed has -1 rows here: it is new, and small.
        return select((_ROWS <= _ENOUGH).label("few")).cte("candidates")
    some = select(Embedding.chapter_id).join(Chapter).join(Module).where(_OF_MODEL, visible(scope))
    counted = some.limit(_ENOUGH + literal_column("1")).subquery("counted")
    return select((func.count() <= _ENOUGH).label("few")).select_from(counted).cte("candidates")


def _compared(scope: Scope, condition: ColumnElement[bool], depth: int) -> CTE:
    # An expression that is no index's: the planner cannot take the HNSW index for it.
    distance = (_DISTANCE + literal_column("0")).label("distance")
    chunks = select(Embedding.id, Embedding.chapter_id, distance).join(Chapter).join(Module)
    chosen = chunks.where(condition, _OF_MODEL, visible(scope)).order_by(distance)
    return chosen.limit(literal_column(str(depth))).cte("compared").prefix_with("MATERIALIZED")


def _by_index(scope: Scope, condition: ColumnElement[bool], depth: int) -> CTE:
    # A subquery of one row, which the planner cannot turn into a join that would sort all candidates.
    of_its_chapter = select(visible(scope)).join_from(Chapter, Module).where(Chapter.id == Embedding.chapter_id)
    chunks = select(Embedding.id, Embedding.chapter_id, _DISTANCE.label("distance"))
    chosen = chunks.where(condition, *_settings(depth), _OF_MODEL, of_its_chapter.scalar_subquery())
    ordered = chosen.order_by(_DISTANCE).limit(literal_column(str(depth)))
    return ordered.cte("by_index").prefix_with("MATERIALIZED")


def _settings(depth: int) -> list[ColumnElement[Any]]:
    """Conditions that make settings of this transaction. They are asked, and so made, before the scan begins."""
    ef_search = min(max(depth, _EF_SEARCH.start), _EF_SEARCH.stop - 1)
    farthest = func.least(_FARTHEST, func.greatest(literal_column(str(40 * depth)), _ROWS / literal_column("10")))
    settings: dict[str, ColumnElement[Any]] = {
        "hnsw.iterative_scan": literal_column("'relaxed_order'"),
        "hnsw.ef_search": literal_column(f"'{ef_search}'"),
        "hnsw.max_scan_tuples": cast(cast(farthest, Integer()), Text()),
    }
    return [
        select(func.set_config(literal_column(f"'{name}'"), value, literal_column("true")))
        .scalar_subquery()
        .is_not(None)
        for name, value in settings.items()
    ]
