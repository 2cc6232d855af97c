"""What bodies of requests have in common."""

from typing import Annotated, Any

from pydantic import (
    AfterValidator,
    AnyHttpUrl,
    BaseModel,
    ConfigDict,
    Field,
    StringConstraints,
    TypeAdapter,
    ValidationError,
)


class Body(BaseModel):
    """A body; a member that it does not know is refused rather than ignored."""

    model_config = ConfigDict(extra="forbid")


class Change(Body):
    """A change of some members: one that is left out stays as it is."""

    def changes(self) -> dict[str, Any]:
        """What was sent, ready for the database."""
        return {name: getattr(self, name) for name in self.model_fields_set}


def left_out() -> Any:
    """`Field(default_factory=left_out)`: may be left out, and need not allow null for it."""
    return None


Line = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=255)]
"""A name or a title. Only such texts are stripped: a password is what was typed."""

_HTTP_URL = TypeAdapter(AnyHttpUrl)


def _web_address(text: str) -> str:
    try:
        return str(_HTTP_URL.validate_python(text))
    except ValidationError:
        raise ValueError("an http or https address is wanted") from None  # the cause would repeat what was sent


WebAddress = Annotated[str, Field(max_length=2048, json_schema_extra={"format": "uri"}), AfterValidator(_web_address)]
"""A URL that a page may link to: never `javascript:`."""
