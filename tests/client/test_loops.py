"""One object per event loop."""

import asyncio
import threading

from fal_nb.client.loops import PerLoop


class Thing:
    def __init__(self):
        self.loop = asyncio.get_running_loop()
        self.closed_in = []

    async def aclose(self):
        await asyncio.sleep(0)
        self.closed_in.append(asyncio.get_running_loop())


async def test_one_loop_gets_one_object():
    things = PerLoop(Thing, Thing.aclose)
    assert things.get() is things.get()
    await things.aclose()


async def test_closing_disposes_and_a_new_one_can_be_had():
    things = PerLoop(Thing, Thing.aclose)
    first = things.get()
    await things.aclose()
    assert first.closed_in == [first.loop]
    assert things.get() is not first
    await things.aclose()


def test_the_end_of_a_loop_disposes_in_that_loop():
    things = PerLoop(Thing, Thing.aclose)

    async def use():
        return things.get()

    first, second = asyncio.run(use()), asyncio.run(use())
    assert first is not second
    assert (first.closed_in, second.closed_in) == ([first.loop], [second.loop])


def test_dropping_the_holder_disposes_in_the_loop():
    async def use():
        things = PerLoop(Thing, Thing.aclose)
        thing = things.get()
        del things
        async with asyncio.timeout(5):
            while not thing.closed_in:  # noqa: ASYNC110 - a plain list
                await asyncio.sleep(0)
        return thing

    thing = asyncio.run(use())
    assert thing.closed_in == [thing.loop]


def test_a_loop_that_was_closed_without_ceremony_does_not_hinder_the_next():
    things = PerLoop(Thing, Thing.aclose)

    async def use():
        return things.get()

    loop = asyncio.new_event_loop()
    first = loop.run_until_complete(use())
    loop.close()

    async def close():
        assert things.get() is not first
        await things.aclose()

    asyncio.run(close())
    assert list(things._held) == []


def test_closing_from_one_loop_disposes_what_a_loop_in_another_thread_holds():
    things = PerLoop(Thing, Thing.aclose)
    held, over = threading.Event(), threading.Event()
    found = []

    async def hold():
        found.append(things.get())
        held.set()
        await asyncio.to_thread(over.wait, 10)

    thread = threading.Thread(target=lambda: asyncio.run(hold()))
    thread.start()
    held.wait(10)
    asyncio.run(things.aclose())
    over.set()
    thread.join(10)
    assert found[0].closed_in[0] is found[0].loop


async def test_closing_does_not_wait_for_a_loop_whose_own_thread_waits_for_it():
    things = PerLoop(Thing, Thing.aclose)
    mine = things.get()
    other = asyncio.new_event_loop()
    thread = threading.Thread(target=other.run_forever)
    thread.start()
    try:
        # As `fal.close()` in a cell after `submit_async`: this loop stands.
        asyncio.run_coroutine_threadsafe(things.aclose(), other).result(5)
        assert mine.closed_in == []
        async with asyncio.timeout(5):
            while not mine.closed_in:  # noqa: ASYNC110 - a plain list
                await asyncio.sleep(0)
        assert mine.closed_in[0] is mine.loop
    finally:
        other.call_soon_threadsafe(other.stop)
        thread.join(5)
        other.close()
