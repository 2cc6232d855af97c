"""A project of plain Alembic, and a database that was made in whatever way, brought under the toolkit.

`env_file.py` changes the one line, `walk.py` makes what each revision makes, `verdict.py` says which of them the
database equals, `baseline.py` writes the first revision where there is none, `carry_out.py` does what was said.
"""
