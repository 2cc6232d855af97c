"""random: what is written is another value each time."""

from collections.abc import Iterator

from alembic_online.review.lint.nondeterminism import passing_calls, python_calls, sql_calls
from alembic_online.review.lint.rule import Found, Revision, Rule

_PYTHON = (
    *("random.", "secrets.", "numpy.random."),
    *("os.urandom", "os.getpid", "uuid.uuid1", "uuid.uuid4", "uuid.uuid6", "uuid.uuid7", "id", "hash"),
)
_SQL = frozenset(
    ["RANDOM", "RANDOM_NORMAL", "GEN_RANDOM_UUID", "GEN_RANDOM_BYTES", "UUIDV4", "UUIDV7", "UUID_GENERATE_V4"]
)


def _check(revision: Revision) -> Iterator[Found]:
    yield from python_calls(revision.source, _PYTHON)
    yield from sql_calls(revision.source, _SQL)
    yield from passing_calls(revision.source, _SQL)


RULE = Rule(
    "random",
    "Two databases at one revision hold different values or names, and nothing that refers to them can be shared.",
    "A random value is another one in each. A server default of gen_random_uuid() is not meant.",
    'uuid.uuid5(NAMESPACE, "name")  # the same everywhere',
    _check,
)
