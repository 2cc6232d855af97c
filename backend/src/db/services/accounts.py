"""Signing in, and changing the password. No connection is held while a password is hashed."""

from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from src.db.hot_query import Reader
from src.db.queries import accounts
from src.db.queries.accounts import Standing
from src.db.services.passwords import Passwords
from src.db.services.rules import Conflict, Forbidden


async def sign_in(
    reader: Reader, session: AsyncSession, passwords: Passwords, *, email: str, password: str
) -> Standing | None:
    """The account, with its sign-in noted; None whether the address, the password or the account is no good."""
    account = await accounts.standing_by_email(reader, email)
    fits = await passwords.fit(account and account.password_hash, password)
    if account is None or not fits or not account.is_active:
        return None
    if passwords.outdated(account.password_hash):
        account = await _hash_again(session, passwords, account, password)
    await accounts.note_sign_in(session, account.id)
    return account


async def change_password(
    reader: Reader, session: AsyncSession, passwords: Passwords, user_id: UUID, *, current: str, new: str
) -> Standing:
    """The account with its new password. Raises `Forbidden` for a wrong one, `Conflict` if it changed meanwhile."""
    account = await accounts.standing(reader, user_id)
    if not await passwords.fit(account and account.password_hash, current) or account is None:
        raise Forbidden("The current password is not this.")
    new_hash = await passwords.hash(new)
    changed = await accounts.replace_password(session, user_id, old_hash=account.password_hash, new_hash=new_hash)
    if not changed:
        raise Conflict("The password was changed meanwhile; sign in with the new one.")
    return account._replace(password_hash=new_hash)


async def _hash_again(session: AsyncSession, passwords: Passwords, account: Standing, password: str) -> Standing:
    new_hash = await passwords.hash(password)
    changed = await accounts.replace_password(session, account.id, old_hash=account.password_hash, new_hash=new_hash)
    # Not changed: another sign-in was quicker, or the password is a new one. This sign-in then ends at once.
    return account._replace(password_hash=new_hash) if changed else account
