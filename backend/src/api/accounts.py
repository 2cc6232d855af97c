"""Accounts: register, and sign in by OAuth2's password flow."""

from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Depends
from fastapi.security import OAuth2PasswordRequestForm

from src.api.dependencies import OpenResources, Session
from src.api.passwords import hash_password, password_fits
from src.api.problems import ProblemError, problems
from src.api.schemas.accounts import Account, Registration, TokenPair
from src.api.tokens import LIFETIME, Claim, Use, fingerprint
from src.db.queries import accounts

router = APIRouter(tags=["accounts"])


@router.post("/accounts", status_code=HTTPStatus.CREATED, responses=problems(HTTPStatus.CONFLICT))
async def register(registration: Registration, session: Session) -> Account:
    """Make an account. 409 when the address has one."""
    password_hash = await hash_password(registration.password.get_secret_value())
    row = await accounts.register(
        session, email=registration.email, password_hash=password_hash, name=registration.name
    )
    return Account.model_validate(row)


@router.post("/auth/token", responses=problems(HTTPStatus.UNAUTHORIZED))
async def sign_in(
    form: Annotated[OAuth2PasswordRequestForm, Depends()], session: Session, resources: OpenResources
) -> TokenPair:
    """Sign in with the e-mail address as `username`."""
    account = await accounts.standing_by_email(session, form.username)
    fits = await password_fits(account and account.password_hash, form.password)
    if account is None or not fits or not account.is_active:
        raise ProblemError(HTTPStatus.UNAUTHORIZED, "The address or the password is wrong.")
    await accounts.note_sign_in(session, account.id)
    claim = Claim(account.id, fingerprint(account.password_hash, account.sign_outs))
    return TokenPair(
        access_token=resources.tokens.issue(Use.ACCESS, claim),
        expires_in=LIFETIME[Use.ACCESS],
        refresh_token=resources.tokens.issue(Use.RENEWAL, claim),
    )
