"""Promise: a large body means what `json.loads` says it means, and nobody waits until all of it is read."""

import asyncio
import json
from itertools import pairwise
from typing import Any

import pytest

from src.api.http.gradual_json import loads

BODIES = [
    b"{}",
    b' { "a" : 1 , "b" : [ ] , "c" : [ 1 , { "d" : [ 2 ] } , "]" ] } \n',
    b'{"a": [NaN, -Infinity, 1e400, 123456789012345678901234567890]}',
    b'{"a": 1, "a": [2], "b": {"c": [3]}, "": "\\ud83d\\ude00"}',
    '{"ä": ["ö\u2028"]}'.encode(),
    '{"utf": [16]}'.encode("utf-16"),
    b"[1, 2]",
    b"null",
    b'"text"',
    # and what is none
    b"",
    b"{",
    b"{}x",
    b'{"a"}',
    b'{"a": }',
    b'{"a": 1,}',
    b'{,"a": 1}',
    b'{"a": [1,]}',
    b'{"a": [1 2]}',
    b'{"a": [1',
    b'{"a": 1 "b": 2}',
    b"{1: 2}",
    b"{[1]: 2}",
    b'{"a": "\n"}',
    b'{"\xff": 1}',
]


def outcome(read: Any) -> Any:
    """What comes of it, NaN being equal to itself; or what is raised."""
    try:
        return repr(read())
    except ValueError as error:
        return type(error), str(error)


@pytest.mark.parametrize("body", BODIES)
async def test_it_says_what_json_says(body: bytes) -> None:
    task = asyncio.create_task(loads(body, lambda element: element))
    await asyncio.wait([task])
    assert outcome(task.result) == outcome(lambda: json.loads(body))


async def test_others_have_their_turn_between_two_elements() -> None:
    body = json.dumps({"model": "m", "chunks": list(range(100))}).encode()
    done, turns = list[int](), list[int]()

    def note(element: int) -> int:
        done.append(element)
        return element

    reading = asyncio.create_task(loads(body, note))
    while not reading.done():
        turns.append(len(done))
        await asyncio.sleep(0)
    assert reading.result()["chunks"] == done
    assert max(after - before for before, after in pairwise(turns)) == 1
