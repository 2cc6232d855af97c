"""Search by text, by vector, or both: one statement, whose two lists are joined by reciprocal rank.

A hit is a passage: a chunk of a chapter, or the chapter as a whole where only its text was found. A chapter that both
lists have adds the rank of its text to its nearest chunk. Reciprocal rank fusion: Cormack, Clarke and Büttcher, 2009.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, NamedTuple

from pgvector import Vector
from sqlalchemy import (
    CTE,
    ColumnElement,
    Double,
    Integer,
    Select,
    Text,
    Uuid,
    bindparam,
    cast,
    exists,
    func,
    literal,
    literal_column,
    null,
    select,
    text,
)
from sqlalchemy.dialects.postgresql import REGCONFIG

from src.db.hot_query import HotQuery, Reader
from src.db.models import Chapter, Embedding, Module
from src.db.queries import nearest
from src.db.queries.nearest import EVERYWHERE, Scope, visible

MARK, UNMARK = "\ue000", "\ue001"
"""Around the words that were found: characters that no text has, so that a snippet can be escaped afterwards."""

_FUSION = 60
"""The constant of the paper: how little the first ranks count for more than the next."""
_JOINED_DEPTH = 100
_DEPTHS = (11, 21, 51, 101, 201, 401, 701)  # a statement each, and plans that know how many rows are wanted
_SNIPPET_LENGTH = 300  # characters
_HEADLINE_LENGTH = 30_000  # characters of a chapter among which a snippet is looked for: a long page took 2 s with more
_LIMIT = bindparam("limit", type_=Integer())
_OFFSET = bindparam("offset", type_=Integer())
_ENGLISH = literal_column("'english'", REGCONFIG())
_WORDS = func.websearch_to_tsquery(_ENGLISH, bindparam("text", type_=Text()))


@dataclass(frozen=True, slots=True)
class Query:
    """What to look for; `text`, `vector` or both. `model` made the vector."""

    text: str | None = None
    vector: Vector | None = None
    model: str = ""
    scope: Scope = EVERYWHERE
    snippet_words: int = 40
    """How long a snippet is, with text to look for."""

    @property
    def headline(self) -> str:
        """The options of `ts_headline`."""
        longest = self.snippet_words
        return f"StartSel={MARK}, StopSel={UNMARK}, MinWords={longest // 2}, MaxWords={longest}"


class Hit(NamedTuple):
    """A passage. `snippet` is text with marks, of HTML (with its entities) where there is no chunk."""

    module_slug: str
    module_title: str
    chapter_slug: str
    chapter_title: str
    chunk_index: int | None
    score: float
    snippet: str


async def search(reader: Reader, query: Query, *, limit: int, offset: int = 0) -> Sequence[Hit]:
    """The hits from `offset` on, the best first; published chapters of published modules only.

    By vector there are as many as there are chunks in the scope, up to `limit`, however few of all pass the filter.
    """
    # Joined lists have one depth for all pages: another would put other hits first.
    deepest = _JOINED_DEPTH if query.text is not None and query.vector is not None else offset + limit
    depth = next(depth for depth in _DEPTHS if depth >= deepest)
    rows = await reader.rows(
        hot_query(query.text is not None, query.vector is not None, query.scope.shape, depth),
        text=query.text,
        vector=query.vector,
        model=query.model,
        least=nearest.FEW[0],
        most=nearest.FEW[1],
        farthest=nearest.FARTHEST,
        headline=query.headline,
        limit=limit,
        offset=offset,
        **query.scope.parameters,
    )
    return [Hit(*row) for row in rows]


async def scope_exists(reader: Reader, scope: Scope) -> bool:
    """Whether everybody may see the module or the chapter that `scope` names."""
    return scope == EVERYWHERE or bool(await reader.value(_exists(scope.shape), **scope.parameters))


@cache
def _exists(scope: Scope) -> HotQuery:
    if scope.chapter is None:
        return HotQuery(select(exists().where(Module.slug == bindparam("module"), Module.is_published)))
    return HotQuery(select(exists(select(Chapter.id).join(Module).where(visible(scope)))))


@cache
def hot_query(by_text: bool, by_vector: bool, scope: Scope, depth: int) -> HotQuery:
    """The statement for a kind of query, by the shape of its scope; built once for each."""
    lists = [*([_matched(scope, depth)] if by_text else []), *([nearest.nearest(scope, depth)] if by_vector else [])]
    chosen = _both(*lists) if len(lists) == 2 else _one(*lists)
    page = chosen.order_by(text("score DESC, chapter_id, chunk_id")).limit(_LIMIT)
    fused = page.offset(_OFFSET).subquery("fused")
    # Snippets are made here, of the rows that are shown, and of no other.
    return HotQuery(
        select(
            Module.slug,
            Module.title,
            Chapter.slug,
            Chapter.title,
            Embedding.chunk_index,
            fused.c.score,
            _snippet(by_text),
        )
        .join_from(fused, Chapter, Chapter.id == fused.c.chapter_id)
        .join(Module, Module.id == Chapter.module_id)
        .outerjoin(Embedding, Embedding.id == fused.c.chunk_id)
        .order_by(fused.c.score.desc(), fused.c.chapter_id, fused.c.chunk_id)
    )


def _matched(scope: Scope, depth: int) -> CTE:
    """The `depth` chapters whose words fit best, in the columns of `nearest`."""
    fit = func.ts_rank_cd(Chapter.search_document, _WORDS, 1).label("fit")  # 1: by the logarithm of the length
    matching = select(Chapter.id, fit).join(Module).where(Chapter.search_document.op("@@")(_WORDS), visible(scope))
    # Numbered after they are chosen: to number all that match would sort them all.
    best = matching.order_by(fit.desc(), Chapter.id).limit(literal_column(str(depth))).subquery("best")
    return select(
        null().cast(Uuid).label("id"),
        best.c.id.label("chapter_id"),
        func.row_number().over(order_by=(best.c.fit.desc(), best.c.id)).label("rank"),
        literal(1).label("place"),
    ).cte("matched")


def _one(ranked: CTE) -> Select[*tuple[Any, ...]]:
    return select(ranked.c.chapter_id, ranked.c.id.label("chunk_id"), _score(ranked).label("score"))


def _both(matched: CTE, near: CTE) -> Select[*tuple[Any, ...]]:
    same = (matched.c.chapter_id == near.c.chapter_id) & (matched.c.place == near.c.place)
    chapter_id = func.coalesce(matched.c.chapter_id, near.c.chapter_id)
    score = func.coalesce(_score(matched), 0.0) + func.coalesce(_score(near), 0.0)
    chosen = select(chapter_id.label("chapter_id"), near.c.id.label("chunk_id"), score.label("score"))
    return chosen.select_from(matched.join(near, same, full=True))


def _score(ranked: CTE) -> ColumnElement[Any]:
    return literal_column("1.0", Double()) / cast(ranked.c.rank + _FUSION, Double())


def _snippet(by_text: bool) -> ColumnElement[str]:
    if not by_text:
        return func.left(Embedding.content, _SNIPPET_LENGTH)
    whole = func.concat_ws(" ", Chapter.description, func.left(Chapter.content_html, _HEADLINE_LENGTH))
    # What PostgreSQL takes for tags becomes spaces in a headline.
    return func.ts_headline(_ENGLISH, func.coalesce(Embedding.content, whole), _WORDS, bindparam("headline"))
