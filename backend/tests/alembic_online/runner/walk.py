"""The way of one statement, from `op.x()` to the driver's send, as somebody sees it who steps through it in a debugger.

A revision begins it: `with walk.of("CREATE INDEX"): op.create_index(...)`. It ends at the send of the first statement
that begins with these words, which may be long after the block. What is done for questions of the toolkit's own, which
it sends in between, does not count.
"""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType
from typing import Any

import alembic
import sqlalchemy

from tests.paths import BACKEND

_TOOLKIT = f"{BACKEND / 'alembic_online'}/"
_LAYERS = ("runner/", "alembic_seam.py")
"""What a statement passes through; the rooms below are asked by them, and hand nothing on."""
_RUN = (f"{Path(alembic.__file__).parent / 'runtime' / 'migration.py'}", "run_migrations")
_ENGINE = f"{Path(sqlalchemy.__file__).parent / 'engine' / 'base.py'}"
_DEFAULT = f"{Path(sqlalchemy.__file__).parent / 'engine' / 'default.py'}"
_DRIVER = ("do_execute", "do_execute_no_params")
_SENDS = {"_exec_single_context": "context", "_execute_clauseelement": "elem"}


@dataclass
class Walk:
    """What was called on the way to the statement that begins with `words`."""

    words: str
    functions: dict[tuple[str, str], None] = field(default_factory=dict)
    """Of the layers: file and name, in the order of the first call."""
    climbs: dict[tuple[str, str], None] = field(default_factory=dict)
    """From which file into which: into one that is at work further up the stack already."""
    path: list[str] = field(default_factory=list)
    """The files on the stack when the statement is sent, and in the last safeguard before that."""
    _stack: list[str] = field(default_factory=list)

    @property
    def files(self) -> list[str]:
        """All that were asked something, in the order of the first call."""
        return list(dict.fromkeys(file for file, _ in self.functions))

    def see(self, frame: FrameType) -> bool:
        """A function is called. Whether that sends the statement."""
        stack = list(_up_from(frame))
        if not any((each.f_code.co_filename, each.f_code.co_name) == _RUN for each in stack):
            return False  # of another task: who watches, who asks
        layers = [layer for each in reversed(stack) if (layer := _layer(each))]
        if frame.f_code.co_filename == _DEFAULT and frame.f_code.co_name in _DRIVER:
            self.path = list(dict.fromkeys([*layers, *self._stack]))
            return str(frame.f_locals["statement"]).lstrip().startswith(self.words)
        here = _layer(frame)
        if here and not frame.f_code.co_name.startswith("<") and not self._is_a_question(stack):
            self._stack = layers
            self.functions[here, frame.f_code.co_qualname] = None
            *above, last = layers[:-1] or [here]
            if here != last and here in above:
                self.climbs[last, here] = None
        return False

    def _is_a_question(self, stack: list[FrameType]) -> bool:
        for each in stack:
            if each.f_code.co_filename == _ENGINE and (name := _SENDS.get(each.f_code.co_name)):
                about = each.f_locals.get(name)
                return not str(getattr(about, "statement", about)).lstrip().startswith(self.words)
        return False


walks: list[Walk] = []


@contextmanager
def of(words: str) -> Iterator[None]:
    """Walk with the operation in the block."""
    walk = Walk(words)
    walks.append(walk)

    def profile(frame: FrameType, event: str, _: Any) -> None:
        if event == "call" and walk.see(frame):
            sys.setprofile(None)

    sys.setprofile(profile)
    yield


def _layer(frame: FrameType) -> str:
    """The file, if it is of one of the layers; "" for any other."""
    file = frame.f_code.co_filename
    inside = file.removeprefix(_TOOLKIT)
    return inside if inside != file and inside.startswith(_LAYERS) else ""


def _up_from(frame: FrameType | None) -> Iterator[FrameType]:
    while frame is not None:
        yield frame
        frame = frame.f_back
