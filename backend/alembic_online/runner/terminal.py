"""The terminal: a line that moves while a step takes its time, with a bar under it where the server counts."""

import asyncio
from collections.abc import Awaitable, Callable

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.text import Text

from alembic_online.runtime.activity import LOOK, QUIET, Activity, Progress


async def show(activity: Activity, read: Callable[[], Awaitable[Progress | None]]) -> None:
    """Draw on stderr whenever a step takes long; ends by being cancelled."""
    console = Console(stderr=True)
    while True:
        await activity.until_long()
        with Live(console=console, transient=True, auto_refresh=False, redirect_stdout=False) as live:
            while activity.seconds >= QUIET:
                live.update(picture(activity, await read()), refresh=True)
                await asyncio.sleep(LOOK)


def picture(activity: Activity, progress: Progress | None) -> RenderableType:
    """The step; below it, where no narrow terminal cuts it off, how far it is, and a bar where the server counts."""
    step = _line(activity.line(None))
    if progress is None or activity.waiting:
        return step
    far = _line(progress.line(activity.seconds))
    if not progress.total:
        return Group(step, far)
    return Group(step, far, ProgressBar(total=progress.total, completed=min(progress.done, progress.total), width=60))


def _line(text: str) -> Text:
    return Text(text, no_wrap=True, overflow="ellipsis")
