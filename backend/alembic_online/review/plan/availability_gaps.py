"""What one transaction of a revision gives up and a later one brings back: in between the old code misses it."""

from collections.abc import Iterator, Sequence

from alembic_online.recipes.names import is_temporary
from alembic_online.recipes.object_effects import GivenUp, given_up, last_part, made, sets_default
from alembic_online.review.plan.trace import Traced

_KINDS = ("view", "default", "constraint", "trigger", "policy", "rule", "function", "index")


def missed(statements: Sequence[Traced]) -> Iterator[tuple[Traced, GivenUp]]:
    """Each statement that gives something up for longer than its transaction, and what that is."""
    for place, traced in enumerate(statements):
        for each in given_up(traced.sql):
            if (
                each.kind in _KINDS
                and not is_temporary(last_part(each.name))
                and _comes_back(each, traced, statements[place + 1 :])
            ):
                yield traced, each


def in_words(each: GivenUp) -> str:
    """`the constraint ck_books of books`."""
    of = f" of {each.table}" if each.table else ""
    return f"the {each.kind} {each.name}{of}" if each.kind != "default" else f"the default of {each.table}.{each.name}"


def _comes_back(each: GivenUp, traced: Traced, later: Sequence[Traced]) -> bool:
    """Whether it is next made in another transaction."""
    for other in later:
        if other.revision == traced.revision and _makes(each, other.sql):
            return other.transaction != traced.transaction
    return False


def _makes(each: GivenUp, sql: str) -> bool:
    if each.kind == "default":
        return sets_default(sql) and any(each[:3] == other[:3] for other in given_up(sql))
    return last_part(each.name) in set(made(sql))
