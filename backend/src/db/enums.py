"""The states that rows can be in. Each is a native enum type of PostgreSQL; the labels are the values below."""

import re
from enum import StrEnum

from sqlalchemy import Enum


class Theme(StrEnum):
    """How the interface looks; `system` follows the device."""

    LIGHT = "light"
    DARK = "dark"
    SYSTEM = "system"


class DifficultyLevel(StrEnum):
    """Of a chapter, and of the person who asks about one."""

    BEGINNER = "beginner"
    INTERMEDIATE = "intermediate"
    ADVANCED = "advanced"


class ProgressStatus(StrEnum):
    """How far a user is in a chapter."""

    NOT_STARTED = "not_started"
    IN_PROGRESS = "in_progress"
    COMPLETED = "completed"


class SubmissionStatus(StrEnum):
    """Where a capstone submission is on its way through review."""

    PENDING = "pending"
    REVIEWING = "reviewing"
    APPROVED = "approved"
    REJECTED = "rejected"


def enum_types() -> dict[type[StrEnum], Enum]:
    """Every StrEnum of this module with its PostgreSQL type, so that none can be forgotten."""
    found = [value for value in globals().values() if isinstance(value, type) and issubclass(value, StrEnum)]
    return {states: enum_type(states) for states in found if states is not StrEnum}


def enum_type(states: type[StrEnum]) -> Enum:
    """The PostgreSQL type of a StrEnum: its name in snake case, its labels the values in their order."""
    name = re.sub(r"(?<!^)(?=[A-Z])", "_", states.__name__).lower()
    return Enum(states, name=name, values_callable=lambda members: [member.value for member in members])
