"""The line of a revision that asked for what is carried out later: an error says that line, and not the last one."""

import os
import sys
from itertools import islice
from traceback import FrameSummary
from types import FrameType

_ATTRIBUTE = "written_at"


def line_in(folder: str) -> FrameSummary | None:
    """The innermost line of a file in this folder that runs now."""
    frame: FrameType | None = sys._getframe(1)
    while frame is not None and os.path.dirname(frame.f_code.co_filename) != folder:  # noqa: PTH120  for each statement
        frame = frame.f_back
    if frame is None:
        return None
    code = frame.f_code
    line, last, *_ = next(islice(code.co_positions(), frame.f_lasti // 2, None), (frame.f_lineno, None))
    return FrameSummary(code.co_filename, line or frame.f_lineno, code.co_name, lookup_line=False, end_lineno=last)


def line_of(revision: str) -> int:
    """The innermost line of the file that declares `revision`; 0 where it is not running.

    By its names and not by its folder: lint tries a text that lies nowhere too.
    """
    frame: FrameType | None = sys._getframe(1)
    while frame is not None and (frame.f_globals.get("revision") != revision or "down_revision" not in frame.f_globals):
        frame = frame.f_back
    return frame.f_lineno if frame is not None else 0


def note_line(error: BaseException, line: FrameSummary | None) -> None:
    """Let `error` say where it was written."""
    if line is not None and not hasattr(error, _ATTRIBUTE):
        setattr(error, _ATTRIBUTE, line)


def noted_line(error: BaseException) -> FrameSummary | None:
    """What `note_line` has noted."""
    line = getattr(error, _ATTRIBUTE, None)
    return line if isinstance(line, FrameSummary) else None
