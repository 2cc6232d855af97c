"""What clients miss between two transactions of a revision, told by its statements."""

import pytest

from alembic_online.review.plan.availability_gaps import in_words, missed
from alembic_online.review.plan.trace import Traced

SQL = ["ALTER TABLE t RENAME CONSTRAINT fk{0} TO fk_b", "ALTER TABLE u ADD CONSTRAINT fk{0} CHECK (a > 0) NOT VALID"]


@pytest.mark.parametrize(("ending", "words"), [("", ["the constraint fk of t"]), ("__new", [])])
def test_no_client_misses_what_has_a_name_only_until_the_swap(ending: str, words: list[str]) -> None:
    statements = [
        Traced("001_a", sql.format(ending), number, {}, (), (), (), patient=False) for number, sql in enumerate(SQL, 1)
    ]
    assert [in_words(each) for _, each in missed(statements)] == words
