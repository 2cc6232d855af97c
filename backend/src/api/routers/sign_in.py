"""Signing in by OAuth2's password flow (RFC 6749, section 4.3), staying signed in, and signing out."""

from http import HTTPStatus
from typing import Annotated

from fastapi import Depends
from fastapi.security import OAuth2PasswordRequestForm

from src.api.dependencies.auth import SignedIn, claimed
from src.api.dependencies.sessions import CountedByAddress, OpenResources, Session
from src.api.http.problems import ProblemError
from src.api.http.routing import Resource
from src.api.schemas.accounts import Renewal, TokenPair, kept_address
from src.api.security.rate_limit import PER_ACCOUNT
from src.api.security.tokens import LIFETIME, Tokens, Use, claim_of
from src.db.queries import accounts
from src.db.queries.accounts import Standing
from src.db.services import accounts as accounts_service

router = Resource(tag="accounts")


@router.post("/auth/token", dependencies=[CountedByAddress])
async def sign_in(
    form: Annotated[OAuth2PasswordRequestForm, Depends()], session: Session, resources: OpenResources
) -> TokenPair:
    """Sign in, with the e-mail address as `username`; 429 when it was tried too often."""
    email = kept_address(form.username)
    resources.attempts.spend(PER_ACCOUNT, email)
    account = await accounts_service.sign_in(
        resources.reader, session, resources.passwords, email=email, password=form.password
    )
    if account is None:
        raise ProblemError(HTTPStatus.UNAUTHORIZED, "The address or the password is wrong.")
    return token_pair(resources.tokens, account)


@router.post("/auth/renew")
async def renew(renewal: Renewal, resources: OpenResources) -> TokenPair:
    """A new access token. The refresh token stays the same, until 30 days after the sign-in."""
    account = await claimed(resources, Use.RENEWAL, renewal.refresh_token)
    access_token = resources.tokens.issue(Use.ACCESS, claim_of(account))
    return TokenPair(access_token=access_token, expires_in=LIFETIME[Use.ACCESS], refresh_token=renewal.refresh_token)


@router.post("/auth/sign-out", status_code=HTTPStatus.NO_CONTENT)
async def sign_out(viewer: SignedIn, session: Session) -> None:
    """End every token of this account, on every device."""
    await accounts.sign_out(session, viewer.id)


def token_pair(tokens: Tokens, account: Standing) -> TokenPair:
    """Both tokens, for an account that has just shown its password."""
    claim = claim_of(account)
    return TokenPair(
        access_token=tokens.issue(Use.ACCESS, claim),
        expires_in=LIFETIME[Use.ACCESS],
        refresh_token=tokens.issue(Use.RENEWAL, claim),
    )
