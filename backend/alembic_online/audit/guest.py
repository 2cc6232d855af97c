"""Somebody else's code is run in this process: afterwards the process is as it was, and nothing lies in the folder."""

import io
import logging.config
import os
import sys
import warnings
from collections.abc import Iterator
from contextlib import ExitStack, chdir, contextmanager, redirect_stdout
from pathlib import Path
from typing import Any


@contextmanager
def as_guest(folder: Path) -> Iterator[None]:
    """Work in `folder`. What the code there prints is dropped, and it sets up no logging: both would write to files.

    Python writes no bytecode meanwhile. Working directory, variables, `sys.path` and the modules come back.
    """
    before = [*sys.path], dict(os.environ), sys.dont_write_bytecode, set(sys.modules)
    sys.dont_write_bytecode = True
    try:
        with ExitStack() as stack:
            stack.enter_context(chdir(folder))
            stack.enter_context(redirect_stdout(io.StringIO()))
            stack.enter_context(warnings.catch_warnings())
            stack.enter_context(_without_logging())
            warnings.simplefilter("ignore")
            yield
    finally:
        sys.path[:], variables, sys.dont_write_bytecode, modules = before
        os.environ.clear()
        os.environ.update(variables)
        for name in _theirs(folder, set(sys.modules) - modules):
            del sys.modules[name]


def _theirs(folder: Path, names: set[str]) -> list[str]:
    """The modules that lie in the folder: another project may have others of these names."""
    files = {name: getattr(sys.modules[name], "__file__", None) for name in names}
    return [name for name, file in files.items() if file and Path(file).is_relative_to(folder)]


@contextmanager
def _without_logging() -> Iterator[None]:
    """An env.py reads its ini by this as a rule: handlers open files, and loggers that are there are switched off."""
    module: Any = logging.config
    given = module.fileConfig
    module.fileConfig = _nothing
    try:
        yield
    finally:
        module.fileConfig = given


def _nothing(*_: object, **__: object) -> None:
    """Stands for it."""
