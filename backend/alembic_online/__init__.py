"""The toolkit: an Alembic environment in which schema changes are safe. It works for anybody's models.

    models.py ──► autogenerate ──► online operations ──► lint / plan ──► apply ──► backfill ──► verify
    (intent)      (what differs)   (the safe way)        (review)        (locks)   (data)       (round trip)

An env.py says `with online(context):` where it said `with context.begin_transaction():`; or it calls
`run_environment(metadata, url=...)` and nothing else. An application says `stamp_engine(engine, config)`.
"""

import alembic_online.backfill.operation
import alembic_online.releases.kept  # noqa: F401  as above, op.keep_aside
from alembic_online.environment import run_environment
from alembic_online.online import online
from alembic_online.policy import Policy
from alembic_online.postgres.connection.cached_plans import retry_outdated_plans
from alembic_online.releases.recorder import record_statements
from alembic_online.releases.stamp import stamp_engine
from alembic_online.revisions.model_import import watch_env_py

watch_env_py()

__all__ = ["Policy", "online", "record_statements", "retry_outdated_plans", "run_environment", "stamp_engine"]
