"""The stock command as a project calls it, in the project's own environment; the last line is its processor time.

python start.py [thread] COMMAND ...
"""

import sys
import time

from alembic.config import main


def command(words: list[str]) -> None:
    """All of it, the imports of env.py too."""
    begun = time.process_time()
    main(argv=words, prog="alembic")
    sys.stdout.write(f"\nprocessor {time.process_time() - begun:.2f}\n")


if sys.argv[1] == "thread":  # as Prefect's server does
    import anyio

    anyio.run(anyio.to_thread.run_sync, command, sys.argv[2:])
else:
    command(sys.argv[1:])
