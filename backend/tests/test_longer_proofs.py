"""The rule of longer_proofs.py: what `make prove` adds to are tests that `make test` runs."""

import pytest

from tests.longer_proofs import COLLECTED

LONGER_AS_A_WHOLE = {
    "alembic_online/public_chains/test_public_chains.py": "the chains of others take half an hour",
    "alembic_online/test_wheel.py": "a wheel is built and installed, with what it needs from a registry",
    "alembic_online/testing/test_long_chain.py": "a chain of a hundred revisions is walked; shorter ones are beside it",
}


def test_every_module_with_longer_proofs_has_tests_that_run_always(request: pytest.FixtureRequest) -> None:
    for path, runs_always in _runs_always(request, of_module=True).items():
        assert runs_always or path in LONGER_AS_A_WHOLE, f"{path}: all of it is `prove`, so `make test` says nothing"


def test_of_every_table_of_cases_some_run_always(request: pytest.FixtureRequest) -> None:
    for test, runs_always in _runs_always(request, of_module=False).items():
        assert runs_always, f"{test}: each of its cases is `prove`; mark the test so, or let one of them run always"


def _runs_always(request: pytest.FixtureRequest, *, of_module: bool) -> dict[str, bool]:
    """Whether some do; of tests only those that are not marked as a whole."""
    found: dict[str, bool] = {}
    for each in request.config.stash[COLLECTED]:
        if of_module or not each.longer_as_a_whole:
            name = each.module if of_module else each.test
            found[name] = found.get(name, False) or not each.longer
    return found
