"""Names as SQL writes them."""

from sqlalchemy.dialects import postgresql

_PREPARER = postgresql.dialect().identifier_preparer  # type: ignore[no-untyped-call]


def quoted(name: str) -> str:
    """With quotes where it needs them."""
    return _PREPARER.quote(name)
