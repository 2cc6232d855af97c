"""Where in a revision file the running statement was written."""

import sys


def line_of(revision: str) -> int:
    """The line of the file that declares `revision`, in the call that is under way; 0 where it is not running.

    The innermost one: a revision may have functions of its own.
    """
    frame = sys._getframe()
    while frame.f_globals.get("revision") != revision or "down_revision" not in frame.f_globals:
        if frame.f_back is None:
            return 0
        frame = frame.f_back
    return frame.f_lineno
