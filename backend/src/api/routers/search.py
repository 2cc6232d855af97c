"""Search by words and by meaning."""

from http import HTTPStatus
from typing import Annotated, Literal

from pydantic import Field, TypeAdapter

from src.api.dependencies.auth import MaybeSignedIn, Viewer
from src.api.dependencies.sessions import OpenResources, Reads
from src.api.http.pages import PageRequest
from src.api.http.problems import ProblemError, problems
from src.api.http.routing import Resource
from src.api.resources import Resources
from src.api.schemas.search import Place, SearchHit, SearchPage, SearchRequest
from src.api.search.snippets import snippet_html
from src.db.queries.nearest import Scope
from src.db.queries.search import Hit, Query, scope_exists, search
from src.db.vector import DEFAULT_MODEL
from src.inference.embedder import PATIENCE
from src.inference.errors import ServiceFailed

router = Resource(tag="search")

_DEEPEST = 500
_OFFSET: TypeAdapter[int] = TypeAdapter(Annotated[int, Field(ge=0, le=_DEEPEST, strict=True)])


@router.post("/search", responses=problems(HTTPStatus.UNAUTHORIZED, HTTPStatus.NOT_FOUND))
async def search_course(
    asked: SearchRequest, viewer: MaybeSignedIn, reader: Reads, resources: OpenResources
) -> SearchPage:
    """Passages of published chapters, the best first. Text is looked for by meaning too for who has signed in."""
    paging = PageRequest(asked.limit, asked.cursor)
    offset = paging.after(_OFFSET) or 0
    query, notice = await _query(asked, viewer, resources)
    hits = await search(reader, query, limit=asked.limit + 1, offset=offset)
    if not hits and not await scope_exists(reader, query.scope):
        raise ProblemError(HTTPStatus.NOT_FOUND, "There is no published module or chapter of this name.")
    page = paging.page(hits, _OFFSET, lambda _: offset + asked.limit, _item)
    following = page.next if offset + asked.limit <= _DEEPEST else None
    return SearchPage(items=page.items, next=following, by=_by(query), notice=notice)


async def _query(asked: SearchRequest, viewer: Viewer | None, resources: Resources) -> tuple[Query, str | None]:
    """What to look for, and why not by meaning where that failed."""
    scope, vectors = Scope(asked.module, asked.chapter), resources.query_vectors
    if asked.vector is not None or asked.text is None or vectors is None or viewer is None:
        return Query(asked.text, asked.vector, asked.model or DEFAULT_MODEL, scope), None
    seconds = 0 if vectors.remembers(asked.text) else resources.attempts.wait(resources.limits.searches, str(viewer.id))
    if seconds:
        return _by_words(asked.text, scope, f"Too many searches within a minute; wait {seconds} s.")
    try:
        return Query(asked.text, await vectors.of(asked.text, patience=PATIENCE), vectors.model, scope), None
    except ServiceFailed as failure:
        return _by_words(asked.text, scope, str(failure))


def _by_words(text: str, scope: Scope, reason: str) -> tuple[Query, str]:
    return Query(text, scope=scope), f"{reason} This is what was found by words alone."


def _by(query: Query) -> list[Literal["text", "vector"]]:
    return [*(("text",) if query.text is not None else ()), *(("vector",) if query.vector is not None else ())]


def _item(hit: Hit) -> SearchHit:
    return SearchHit(
        module=Place(slug=hit.module_slug, title=hit.module_title),
        chapter=Place(slug=hit.chapter_slug, title=hit.chapter_title),
        chunk_index=hit.chunk_index,
        score=hit.score,
        snippet=snippet_html(hit),
    )
