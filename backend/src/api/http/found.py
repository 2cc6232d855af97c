"""What a route needs or else answers 404: said once, in the same words for what is missing and what is a draft."""

from http import HTTPStatus
from typing import TypeVar

from src.api.http.problems import ProblemError

Found = TypeVar("Found")


def found(what: str, row: Found | None) -> Found:
    """`row`, if there is one. Raises `ProblemError` 404: "There is no `what` of this name."."""
    if row is None:
        raise ProblemError(HTTPStatus.NOT_FOUND, f"There is no {what} of this name.")
    return row


def complete_order(order: list[str], there: set[str]) -> None:
    """Raises `ProblemError` 409 unless `order` names each of `there` once: somebody may have added one meanwhile."""
    if len(order) != len(set(order)) or set(order) != there:
        detail = "The order has to name each of them once; read the list again, and order that."
        raise ProblemError(HTTPStatus.CONFLICT, detail, missing=sorted(there - set(order)))
