"""A revision gets its new id everywhere where it says what it is, and nowhere else."""

import pytest

from alembic_online.rebase.names import new_ids, renamed

BEFORE = '''\
"""Add prices, after 002_mine.

Revision ID: 003_prices
Revises: 002_mine
"""
import sqlalchemy as sa
from alembic import op

revision = '003_prices'  # down_revision = "002_mine"
down_revision: str | None = "002_mine"
depends_on = ("002_mine", "other")


def upgrade() -> None:
    revision = "003_prices"
    op.execute("SELECT '002_mine'")
'''
AFTER = '''\
"""Add prices, after 005_mine.

Revision ID: 006_prices
Revises: 005_mine
"""
import sqlalchemy as sa
from alembic import op

revision = '006_prices'  # down_revision = "002_mine"
down_revision: str | None = "005_mine"
depends_on = ("005_mine", "other")


def upgrade() -> None:
    revision = "003_prices"
    op.execute("SELECT '002_mine'")
'''


def test_id_parent_dependencies_and_docstring_change_and_the_rest_stays_as_it_was() -> None:
    names = {"002_mine": "005_mine", "003_prices": "006_prices"}
    assert renamed(BEFORE, "003_prices", "005_mine", names) == AFTER


def test_what_had_no_parent_gets_one() -> None:
    before = "revision = 'a'\ndown_revision = None\n"
    assert renamed(before, "a", "b", {"a": "a"}) == "revision = 'a'\ndown_revision = \"b\"\n"


@pytest.mark.parametrize(
    ("mine", "others", "expected"),
    [
        (["002_a"], ["001_x", "002_y"], ["003_a"]),
        (["002_a", "003_b"], ["001_x", "002_y", "003_z"], ["004_a", "005_b"]),
        (["003_a", "004_b"], ["001_x", "002_y"], ["003_a", "004_b"]),
        (["1975ea83b712"], ["001_x", "002_y"], ["1975ea83b712"]),
        (["999_a"], ["999_y"], ["1000_a"]),
    ],
)
def test_numbers_go_on_from_theirs_in_order(mine: list[str], others: list[str], expected: list[str]) -> None:
    assert new_ids(mine, others) == dict(zip(mine, expected, strict=True))
