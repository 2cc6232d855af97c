"""Accounts: what a token is held against, what signing in asks, and what the owner sees and changes."""

from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import bindparam, delete, func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from src.db.enums import Theme
from src.db.hot_query import HotQuery, Reader
from src.db.json_parts import json_object, json_text
from src.db.models import User


class Standing(NamedTuple):
    """Whether an account may be used, for what, and with which tokens."""

    id: UUID
    is_active: bool
    is_admin: bool
    password_hash: str
    sign_outs: int


class AccountRow(NamedTuple):
    """An account as its owner sees it."""

    id: UUID
    email: str
    name: str
    is_admin: bool
    language_preference: str
    theme: Theme
    last_login: datetime | None
    created_at: datetime
    updated_at: datetime


_ACCOUNT = tuple(getattr(User, name) for name in AccountRow._fields)
_STANDING = select(User.id, User.is_active, User.is_admin, User.password_hash, User.sign_outs)
STANDING = HotQuery(_STANDING.where(User.id == bindparam("user")))
"""What a token is held against; other columns may follow it."""
_STANDING_BY_EMAIL = HotQuery(_STANDING.where(func.lower(User.email) == func.lower(bindparam("email"))))
_THIS = User.id == bindparam("user_id")
_READ = select(*_ACCOUNT).where(_THIS)
STANDING_AND_JSON = HotQuery(
    _STANDING.add_columns(json_text(json_object(*_ACCOUNT))).where(User.id == bindparam("user"))
)
"""All of the account besides, as JSON: one statement for who only wants to see it."""
_IS_ADMINISTRATOR = select(User.is_active & User.is_admin).where(_THIS)
_REGISTER = insert(User).returning(*_ACCOUNT)
_CHANGE = update(User).where(_THIS).returning(*_ACCOUNT)
_NOTE_SIGN_IN = update(User).where(_THIS).values(last_login=func.now())
_SIGN_OUT = update(User).where(_THIS).values(sign_outs=User.sign_outs + 1)
_REPLACE_PASSWORD = (
    update(User)
    .where(_THIS, User.password_hash == bindparam("old_hash"))
    .values(password_hash=bindparam("new_hash"))
    .returning(User.id)
)
_DELETE = delete(User).where(_THIS)


async def standing(reader: Reader, user_id: UUID) -> Standing | None:
    """The account."""
    row = await reader.row(STANDING, user=user_id)
    return Standing(*row) if row else None


async def standing_by_email(reader: Reader, email: str) -> Standing | None:
    """The account that somebody signs in to, whatever the case of the address."""
    row = await reader.row(_STANDING_BY_EMAIL, email=email)
    return Standing(*row) if row else None


async def is_administrator(session: AsyncSession, user_id: UUID) -> bool:
    """Whether the account may do what administrators do, as the transaction's next statement sees it."""
    return bool(await session.scalar(_IS_ADMINISTRATOR, {"user_id": user_id}))


async def register(session: AsyncSession, *, email: str, password_hash: str, name: str) -> AccountRow:
    """A new account. Raises `IntegrityError` when the address has one."""
    values = {"email": email, "password_hash": password_hash, "name": name}
    return AccountRow(*(await session.execute(_REGISTER, values)).one())


async def read(session: AsyncSession, user_id: UUID) -> AccountRow | None:
    """The account."""
    row = (await session.execute(_READ, {"user_id": user_id})).one_or_none()
    return AccountRow(*row) if row else None


async def change(session: AsyncSession, user_id: UUID, changes: dict[str, Any]) -> AccountRow | None:
    """Set the columns of `changes`, of which there is at least one."""
    row = (await session.execute(_CHANGE.values(changes), {"user_id": user_id})).one_or_none()
    return AccountRow(*row) if row else None


async def note_sign_in(session: AsyncSession, user_id: UUID) -> None:
    """Keep when the account was last signed in to."""
    await session.execute(_NOTE_SIGN_IN, {"user_id": user_id})


async def sign_out(session: AsyncSession, user_id: UUID) -> None:
    """End every token of the account."""
    await session.execute(_SIGN_OUT, {"user_id": user_id})


async def replace_password(session: AsyncSession, user_id: UUID, *, old_hash: str, new_hash: str) -> bool:
    """Whether the password was still the old one, and so is the new one now."""
    values = {"user_id": user_id, "old_hash": old_hash, "new_hash": new_hash}
    return (await session.execute(_REPLACE_PASSWORD, values)).one_or_none() is not None


async def remove(session: AsyncSession, user_id: UUID) -> None:
    """Delete the account with everything that belongs to it."""
    await session.execute(_DELETE, {"user_id": user_id})
