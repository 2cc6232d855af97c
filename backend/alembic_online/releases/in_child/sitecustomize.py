"""Python runs this at its start where the folder is on PYTHONPATH: so `alembic-online record` gets into a command.

It is no module of the toolkit. A `sitecustomize` that was there runs afterwards.
"""

import contextlib
import importlib.machinery
import importlib.util
import os
import sys
from pathlib import Path

_others = [each for each in sys.path if Path(each).resolve() != Path(__file__).resolve().parent]
_next = importlib.machinery.PathFinder.find_spec("sitecustomize", _others)
if _next is not None and _next.loader is not None:
    _next.loader.exec_module(importlib.util.module_from_spec(_next))
if _folder := os.environ.get("ALEMBIC_ONLINE_RECORD", ""):
    with contextlib.suppress(ImportError):  # a Python that has no SQLAlchemy makes no statements that could be seen
        from alembic_online.releases.recorder import record_process

        record_process(_folder)
