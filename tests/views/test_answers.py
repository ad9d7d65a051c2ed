"""The work by which a view answers its page: held until it has ended, and looked at."""

import asyncio
import gc
import logging

from fal_nb.views.answers import Answers


async def test_an_answer_that_fails_is_logged_once_and_others_go_on(caplog):
    reported, told = [], []
    asyncio.get_running_loop().set_exception_handler(lambda _loop, context: reported.append(context))

    async def fail():
        raise ValueError("no such cell")

    async def tell():
        gc.collect()  # nobody but the view holds it
        told.append("answered")

    answers = Answers("board")
    with caplog.at_level(logging.ERROR, "fal_nb"):
        failing, telling = answers.start(fail()), answers.start(tell())
        await asyncio.wait([failing, telling])
        await asyncio.sleep(0)
    del failing, telling
    gc.collect()
    assert [record.getMessage() for record in caplog.records] == ["the board could not answer"]
    assert told == ["answered"]
    assert not reported
    assert not answers._tasks


async def test_an_answer_that_is_cancelled_is_no_failure(caplog):
    answers = Answers("form")
    task = answers.start(asyncio.sleep(60))
    task.cancel()
    await asyncio.wait([task])
    await asyncio.sleep(0)
    assert not caplog.records
    assert not answers._tasks
