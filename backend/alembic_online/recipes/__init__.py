"""Online operations: what the stock operations do to a table that is in use, and how.

    op.create_index(...) ──► DDL ──► registry ──► OnlineChange: steps ──► execution ──► safeguards ──► PostgreSQL

One file an operation: from its DDL to its steps. `registry` lists them; `database` is what they may ask;
`runner.interception` decides between the online and the direct way, and `runner.execution` runs the steps.
"""
