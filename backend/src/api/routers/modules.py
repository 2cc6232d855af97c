"""Modules: students read the published ones, administrators write them all."""

from http import HTTPStatus

from fastapi import Request, Response

from src.api.dependencies.asker import MaybeAsker, maybe_asker
from src.api.dependencies.auth import AdministratorSession, bearer_token
from src.api.http.etag import RequiredIfMatch, etag
from src.api.http.found import complete_order, found
from src.api.http.problems import problems
from src.api.http.representation import represent
from src.api.http.routing import Resource
from src.api.schemas.course import Order, Slug, is_slug
from src.api.schemas.modules import Course, Module, ModuleContent, ModuleWithChapters
from src.db.queries import modules

router = Resource(tag="course")
NOT_FOUND = HTTPStatus.NOT_FOUND
_CHANGE = (NOT_FOUND, HTTPStatus.CONFLICT, HTTPStatus.PRECONDITION_FAILED, HTTPStatus.PRECONDITION_REQUIRED)


async def _list_quickly(request: Request) -> Response:
    return await list_modules(request, await maybe_asker(request, await bearer_token(request)))


@router.hot_get("/modules", _list_quickly, response_model=Course)
async def list_modules(request: Request, asker: MaybeAsker) -> Response:
    """The course's outline: its modules in order, each with the number of its chapters."""
    return represent(request, await modules.list_modules(asker))


async def _read_quickly(request: Request) -> Response | None:
    if not is_slug(module := request.path_params["module"]):
        return None
    return await read_module(request, module, await maybe_asker(request, await bearer_token(request)))


@router.hot_get("/modules/{module}", _read_quickly, response_model=ModuleWithChapters, responses=problems(NOT_FOUND))
async def read_module(request: Request, module: Slug, asker: MaybeAsker) -> Response:
    """A module with its chapters in order; for who has signed in, with his progress in each."""
    body, updated_at = found("module", await modules.get_module(asker, module))
    return represent(request, body, updated_at=updated_at)


@router.post("/modules", status_code=HTTPStatus.CREATED, responses=problems(HTTPStatus.CONFLICT))
async def add_module(content: ModuleContent, session: AdministratorSession, response: Response) -> Module:
    """A new module at the end of the course."""
    row = await modules.add_module(session, content.model_dump())
    response.headers["ETag"] = etag(row.updated_at)
    return Module.model_validate(row)


@router.patch("/modules", status_code=HTTPStatus.NO_CONTENT, responses=problems(HTTPStatus.CONFLICT))
async def reorder_modules(order: Order, session: AdministratorSession) -> None:
    """Put the modules into another order; 409 unless it names all of them."""
    complete_order(order.order, await modules.lock_order(session))
    await modules.reorder_modules(session, order.order)


@router.put("/modules/{module}", responses=problems(*_CHANGE))
async def change_module(
    module: Slug,
    content: ModuleContent,
    session: AdministratorSession,
    if_match: RequiredIfMatch,
    response: Response,
) -> Module:
    """Rewrite the module, publish it, or withdraw it."""
    row = found("module", await modules.lock_module(session, module))
    if_match.check(row.updated_at)
    changed = await modules.change_module(session, row.id, content.model_dump())
    response.headers["ETag"] = etag(changed.updated_at)
    return Module.model_validate(changed)


@router.delete("/modules/{module}", status_code=HTTPStatus.NO_CONTENT, responses=problems(*_CHANGE))
async def delete_module(module: Slug, session: AdministratorSession, if_match: RequiredIfMatch) -> None:
    """Delete the module with its chapters, and everything that students did in them."""
    row = found("module", await modules.lock_module(session, module))
    if_match.check(row.updated_at)
    await modules.delete_module(session, row.id)
