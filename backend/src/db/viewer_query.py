"""Hot queries that depend on who asks, sent together with what the asker's token is held against.

Such a query names `USER` where it shows what is the asker's own, and `EVERYTHING` where drafts are for administrators:

    MODULE = ViewerQuery(select(...).where(modules.c.slug == bindparam("slug"), MODULE_VISIBLE))
    row = await asker.row(MODULE, slug="intro")

For nobody in particular the two are NULL and false. For an account they are columns of its row, which the same
statement reads: one way to the server instead of two, and never an answer for more than the account may see just then.
"""

from collections.abc import Sequence
from typing import Any, Protocol, cast

from sqlalchemy import Boolean, Select, Uuid, bindparam, literal_column, select, true
from sqlalchemy.sql.elements import BindParameter
from sqlalchemy.sql.visitors import replacement_traverse

from src.db.hot_query import HotQuery
from src.db.queries.accounts import Standing
from src.db.queries.visibility import EVERYTHING, USER
from src.db.tables import users

_ACCOUNT = users.alias("account")
# As text: a column would bring its table along into every subquery that does not correlate it.
_OF_ACCOUNT = {
    USER.key: literal_column("account.id", Uuid()),
    EVERYTHING.key: literal_column("account.is_admin", Boolean()),
}


class ViewerQuery:
    """One SELECT, for anyone and for an account. Its first column is never NULL."""

    def __init__(self, statement: Select[*tuple[Any, ...]]) -> None:
        self.for_anyone = HotQuery(statement)
        self.for_account = HotQuery(_beside_account(statement))
        """With the columns of `Standing` before its own, which are NULL where nothing was found; by the id `user`."""


class Asker(Protocol):
    """Whoever sent a request, asking for what he may see."""

    async def row(self, query: ViewerQuery, **values: Any) -> Sequence[Any] | None:
        """The first row of what the asker may see, or None."""

    async def value(self, query: ViewerQuery, **values: Any) -> Any:
        """The first column of that row, or None."""


def _beside_account(statement: Select[*tuple[Any, ...]]) -> Select[*tuple[Any, ...]]:
    answer = cast(Select[Any], replacement_traverse(statement, {}, _column_of_account)).lateral("answer")
    standing = (_ACCOUNT.c[name] for name in Standing._fields)
    both = _ACCOUNT.outerjoin(answer, true())
    return select(*standing, *answer.c).select_from(both).where(_ACCOUNT.c.id == bindparam(USER.key))


def _column_of_account(element: Any, **_: Any) -> Any:
    return _OF_ACCOUNT.get(element.key) if isinstance(element, BindParameter) else None
