"""Time-ordered identifiers: UUID version 7 (RFC 9562, section 5.7). Python has `uuid.uuid7` from 3.14 on.

Rows inserted one after the other lie side by side in the primary key's B-tree, and sort by the time they were made.
"""

import secrets
import threading
import time
from uuid import UUID

_COUNTER_BITS = 42
_RANDOM_BITS = 32
_VERSION = 7 << 76
_VARIANT = 2 << 62

_lock = threading.Lock()
_previous = 0


def uuid7() -> UUID:
    """A new UUIDv7, greater than every one that this process made before, in whatever thread.

    Layout: 48 bits of Unix time in milliseconds, 42 bits of counter (RFC 9562, section 6.2, method 1), 32 random bits.
    """
    # Asked for once: the system takes longer to answer than all the rest does.
    random = secrets.randbits(_COUNTER_BITS - 1 + _RANDOM_BITS)
    tick = _next_tick(random >> _RANDOM_BITS)
    milliseconds, counter = tick >> _COUNTER_BITS, tick & ((1 << _COUNTER_BITS) - 1)
    tail = counter << _RANDOM_BITS | random & ((1 << _RANDOM_BITS) - 1)
    return UUID(int=milliseconds << 80 | _VERSION | (tail >> 62) << 64 | _VARIANT | tail & ((1 << 62) - 1))


def _next_tick(start: int) -> int:
    """Time and counter as one number, so that a counter that is full, or a clock set back, simply carries on.

    In a new millisecond the counter begins at `start`, at random in its lower half: not to be guessed, with room above.
    """
    global _previous
    milliseconds = time.time_ns() // 1_000_000
    fresh = milliseconds << _COUNTER_BITS | start
    with _lock:
        _previous = max(fresh, _previous + 1)
        return _previous
