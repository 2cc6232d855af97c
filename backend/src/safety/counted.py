"""How many of something, in words."""


def counted(number: int, noun: str) -> str:
    """`1 revision`, `2 revisions`, `1,000 rows`."""
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"
