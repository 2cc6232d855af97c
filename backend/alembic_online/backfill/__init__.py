"""Moving data in batches: resumable, throttled, with a progress bar, never inside a schema transaction.

    definition.py  what is to be filled          key.py       the order in which rows are walked
    work.py        with what the catalogue says  place.py     the order where there is no key
    state.py       how far it is, kept there     batch.py     one batch, a short transaction
    pace.py        batch size, pauses            compute.py   values by a Python function
    run.py         workers, retries, VACUUM      pressure.py  replicas, WAL, dead rows
    operation.py   `op.backfill`                 in_upgrade.py  its way in an upgrade
    script.py      its one statement, `--sql`    estimate.py  the dry run
    triggers.py    which are not to fire         session.py   connections, transactions
    watch.py       what is told meanwhile        held.py      a row that somebody holds

`definition.Backfill` says what is to be done, and `run.backfill` does it.
"""
