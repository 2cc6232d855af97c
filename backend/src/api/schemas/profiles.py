"""Profiles."""

from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from src.api.schemas.base import Change, WebAddress, left_out


class Profile(BaseModel):
    """A profile, as its owner sees it."""

    model_config = ConfigDict(from_attributes=True)

    bio: str | None = Field(examples=["I write programs for engines that do not exist yet."])
    avatar_url: str | None = Field(examples=["https://example.org/ada.png"])
    organization: str | None = Field(examples=["Analytical Society"])
    country: str | None = Field(examples=["United Kingdom"])
    email_notifications: bool
    show_progress_publicly: bool


class ProfileChange(Change):
    """What an owner may change; null removes a text."""

    bio: str | None = Field(default_factory=left_out, max_length=500)
    avatar_url: WebAddress | None = Field(default_factory=left_out, examples=["https://example.org/ada.png"])
    organization: str | None = Field(default_factory=left_out, max_length=255)
    country: str | None = Field(default_factory=left_out, max_length=100)
    email_notifications: bool = Field(default_factory=left_out)
    show_progress_publicly: bool = Field(default_factory=left_out)


class PublicProfile(BaseModel):
    """What everybody sees of somebody who shows it."""

    user_id: UUID
    name: str
    bio: str | None
    avatar_url: str | None
    organization: str | None
    country: str | None
    chapters_completed: int = Field(description="Published chapters that this person has completed")
    chapters: int = Field(description="Published chapters of the course")
