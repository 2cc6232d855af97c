"""Accounts and tokens."""

from datetime import datetime
from uuid import UUID

from pydantic import BaseModel, ConfigDict, EmailStr, Field, SecretStr

from src.db.enums import Theme


class Registration(BaseModel):
    """Who wants an account."""

    email: EmailStr = Field(max_length=320, examples=["ada@example.org"])
    password: SecretStr = Field(min_length=10, max_length=200, examples=["correct horse battery"])
    name: str = Field(min_length=1, max_length=255, examples=["Ada Lovelace"])


class Account(BaseModel):
    """An account, as its owner sees it."""

    model_config = ConfigDict(from_attributes=True)

    id: UUID
    email: str
    name: str
    is_admin: bool
    language_preference: str
    theme: Theme
    last_login: datetime | None
    created_at: datetime


class TokenPair(BaseModel):
    """Signed in (RFC 6749, section 5.1)."""

    access_token: str
    token_type: str = "bearer"
    expires_in: int = Field(description="Seconds until the access token has to be renewed")
    refresh_token: str
