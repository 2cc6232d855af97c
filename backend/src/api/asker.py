"""`MaybeAsker` and `SignedInAsker`: a route that only reads asks by them, and its answer brings the account along."""

from collections.abc import Sequence
from typing import Annotated, Any, cast

from fastapi import Depends, Request

from src.api.auth import Token, claimed, hold, nobody
from src.api.dependencies import answering
from src.api.resources import Resources
from src.api.tokens import Use
from src.db.queries.accounts import Standing
from src.db.viewer_query import ViewerQuery

_OF_STANDING = len(Standing._fields)


class RequestAsker:
    """An `Asker` by the token of its request, if it has one. Raises `ProblemError` 401 if that is good no longer."""

    def __init__(self, request: Request, token: str | None) -> None:
        self._request = request
        self._token = token

    async def row(self, query: ViewerQuery, **values: Any) -> Sequence[Any] | None:
        resources = cast(Resources, self._request.app.state.resources)
        where = await answering(self._request, resources)
        if self._token is None:
            return await where.reader.row(query.for_anyone, user=None, everything=False, **values)
        if where is resources:
            return await _held(resources, self._token, query, values)
        # A replica may not know yet that an account was closed.
        account = await claimed(resources, Use.ACCESS, self._token)
        return await where.reader.row(query.for_anyone, user=account.id, everything=account.is_admin, **values)

    async def value(self, query: ViewerQuery, **values: Any) -> Any:
        row = await self.row(query, **values)
        return None if row is None else row[0]


async def _held(resources: Resources, token: str, query: ViewerQuery, values: dict[str, Any]) -> Sequence[Any] | None:
    claim = resources.tokens.read(Use.ACCESS, token)
    row = await resources.reader.row(query.for_account, user=claim.user_id, **values) if claim else None
    hold(claim, Standing(*row[:_OF_STANDING]) if row else None)
    answer = row[_OF_STANDING:] if row else ()
    return answer if answer and answer[0] is not None else None


async def _maybe(request: Request, token: Token) -> RequestAsker:
    return RequestAsker(request, token)


async def _signed_in(request: Request, token: Token) -> RequestAsker:
    if token is None:
        raise nobody()
    return RequestAsker(request, token)


MaybeAsker = Annotated[RequestAsker, Depends(_maybe)]
SignedInAsker = Annotated[RequestAsker, Depends(_signed_in)]
