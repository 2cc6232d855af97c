"""Accounts: register; read, change and delete one's own."""

from http import HTTPStatus

from fastapi import Request, Response
from sqlalchemy.exc import IntegrityError

from src.api.dependencies.auth import MyAccount, SignedIn, bearer_token, my_account
from src.api.dependencies.sessions import CountedByAddress, OpenResources, Session
from src.api.http.problems import ProblemError
from src.api.http.representation import represent
from src.api.http.routing import Resource
from src.api.routers.sign_in import token_pair
from src.api.schemas.accounts import Account, AccountChange, PasswordChange, Registration, TokenPair
from src.api.security.rate_limit import PER_ACCOUNT
from src.db.queries import accounts
from src.db.services import accounts as accounts_service

router = Resource(tag="accounts")


@router.post("/accounts", status_code=HTTPStatus.CREATED, dependencies=[CountedByAddress])
async def register(registration: Registration, session: Session, resources: OpenResources) -> Account:
    """Make an account. 409 when the address has one."""
    password_hash = await resources.passwords.hash(registration.password.get_secret_value())
    try:
        made = await accounts.register(
            session, email=registration.email, password_hash=password_hash, name=registration.name
        )
    except IntegrityError as error:
        raise ProblemError(HTTPStatus.CONFLICT, "This address has an account; sign in to it.") from error
    return Account.model_validate(made)


async def _read_me_quickly(request: Request) -> Response:
    return await read_me(request, await my_account(await bearer_token(request), request.app.state.resources))


@router.hot_get("/me", _read_me_quickly, response_model=Account)
async def read_me(request: Request, account: MyAccount) -> Response:
    """My account."""
    return represent(request, account)


@router.patch("/me")
async def change_me(change: AccountChange, viewer: SignedIn, session: Session) -> Account:
    """Change some of my account."""
    changes = change.changes()
    found = await (accounts.change(session, viewer.id, changes) if changes else accounts.read(session, viewer.id))
    return _account(found)


@router.put("/me/password", dependencies=[CountedByAddress])
async def change_password(
    change: PasswordChange, viewer: SignedIn, session: Session, resources: OpenResources
) -> TokenPair:
    """Change my password. Every token from before ends; the answer has new ones."""
    resources.attempts.spend(PER_ACCOUNT, str(viewer.id))
    current, new = change.current_password.get_secret_value(), change.new_password.get_secret_value()
    account = await accounts_service.change_password(
        resources.reader, session, resources.passwords, viewer.id, current=current, new=new
    )
    return token_pair(resources.tokens, account)


@router.delete("/me", status_code=HTTPStatus.NO_CONTENT)
async def delete_me(viewer: SignedIn, session: Session) -> None:
    """Delete my account, and everything that belongs to it."""
    await accounts.remove(session, viewer.id)


def _account(found: accounts.AccountRow | None) -> Account:
    if found is None:
        raise _gone()
    return Account.model_validate(found)


def _gone() -> ProblemError:
    return ProblemError(HTTPStatus.NOT_FOUND, "This account was deleted a moment ago.")
