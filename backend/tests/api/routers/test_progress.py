"""Promise: progress is kept from any number of devices at once, never goes backwards by itself, and is one's own."""

import asyncio
import random
from typing import Any

from httpx import AsyncClient

from tests.api.course import add_chapter, add_module, small_course

ONE = "modules/first/chapters/one/progress"

# what is saved one after the other, and what stands then
SAVES: list[tuple[list[dict[str, Any]], dict[str, Any]]] = [
    ([{}], {"status": "not_started", "progress_percentage": 0, "started_at": None}),
    ([{"time_spent_seconds": 5}], {"status": "in_progress", "progress_percentage": 0}),
    ([{"progress_percentage": 60}, {"progress_percentage": 40}], {"progress_percentage": 60}),
    ([{"progress_percentage": 60}, {"progress_percentage": 40, "go_back": True}], {"progress_percentage": 40}),
    ([{"progress_percentage": 60}, {"time_spent_seconds": 9}], {"progress_percentage": 60, "time_spent_seconds": 9}),
    ([{"time_spent_seconds": 9}, {"time_spent_seconds": 5}], {"time_spent_seconds": 9}),
    ([{"quiz_score": 80.5}, {"quiz_score": 70}], {"quiz_score": 80.5}),
    ([{"quiz_score": 80.5}, {"quiz_score": 70, "go_back": True}], {"quiz_score": 70}),
    ([{"quiz_passed": True}, {"quiz_passed": False}, {}], {"quiz_passed": True, "exercise_passed": False}),
    ([{"quiz_passed": True}, {"quiz_passed": False, "go_back": True}], {"quiz_passed": False}),
    ([{"progress_percentage": 100}], {"status": "completed"}),
    ([{"progress_percentage": 100}, {"progress_percentage": 1}], {"status": "completed"}),
    (
        [{"progress_percentage": 100}, {"progress_percentage": 1, "go_back": True}],
        {"status": "in_progress", "completed_at": None},
    ),
]


async def test_saving_moves_forward_unless_asked(student: AsyncClient, administrator: AsyncClient) -> None:
    await add_module(administrator, "many")
    for number, (saves, expected) in enumerate(SAVES):
        await add_chapter(administrator, "many", f"c{number}")
        path = f"modules/many/chapters/c{number}/progress"
        for saved in saves:
            answer = await student.put(path, json=saved)
            assert answer.status_code == 200, answer.text
        assert answer.json() == (await student.get(path)).json()
        assert expected.items() <= answer.json().items(), saves


async def test_it_is_completed_once(student: AsyncClient, administrator: AsyncClient) -> None:
    await small_course(administrator)
    first = (await student.put(ONE, json={"progress_percentage": 100})).json()
    again = (await student.put(ONE, json={"progress_percentage": 100, "time_spent_seconds": 1})).json()
    assert first["started_at"] == first["completed_at"] == again["completed_at"] == again["started_at"]
    assert first["completed_at"] is not None


async def test_any_number_of_devices_may_save_at_once(student: AsyncClient, administrator: AsyncClient) -> None:
    await small_course(administrator)
    percentages = random.Random(4).sample(range(1, 101), 100)
    answers = await asyncio.gather(
        *(student.put(ONE, json={"progress_percentage": percentage}) for percentage in percentages)
    )
    assert {answer.status_code for answer in answers} == {200}
    shown = [answer.json()["progress_percentage"] for answer in answers]
    assert all(now >= mine for now, mine in zip(shown, percentages, strict=True))
    stands = (await student.get(ONE)).json()
    assert (stands["progress_percentage"], stands["status"]) == (100, "completed")


async def test_a_chapter_that_one_does_not_see_keeps_no_progress(
    student: AsyncClient, administrator: AsyncClient
) -> None:
    await small_course(administrator)
    for path in ("first/chapters/draft", "hidden/chapters/one", "first/chapters/none"):
        assert (await student.put(f"modules/{path}/progress", json={})).status_code == 404
        assert (await student.get(f"modules/{path}/progress")).status_code == 404


async def test_what_is_out_of_range_is_refused(student: AsyncClient, administrator: AsyncClient) -> None:
    await small_course(administrator)
    for value in ({"progress_percentage": 101}, {"progress_percentage": -1}, {"quiz_score": 100.5}):
        assert (await student.put(ONE, json=value)).status_code == 422


async def test_my_course_at_a_glance(
    student: AsyncClient, other_student: AsyncClient, administrator: AsyncClient
) -> None:
    await small_course(administrator)
    await student.put(ONE, json={"progress_percentage": 100, "time_spent_seconds": 60})
    await student.put("modules/first/chapters/two/progress", json={"progress_percentage": 50, "time_spent_seconds": 30})
    mine = (await student.get("progress")).json()
    assert [
        (module["slug"], module["chapter_count"], module["completed_count"], module["progress_percentage"])
        for module in mine["modules"]
    ] == [("first", 2, 1, 75.0), ("second", 2, 0, 0.0)]
    assert (mine["chapter_count"], mine["completed_count"]) == (4, 1)
    assert (mine["progress_percentage"], mine["time_spent_seconds"]) == (37.5, 90)
    assert (await other_student.get("progress")).json()["completed_count"] == 0


async def test_an_empty_course_is_no_error(student: AsyncClient) -> None:
    assert (await student.get("progress")).json()["progress_percentage"] == 0


async def test_administrators_see_how_a_chapter_fares(
    student: AsyncClient, other_student: AsyncClient, administrator: AsyncClient
) -> None:
    await small_course(administrator)
    path = "modules/first/chapters/one/statistics"
    none = (await administrator.get(path)).json()
    assert (none["student_count"], none["average_percentage"]) == (0, None)
    await student.put(ONE, json={"progress_percentage": 100, "time_spent_seconds": 10, "quiz_score": 90})
    await other_student.put(ONE, json={"progress_percentage": 50, "time_spent_seconds": 30, "quiz_passed": True})
    assert (await administrator.get(path)).json() == {
        "student_count": 2,
        "not_started": 0,
        "in_progress": 1,
        "completed": 1,
        "average_percentage": 75.0,
        "median_time_spent_seconds": 20,
        "average_quiz_score": 90.0,
        "quiz_passed_count": 1,
        "exercise_passed_count": 0,
    }
    assert (await student.get(path)).status_code == 403
