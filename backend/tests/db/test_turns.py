"""Promise: who waits for a connection gets it in turn, or learns in time that he will not."""

import asyncio

from src.db.turns import Turns


async def test_who_came_first_is_next() -> None:
    turns, order = Turns(2, patience=60), list[int]()

    async def use(number: int) -> None:
        await turns.take()
        order.append(number)
        await asyncio.sleep(0)
        turns.give()

    await asyncio.gather(*map(use, range(50)))
    assert order == list(range(50))


async def test_no_more_than_the_places_are_taken_at_once() -> None:
    turns, taken, most = Turns(3, patience=60), 0, 0

    async def use() -> None:
        nonlocal taken, most
        await turns.take()
        taken += 1
        most = max(most, taken)
        await asyncio.sleep(0)
        taken -= 1
        turns.give()

    await asyncio.gather(*(use() for _ in range(50)))
    assert most == 3


async def test_who_waits_too_long_is_told_so_and_takes_no_place() -> None:
    turns = Turns(1, patience=0.01)
    await turns.take()
    outcomes = await asyncio.gather(*(turns.take() for _ in range(3)), return_exceptions=True)
    assert [type(outcome) for outcome in outcomes] == [TimeoutError] * 3
    turns.give()
    await turns.take()


async def test_a_place_is_not_lost_with_who_leaves_while_it_is_his_turn() -> None:
    turns = Turns(1, patience=60)
    await turns.take()
    leaving = asyncio.create_task(turns.take())
    await asyncio.sleep(0)
    turns.give()  # to him, who does not know it yet
    leaving.cancel()
    await asyncio.gather(leaving, return_exceptions=True)
    await asyncio.wait_for(turns.take(), 1)


async def test_who_leaves_while_waiting_is_passed_over() -> None:
    turns = Turns(1, patience=60)
    await turns.take()
    leaving, staying = asyncio.create_task(turns.take()), asyncio.create_task(turns.take())
    await asyncio.sleep(0)
    leaving.cancel()
    await asyncio.gather(leaving, return_exceptions=True)
    turns.give()
    await asyncio.wait_for(staying, 1)
