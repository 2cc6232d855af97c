"""Progress."""

from datetime import datetime
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from src.api.schemas.base import Body
from src.db.enums import ProgressStatus

Percentage = Annotated[int, Field(ge=0, le=100, examples=[40])]
Seconds = Annotated[int, Field(ge=0, le=2**31 - 1, description="All the time spent, not what is new", examples=[600])]
Score = Annotated[float, Field(ge=0, le=100, allow_inf_nan=False, examples=[87.5])]


class SavedProgress(Body):
    """What a student has done. What is left out stays; nothing gets less, unless `go_back`."""

    progress_percentage: Percentage | None = None
    time_spent_seconds: Seconds | None = None
    quiz_score: Score | None = None
    quiz_passed: bool | None = None
    exercise_passed: bool | None = None
    go_back: bool = Field(default=False, description="Take the values as they are, also where they are less")


class Progress(BaseModel):
    """How far a student is in a chapter."""

    model_config = ConfigDict(from_attributes=True)

    status: ProgressStatus = ProgressStatus.NOT_STARTED
    progress_percentage: int = 0
    time_spent_seconds: int = 0
    quiz_score: float | None = None
    quiz_passed: bool = False
    exercise_passed: bool = False
    started_at: datetime | None = None
    completed_at: datetime | None = None


class ModuleProgress(BaseModel):
    """How far a student is in a module."""

    slug: str
    title: str
    chapter_count: int
    completed_count: int
    progress_percentage: float = Field(description="The mean over the module's chapters", examples=[37.5])
    time_spent_seconds: int
    last_activity_at: datetime | None


class CourseProgress(BaseModel):
    """My course at a glance."""

    chapter_count: int
    completed_count: int
    progress_percentage: float = Field(description="The mean over all chapters", examples=[37.5])
    time_spent_seconds: int
    modules: list[ModuleProgress]


class ChapterStatistics(BaseModel):
    """How the students of a chapter fare; means and median are null without any."""

    model_config = ConfigDict(from_attributes=True)

    student_count: int
    not_started: int
    in_progress: int
    completed: int
    average_percentage: float | None
    median_time_spent_seconds: int | None
    average_quiz_score: float | None
    quiz_passed_count: int
    exercise_passed_count: int
