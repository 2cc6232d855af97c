"""Who asks: `SignedIn`, `MaybeSignedIn` and `Administrator` for routes. 401 and 403 are answered here alone."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import Annotated, Any
from uuid import UUID

from fastapi import Depends, Request
from fastapi.security import OAuth2PasswordBearer
from sqlalchemy.ext.asyncio import AsyncSession

from src.api.dependencies.sessions import OpenResources, Session, get_resources
from src.api.http.problems import ProblemError
from src.api.resources import Resources
from src.api.security.tokens import Use, fingerprint
from src.db.hot_query import HotQuery
from src.db.queries.accounts import STANDING, STANDING_AND_JSON, Standing, is_administrator

bearer_token = OAuth2PasswordBearer("/api/v1/auth/token", refreshUrl="/api/v1/auth/renew", auto_error=False)
Token = Annotated[str | None, Depends(bearer_token)]
_CHALLENGE = {"WWW-Authenticate": "Bearer"}
_OF_STANDING = len(Standing._fields)


@dataclass(frozen=True, slots=True)
class Viewer:
    """Who has signed in."""

    id: UUID
    is_admin: bool


async def claimed(resources: Resources, use: Use, token: str) -> Standing:
    """The account that `token` stands for. Raises `ProblemError` 401 if it is not good for this use, or no longer."""
    # Its connection is given back before the route takes one: a request that held two could wait for itself.
    account, _ = await held(resources, use, token, STANDING)
    return account


async def held(
    resources: Resources, use: Use, token: str, query: HotQuery, **values: Any
) -> tuple[Standing, Sequence[Any]]:
    """The account that `token` stands for, and what `query` says of the account `user` after those columns.

    Raises `ProblemError` 401 if the token is not good for this use, or no longer.
    """
    claim = resources.tokens.read(use, token)
    row = await resources.reader.row(query, user=claim.user_id, **values) if claim else None
    if claim and row:
        account = Standing(*row[:_OF_STANDING])
        if account.is_active and fingerprint(account) == claim.fingerprint:
            return account, row[_OF_STANDING:]
    detail = "This token is not valid, or no longer. Renew it, or sign in again."
    raise ProblemError(HTTPStatus.UNAUTHORIZED, detail, headers=_CHALLENGE)


async def _maybe_signed_in(token: Token, resources: OpenResources) -> Viewer | None:
    """Nobody without a token. A token that is no longer good is refused rather than ignored, so that it is renewed."""
    if token is None:
        return None
    account = await claimed(resources, Use.ACCESS, token)
    return Viewer(account.id, account.is_admin)


MaybeSignedIn = Annotated[Viewer | None, Depends(_maybe_signed_in)]


async def _signed_in(viewer: MaybeSignedIn) -> Viewer:
    if viewer is None:
        raise nobody()
    return viewer


def nobody() -> ProblemError:
    """What somebody without a token is told where one is needed."""
    return ProblemError(HTTPStatus.UNAUTHORIZED, "Sign in first.", headers=_CHALLENGE)


SignedIn = Annotated[Viewer, Depends(_signed_in)]


async def my_account(token: Token, resources: OpenResources) -> str:
    """The account of who has signed in, as JSON. Raises `ProblemError` 401."""
    if token is None:
        raise nobody()
    _, (body,) = await held(resources, Use.ACCESS, token, STANDING_AND_JSON)
    return str(body)


MyAccount = Annotated[str, Depends(my_account)]
"""The account of who has signed in, as JSON: read together with what the token is held against."""


async def _administrator(viewer: SignedIn) -> Viewer:
    if not viewer.is_admin:
        raise _only_administrators()
    return viewer


def _only_administrators() -> ProblemError:
    return ProblemError(HTTPStatus.FORBIDDEN, "Only administrators may do this.")


Administrator = Annotated[Viewer, Depends(_administrator)]


async def _administrators_session(viewer: Administrator, session: Session) -> AsyncIterator[AsyncSession]:
    yield session
    if not await is_administrator(session, viewer.id):
        raise _only_administrators()


AdministratorSession = Annotated[AsyncSession, Depends(_administrators_session, scope="function")]
"""What administrators write by. Before the commit it is asked once more: who waited for a lock may be none by then."""


async def administrators_only(request: Request) -> None:
    """For a resource whose bodies are too large to be read of just anybody. Raises `ProblemError` 401 or 403."""
    viewer = await _maybe_signed_in(await bearer_token(request), await get_resources(request))
    await _administrator(await _signed_in(viewer))
