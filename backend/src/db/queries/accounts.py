"""Accounts: what a token is held against, and what signing in and registering ask."""

from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import Row, bindparam, func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from src.db.hot_query import HotQuery, Reader
from src.db.models import User


class Standing(NamedTuple):
    """Whether an account may be used, for what, and with which password."""

    id: UUID
    is_active: bool
    is_admin: bool
    password_hash: str
    sign_outs: int


_SHOWN = (
    User.id,
    User.email,
    User.name,
    User.is_admin,
    User.language_preference,
    User.theme,
    User.last_login,
    User.created_at,
    User.updated_at,
)
_STANDING = select(User.id, User.is_active, User.is_admin, User.password_hash, User.sign_outs)
_BY_ID = HotQuery(_STANDING.where(User.id == bindparam("id")))
_BY_EMAIL = _STANDING.where(func.lower(User.email) == func.lower(bindparam("email")))
_SIGNED_IN = update(User).where(User.id == bindparam("user_id")).values(last_login=func.now())
_REGISTER = insert(User).returning(*_SHOWN)


async def standing(reader: Reader, user_id: UUID) -> Standing | None:
    """The account that a token names."""
    row = await reader.row(_BY_ID, id=user_id)
    return Standing(*row) if row else None


async def standing_by_email(session: AsyncSession, email: str) -> Standing | None:
    """The account that somebody signs in to, whatever the case of the address."""
    row = (await session.execute(_BY_EMAIL, {"email": email})).one_or_none()
    return Standing(*row) if row else None


async def register(session: AsyncSession, *, email: str, password_hash: str, name: str) -> Row[*tuple[Any, ...]]:
    """A new account. Raises `IntegrityError` when the address has one."""
    values = {"email": email, "password_hash": password_hash, "name": name}
    return (await session.execute(_REGISTER, values)).one()


async def note_sign_in(session: AsyncSession, user_id: UUID) -> None:
    """Keep when the account was last signed in to."""
    await session.execute(_SIGNED_IN, {"user_id": user_id})
