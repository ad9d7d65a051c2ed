"""Slots for streams and the cap on polls."""

import asyncio

import pytest

from fal_nb.client.pacing import Pace, RateCap, StreamSlots


def test_the_cap_lets_a_short_burst_through_and_then_so_many_a_second():
    now = [100.0]
    cap = RateCap(25.0, clock=lambda: now[0])
    taken = 0
    for _ in range(1000):
        wait_s = cap.take()
        taken += wait_s == 0
        now[0] += wait_s or 0
    assert taken - 5 == pytest.approx((now[0] - 100.0) * 25, abs=1)


def test_the_cap_does_not_save_up_more_than_a_burst():
    now = [0.0]
    cap = RateCap(25.0, clock=lambda: now[0])
    now[0] = 3600.0
    assert [cap.take() == 0 for _ in range(6)] == [True] * 5 + [False]


async def test_slots_go_to_the_first_who_came():
    slots = StreamSlots(1)
    holder, second, third = (slots.ticket() for _ in range(3))
    assert await holder.wait(0)
    assert not await second.wait(0)
    assert not await third.wait(0.001)
    holder.close()
    assert (await second.wait(0), await third.wait(0)) == (True, False)


async def test_one_who_leaves_the_line_is_passed_over():
    slots = StreamSlots(1)
    holder, second, third = (slots.ticket() for _ in range(3))
    for ticket in (holder, second, third):
        await ticket.wait(0)
    second.close()
    holder.close()
    assert await third.wait(0)
    third.close()
    assert await slots.ticket().wait(0)


async def test_a_slot_won_and_not_used_goes_to_the_next():
    slots = StreamSlots(1)
    holder, second, third = (slots.ticket() for _ in range(3))
    for ticket in (holder, second, third):
        await ticket.wait(0)
    holder.close()
    second.close()
    second.close()
    assert await third.wait(0)
    assert slots.waiting == 0


async def test_a_slot_ends_a_wait_at_once():
    slots = StreamSlots(1)
    holder, second = slots.ticket(), slots.ticket()
    await holder.wait(0)
    waiting = asyncio.create_task(second.wait(60))
    await asyncio.sleep(0)
    holder.close()
    async with asyncio.timeout(5):
        assert await waiting


def test_a_pace_serves_one_loop_after_another():
    pace = Pace(max_streams=1)

    async def use():
        return await pace.ticket().wait(0)

    assert asyncio.run(use())
    assert asyncio.run(use())


def test_pollers_share_the_cap():
    pace = Pace()
    pace.pollers = 250
    assert 5 <= pace.share_s <= 15
