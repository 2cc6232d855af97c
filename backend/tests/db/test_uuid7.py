"""Identifiers that sort by the time they were made."""

import time
from concurrent.futures import ThreadPoolExecutor
from unittest.mock import patch
from uuid import RFC_4122

from src.db import uuid7 as module
from src.db.uuid7 import uuid7


def test_version_and_variant_are_those_of_the_rfc() -> None:
    made = [uuid7() for _ in range(100)]
    assert {(value.version, value.variant) for value in made} == {(7, RFC_4122)}


def test_the_first_48_bits_are_the_time_in_milliseconds() -> None:
    before = time.time_ns() // 1_000_000
    milliseconds = uuid7().int >> 80
    assert before <= milliseconds <= time.time_ns() // 1_000_000 + 1


def test_each_is_greater_than_the_one_before_it() -> None:
    made = [uuid7() for _ in range(20_000)]  # many within one millisecond
    assert made == sorted(set(made))


def test_each_is_greater_even_when_the_clock_is_set_back() -> None:
    before = uuid7()
    with patch("time.time_ns", return_value=0):
        assert uuid7() > before


def test_a_full_counter_carries_on_in_the_next_millisecond() -> None:
    last_of_its_millisecond = 1 << 89 | (1 << 42) - 1
    with patch.object(module, "_previous", last_of_its_millisecond):
        value = uuid7()
    assert value.int >> 80 == (1 << 47) + 1
    assert value.version == 7


def test_threads_never_make_the_same_one_and_each_sees_its_own_in_order() -> None:
    with ThreadPoolExecutor(8) as pool:
        made = list(pool.map(lambda _: [uuid7() for _ in range(2_000)], range(8)))
    assert all(values == sorted(values) for values in made)
    assert len({value for values in made for value in values}) == 16_000
