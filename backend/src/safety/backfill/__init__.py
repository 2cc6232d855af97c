"""Moving data in batches: resumable, throttled, with a progress bar, never inside a schema transaction.

definition.py  what is to be filled          key.py       the order in which rows are walked
work.py        with what the catalogue says  batch.py     one batch, a short transaction
state.py       how far it is, kept there     compute.py   values by a Python function
pace.py        batch size, pauses            pressure.py  replicas, WAL, dead rows
run.py         workers, retries, VACUUM      estimate.py  the dry run
operation.py   `op.backfill`                 script.py    the same as one statement, for `--sql`
"""

from src.safety.backfill.definition import Backfill
from src.safety.backfill.operation import BackfillOp, RequireBackfillOp
from src.safety.backfill.run import Report, backfill

__all__ = ["Backfill", "BackfillOp", "Report", "RequireBackfillOp", "backfill"]
