"""The crucible: all habits at once. An example is a schema, a change of it, and what happens meanwhile.

dice.py                        decisions out of a seed, which stay when something else is left out
schema.py, schemas.py          a schema as plain data, and a random one; kinds.py: types and their values
foreign.py                     a project's own models as such data
models.py, rows.py             what makes it: a MetaData, and rows
changes.py, table_changes.py   a random change of it
spellings.py                   a person's spelling of the revision that autogenerate writes
habits.py                      what people put between its lines and around them: data_steps.py, pairs.py
clients.py, trying.py          every statement of the old code, in every state that is committed
interruptions.py, repairs.py   how a run is broken off, and what people do then
example.py                     all of that out of one seed
project.py, environment.py     the Alembic project of an example; databases.py: its databases
preparation.py                 what examples of one change have in common
trial.py, verdict.py, state.py it is run, and held against plain Alembic
shrinking.py, runs.py, report.py, verb.py   many of them, what fails made small, the command line
"""
