"""``Answers``: the work by which a view answers what its page asks for."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Coroutine
from typing import Any

__all__ = ["Answers"]

_log = logging.getLogger("fal_nb")


class Answers:
    """The work of one view; on the loop's thread. An answer that fails is logged, and the view goes on.

    Parameters
    ----------
    view
        What the log calls it.
    """

    def __init__(self, view: str) -> None:
        self._view = view
        self._tasks: set[asyncio.Task[None]] = set()

    def start(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        """Begin an answer, and keep hold of it until it has ended."""
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._ended)
        return task

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and task.exception() is not None:
            _log.error("the %s could not answer", self._view, exc_info=task.exception())
