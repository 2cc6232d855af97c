"""Who asks: `SignedIn`, `MaybeSignedIn` and `Administrator` for routes. 401 and 403 are answered here alone."""

from dataclasses import dataclass
from http import HTTPStatus
from typing import Annotated
from uuid import UUID

from fastapi import Depends, Request
from fastapi.security import OAuth2PasswordBearer

from src.api.dependencies import OpenResources, get_resources
from src.api.problems import ProblemError
from src.api.resources import Resources
from src.api.tokens import Claim, Use, fingerprint
from src.db.queries import accounts
from src.db.queries.accounts import Standing

_bearer = OAuth2PasswordBearer("/api/v1/auth/token", refreshUrl="/api/v1/auth/renew", auto_error=False)
Token = Annotated[str | None, Depends(_bearer)]
_CHALLENGE = {"WWW-Authenticate": "Bearer"}


@dataclass(frozen=True, slots=True)
class Viewer:
    """Who has signed in."""

    id: UUID
    is_admin: bool


async def claimed(resources: Resources, use: Use, token: str) -> Standing:
    """The account that `token` stands for. Raises `ProblemError` 401 if it is not good for this use, or no longer."""
    claim = resources.tokens.read(use, token)
    # Its connection is given back before the route takes one: a request that held two could wait for itself.
    return hold(claim, await accounts.standing(resources.reader, claim.user_id) if claim else None)


def hold(claim: Claim | None, account: Standing | None) -> Standing:
    """The account, if the claim holds for it. Raises `ProblemError` 401 if it does not."""
    if account and claim and account.is_active and fingerprint(account) == claim.fingerprint:
        return account
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


async def _my_account(token: Token, resources: OpenResources) -> str:
    if token is None:
        raise nobody()
    claim = resources.tokens.read(Use.ACCESS, token)
    found = await accounts.standing_and_json(resources.reader, claim.user_id) if claim else None
    account, body = found or (None, "")
    hold(claim, account)
    return body


MyAccount = Annotated[str, Depends(_my_account)]
"""The account of who has signed in, as JSON: read together with what the token is held against."""


async def _administrator(viewer: SignedIn) -> Viewer:
    if not viewer.is_admin:
        raise ProblemError(HTTPStatus.FORBIDDEN, "Only administrators may do this.")
    return viewer


Administrator = Annotated[Viewer, Depends(_administrator)]


async def administrators_only(request: Request) -> None:
    """For a resource whose bodies are too large to be read of just anybody. Raises `ProblemError` 401 or 403."""
    viewer = await _maybe_signed_in(await _bearer(request), await get_resources(request))
    await _administrator(await _signed_in(viewer))
