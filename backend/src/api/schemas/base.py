"""What bodies of requests have in common."""

from typing import Annotated, Any

from pydantic import AfterValidator, AnyHttpUrl, BaseModel, ConfigDict, UrlConstraints


class Body(BaseModel):
    """A body; a member that it does not know is refused rather than ignored."""

    model_config = ConfigDict(extra="forbid", str_strip_whitespace=True)


class Change(Body):
    """A change of some members: one that is left out stays as it is."""

    def changes(self) -> dict[str, Any]:
        """What was sent, ready for the database."""
        return {name: getattr(self, name) for name in self.model_fields_set}


def left_out() -> Any:
    """`Field(default_factory=left_out)`: may be left out, and need not allow null for it."""
    return None


WebAddress = Annotated[AnyHttpUrl, UrlConstraints(max_length=2048), AfterValidator(str)]
"""An http(s) URL as text: whatever a page links to must not be `javascript:`."""
