"""Accounts, and the tokens of who has signed in."""

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from pydantic import AfterValidator, BaseModel, ConfigDict, EmailStr, Field, SecretStr, validate_email

from src.api.schemas.base import Body, Change, Line, left_out
from src.db.enums import Theme

# RFC 5646, section 2.1, as far as it can be said in a pattern: language, script, region, variants.
LANGUAGE_TAG = r"^[A-Za-z]{2,8}(-[A-Za-z0-9]{1,8})*$"

_LONGEST_ADDRESS = 320


def _text(secret: SecretStr) -> SecretStr:
    """JSON can hold half of a surrogate pair, which is no character. pydantic refuses it in every other string."""
    try:
        secret.get_secret_value().encode()
    except UnicodeEncodeError:
        raise ValueError("half of a surrogate pair is no character") from None  # the cause would repeat the secret
    return secret


Password = Annotated[SecretStr, AfterValidator(_text)]
NewPassword = Annotated[Password, Field(min_length=10, max_length=200, examples=["correct horse battery"])]
Name = Annotated[Line, Field(examples=["Ada Lovelace"])]


class Registration(Body):
    """Who wants an account."""

    email: EmailStr = Field(max_length=_LONGEST_ADDRESS, examples=["ada@example.org"])
    password: NewPassword
    name: Name


class AccountChange(Change):
    """What an owner may change."""

    name: Name = Field(default_factory=left_out)
    language_preference: str = Field(default_factory=left_out, max_length=35, pattern=LANGUAGE_TAG, examples=["de-AT"])
    theme: Theme = Field(default_factory=left_out, examples=[Theme.DARK])


class PasswordChange(Body):
    """The password that is, and the one that shall be."""

    current_password: Password = Field(max_length=200)
    new_password: NewPassword


class Account(BaseModel):
    """An account, as its owner sees it."""

    model_config = ConfigDict(from_attributes=True)

    id: UUID
    email: str = Field(examples=["ada@example.org"])
    name: str = Field(examples=["Ada Lovelace"])
    is_admin: bool
    language_preference: str = Field(examples=["en"])
    theme: Theme
    last_login: datetime | None
    created_at: datetime
    updated_at: datetime


class Renewal(Body):
    """The token that renews."""

    refresh_token: str = Field(max_length=2000)


class TokenPair(BaseModel):
    """Signed in (RFC 6749, section 5.1)."""

    access_token: str = Field(description="For `Authorization: Bearer ...`")
    token_type: Literal["bearer"] = "bearer"
    expires_in: int = Field(description="Seconds until the access token has to be renewed", examples=[900])
    refresh_token: str = Field(description="For /auth/renew, until 30 days after the sign-in")


def kept_address(typed: str) -> str:
    """What a registration makes of `typed`, so that whoever types the same again finds the account."""
    try:
        return validate_email(typed[:_LONGEST_ADDRESS])[1]
    except ValueError:  # none that can register, but psql may have made its account
        return typed[:_LONGEST_ADDRESS]
