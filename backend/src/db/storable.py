"""Text that PostgreSQL can store."""

from pydantic import AfterValidator


def _storable(text: str) -> str:
    if "\x00" in text:
        raise ValueError("PostgreSQL stores no character of code 0")
    return text


Storable = AfterValidator(_storable)
"""`Annotated[str, Storable]`: refused here where a COPY, or a write after the answer has begun, would fail too late."""
