"""The test kit, for any Alembic project whose env.py calls `online` or `run_environment`.

    # conftest.py
    pytest_plugins = ["alembic_online.testing.plugin"]

    # test_migrations.py
    from alembic_online.testing import test_migrations

That is one test a check (`kit.py`): single head, numbering, registered, defaults, models, round trip, rows,
old code, deterministic, process, search_path, time zone, role, offline. All run on scratch databases of the
project's server.

    files.py, models.py    what needs no walk; defaults.py: what each process computes again
    round_trip.py          each revision up, down, up; with rows too (sample_rows, row_snapshot.py)
    backward_compatibility.py  the queries of the revision before
    environments.py        the chain in other surroundings; offline.py: by `--sql`
    separate_processes.py  each revision in a process of its own (other_process.py)
    sandbox.py             the scratch database under all of them
    crucible/              random changes of random models, or of one's own, broken off and repaired at random

A revision that means to lose something, or to take leave of it, says so: `loses = ["users.nickname", "drafts"]`.
"""

from alembic_online.testing.finding import Finding
from alembic_online.testing.kit import CHECKS, Kit
from alembic_online.testing.suite import test_migrations

__all__ = ["CHECKS", "Finding", "Kit", "test_migrations"]
