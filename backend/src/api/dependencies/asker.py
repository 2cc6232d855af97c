"""`MaybeAsker` and `SignedInAsker`: a route that only reads asks by them, and its answer brings the account along."""

from collections.abc import Sequence
from typing import Annotated, Any, cast

from fastapi import Depends, Request

from src.api.dependencies.auth import Token, claimed, held, nobody
from src.api.dependencies.sessions import answering
from src.api.resources import Resources
from src.api.security.tokens import Use
from src.db.viewer_query import ViewerQuery


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
            _, answer = await held(resources, Use.ACCESS, self._token, query.for_account, **values)
            return answer if answer[0] is not None else None
        # A replica may not know yet that an account was closed.
        account = await claimed(resources, Use.ACCESS, self._token)
        return await where.reader.row(query.for_anyone, user=account.id, everything=account.is_admin, **values)

    async def value(self, query: ViewerQuery, **values: Any) -> Any:
        row = await self.row(query, **values)
        return None if row is None else row[0]


async def maybe_asker(request: Request, token: Token) -> RequestAsker:
    """Whoever asks."""
    return RequestAsker(request, token)


async def signed_in_asker(request: Request, token: Token) -> RequestAsker:
    """Who asks and has signed in. Raises `ProblemError` 401."""
    if token is None:
        raise nobody()
    return RequestAsker(request, token)


MaybeAsker = Annotated[RequestAsker, Depends(maybe_asker)]
SignedInAsker = Annotated[RequestAsker, Depends(signed_in_asker)]
