"""Places in the write-ahead log, by which a replica is known to have seen a write (PostgreSQL 18, section 9.28.4)."""

import re
from typing import Any

from sqlalchemy import Text, bindparam, cast, func, select
from sqlalchemy.types import UserDefinedType

from src.db.hot_query import HotQuery

_LSN = re.compile(r"[0-9A-Fa-f]{1,8}/[0-9A-Fa-f]{1,8}")


class _Position(UserDefinedType[str]):
    cache_ok = True

    def get_col_spec(self, **_: Any) -> str:
        return "pg_lsn"


WRITTEN = HotQuery(select(cast(func.pg_current_wal_insert_lsn(), Text)))
"""On the primary, after a commit: everything that was committed is before this place."""

SEEN = HotQuery(select(func.pg_last_wal_replay_lsn() >= cast(bindparam("position", type_=Text()), _Position())))
"""On a replica: whether it has replayed the log up to `:position`. Once true it stays true. NULL on a primary."""


def is_position(text: str) -> bool:
    """Whether `text` is a place in the log, like 16/B374D848."""
    return _LSN.fullmatch(text) is not None
