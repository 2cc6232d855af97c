"""Capstone submissions and their reviews."""

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from src.api.schemas.base import Body, Change, Line, WebAddress, left_out
from src.db.enums import SubmissionStatus

Title = Annotated[Line, Field(examples=["A rover that maps its room"])]
Description = Annotated[str, Field(min_length=1, max_length=20_000, examples=["What it does, and how it was made."])]
Address = Annotated[WebAddress, Field(examples=["https://example.org/rover"])]


class NewSubmission(Body):
    """A project that is handed in."""

    title: Title
    description: Description
    source_code_url: Address | None = None
    demo_url: Address | None = None


class SubmissionChange(Change):
    """A change of a pending submission; null removes an address."""

    title: Title = Field(default_factory=left_out)
    description: Description = Field(default_factory=left_out)
    source_code_url: Address | None = Field(default_factory=left_out)
    demo_url: Address | None = Field(default_factory=left_out)


class Review(Body):
    """What a reviewer says: `reviewing` takes the submission up, the other two decide it for good."""

    status: Literal[SubmissionStatus.REVIEWING, SubmissionStatus.APPROVED, SubmissionStatus.REJECTED]
    score: float | None = Field(default=None, ge=0, le=100, allow_inf_nan=False, examples=[92.5])
    feedback: str | None = Field(default=None, max_length=20_000, examples=["Well built; test the turning circle."])


class Submission(BaseModel):
    """A submission and where it is on its way through review."""

    model_config = ConfigDict(from_attributes=True)

    id: UUID
    user_id: UUID
    title: str
    description: str
    source_code_url: str | None
    demo_url: str | None
    status: SubmissionStatus
    score: float | None
    feedback: str | None
    reviewer_id: UUID | None
    submitted_at: datetime
    reviewed_at: datetime | None
    updated_at: datetime
