"""What plain Alembic does with somebody else's chain on large tables, and what would be executed instead.

folder (which project) ──► env_py (its models) ──► plain (as plain Alembic runs it, up and down) ─┐
                                               ──► instead (the same by the toolkit) ─────────────┼──► rules ──► report

Nothing of the project's own env.py runs the chain. An env.py wants a database, a secret or an application to begin; the
revisions want none of it. So an environment of ours runs them, and env.py is only asked for what it passes to
`context.configure`: where it does not get so far, the models are not compared, and all the rest is.
"""
