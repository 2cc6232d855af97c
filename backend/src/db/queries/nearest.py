"""The chunks nearest to a vector, by an exact scan or by the HNSW index.

Under a filter that few rows pass, an HNSW scan with default settings finds too few answers and the wrong ones (recall
0.02 at 5 %). So few candidates are found through the B-tree and compared one by one; many are looked for in the index,
which goes on until there are enough (`hnsw.iterative_scan`, pgvector 0.8) or until `hnsw.max_scan_tuples`: who gets too
few from it scans exactly.
"""

from dataclasses import dataclass
from enum import Enum
from functools import cache
from typing import Any

from sqlalchemy import CTE, ColumnElement, Float, Select, bindparam, func, literal_column, select, text
from sqlalchemy.ext.asyncio import AsyncSession

from src.db.models import Chapter, Embedding, Module
from src.db.vector import BinaryVector

EXACT_LIMIT = 5_000
"""Candidates that are compared one by one in less time than a filtered walk through the index takes."""

_EF_SEARCH = range(40, 1_001)  # from pgvector's default, which has recall 0.995 here, to its limit
_ITERATIVE = text(
    "SELECT set_config('hnsw.iterative_scan', 'relaxed_order', true), set_config('hnsw.ef_search', :ef_search, true)"
)
_DISTANCE: ColumnElement[float] = Embedding.embedding.op("<=>", return_type=Float())(
    bindparam("vector", type_=BinaryVector())
)
_OF_MODEL = Embedding.embedding_model == bindparam("model")


class Scan(Enum):
    """How the nearest are found."""

    EXACT = "exact"
    INDEX = "index"


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


async def choose(session: AsyncSession, scope: Scope, model: str) -> Scan:
    """Exact when the candidates are few. Counts no further than it takes to know, through the index alone."""
    parameters = {"model": model, "enough": EXACT_LIMIT + 1, **scope.parameters}
    candidates = await session.execute(_count(scope.shape), parameters)
    return Scan.EXACT if candidates.scalar_one() <= EXACT_LIMIT else Scan.INDEX


async def prepare_index_scan(session: AsyncSession, depth: int) -> None:
    """Let this transaction's index scans go on until they have found enough."""
    ef_search = min(max(depth, _EF_SEARCH.start), _EF_SEARCH.stop - 1)
    await session.execute(_ITERATIVE, {"ef_search": str(ef_search)})


def nearest(scan: Scan, scope: Scope) -> CTE:
    """The `depth` nearest chunks: `id`, `chapter_id`, `rank` from 1 on, and `place`, the rank within the chapter."""
    statement = _exact(scope) if scan is Scan.EXACT else _by_index(scope)
    # Fetched first and ranked after: the index yields its last rows slightly out of order.
    found = statement.limit(bindparam("depth")).cte("candidates").prefix_with("MATERIALIZED")
    order = (found.c.distance, found.c.id)
    return select(
        found.c.id,
        found.c.chapter_id,
        func.row_number().over(order_by=order).label("rank"),
        func.row_number().over(partition_by=found.c.chapter_id, order_by=order).label("place"),
    ).cte("near")


def _exact(scope: Scope) -> Select[*tuple[Any, ...]]:
    # An expression that is no index's: the planner cannot take the HNSW index for it.
    distance = (_DISTANCE + literal_column("0")).label("distance")
    chunks = select(Embedding.id, Embedding.chapter_id, distance)
    return chunks.join(Chapter).join(Module).where(_OF_MODEL, visible(scope)).order_by(distance)


def _by_index(scope: Scope) -> Select[*tuple[Any, ...]]:
    # A subquery of one row, which the planner cannot turn into a join that would sort all candidates.
    of_its_chapter = select(visible(scope)).join_from(Chapter, Module).where(Chapter.id == Embedding.chapter_id)
    chunks = select(Embedding.id, Embedding.chapter_id, _DISTANCE.label("distance"))
    return chunks.where(_OF_MODEL, of_its_chapter.scalar_subquery()).order_by(_DISTANCE)


@cache
def _count(scope: Scope) -> Select[Any]:
    some = select(Embedding.chapter_id).join(Chapter).join(Module).where(_OF_MODEL, visible(scope))
    return select(func.count()).select_from(some.limit(bindparam("enough")).subquery())
