"""A stream is a job with a record like any other; its events come as they are sent, blocking or awaited."""

import asyncio

import pytest

from fal_nb.errors import ArgumentsError, FalError, SubmissionUnknown

DEV = "fal-ai/flux/dev"
SMALL = {"prompt": "a red fox", "image_size": "64x64", "seed": 3}


def test_events_come_one_by_one_and_the_last_is_the_result(session):
    events = session.stream(DEV, SMALL)
    seen = list(events)
    assert len(seen) > 2
    assert seen[0]["images"][0]["url"].startswith("data:")
    assert seen[-1] == events.job.result()
    record = session.history.get(events.job.record_id)
    assert (record.state, record.kind) == ("SUCCEEDED", "stream")
    assert record.request_id
    assert events.job.result().files[0].pil().size == (64, 64)


def test_the_record_is_there_before_the_first_event(session, simulator):
    simulator.fault("slow", seconds=0.3, on="stream", times=1)
    events = session.stream(DEV, SMALL)
    assert session.history.get(events.job.record_id).state in {"PREPARED", "RUNNING"}
    assert next(events)


def test_the_first_event_is_there_before_the_last_is_made(session):
    events = session.stream(DEV, SMALL)
    next(events)
    assert not events.job.done
    assert list(events)


async def test_events_can_be_awaited(session):
    seen = [event async for event in session.stream(DEV, SMALL)]
    assert seen[-1]["seed"] == 3
    assert len(seen) > 2


async def test_cancelling_the_reader_closes_the_connection(session, simulator, wait_for):
    simulator.fault("long", seconds=30, times=1)
    events = session.stream(DEV, SMALL | {"num_inference_steps": 50})

    async def read():
        async for _ in events:
            pass

    task = asyncio.ensure_future(read())
    await asyncio.sleep(0)  # a task that has not begun to read has nothing to leave
    while events.job.state != "RUNNING":  # noqa: ASYNC110 - changes elsewhere
        await asyncio.sleep(0.005)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    wait_for(lambda: events.job.done)
    assert events.job.state == "UNKNOWN"


def test_a_refused_stream_raises_its_error_and_is_written_down(session):
    events = session.stream(DEV, {"prompt": "x", "num_images": 99}, check=False)
    with pytest.raises(FalError, match="num_images"):
        list(events)
    assert session.history.get(events.job.record_id).state == "FAILED"


def test_wrong_arguments_are_refused_before_the_stream_is_opened(session):
    with pytest.raises(ArgumentsError):
        session.stream(DEV, {"promt": "x"})
    assert session.history.count() == 0


def test_a_stream_that_breaks_may_be_charged_and_is_unknown(session, simulator):
    simulator.fault("cut-stream", events=1, on="stream", times=1)
    events = session.stream(DEV, SMALL)
    assert next(events)
    with pytest.raises(SubmissionUnknown):
        list(events)
    assert session.history.get(events.job.record_id).state == "UNKNOWN"
    assert simulator.counters()["stream"] >= 1


def test_leaving_the_block_closes_the_connection(session, simulator, wait_for):
    simulator.fault("long", seconds=30, times=1)
    with session.stream(DEV, SMALL | {"num_inference_steps": 50}) as events:
        next(events)
    wait_for(lambda: events.job.done)
    assert events.job.state == "UNKNOWN"


def test_a_reader_that_just_stops_reading_loses_nothing(session, wait_for):
    events = session.stream(DEV, SMALL)
    next(events)
    job = events.job
    del events
    wait_for(lambda: job.done)
    assert job.state == "SUCCEEDED"
    assert job.result()["seed"] == 3


def test_local_files_in_a_stream_are_uploaded(session, tmp_path):
    picture = session.submit("fal-ai/flux/schnell", SMALL).get().files[0].save(tmp_path / "a.jpg")
    *_, last = session.stream("fal-ai/flux/dev/image-to-image", {"prompt": "x", "image_url": picture})
    assert last["images"]


def moments(job):
    """Watch a job and return the list that its snapshots' partial results are put into."""
    seen = []
    job.observe(lambda snapshot: seen.append(snapshot.partial))
    return seen


def test_a_stream_that_is_shown_has_its_text_so_far_in_the_snapshots(session, simulator):
    simulator.fault("long", seconds=1, times=1)
    job = session.show_stream("fal-ai/any-llm", {"prompt": "say it"})
    seen = moments(job)
    whole = job.get()["output"]
    texts = [partial.text for partial in seen if partial]
    assert len(texts) > 1
    assert texts == sorted(texts, key=len)
    assert all(whole.startswith(text) for text in texts)
    assert seen[-1] is None


def test_a_stream_that_is_shown_has_its_newest_picture_in_the_snapshots(session, simulator):
    simulator.fault("long", seconds=2, times=1)
    job = session.show_stream(DEV, SMALL | {"image_size": "512x256"})
    seen = moments(job)
    job.get()
    pictures = [partial.picture for partial in seen if partial and partial.picture]
    assert {(picture.width, picture.height) for picture in pictures} == {(512, 256)}
    assert all(picture.thumbnail.startswith(b"RIFF") for picture in pictures)
    assert len({picture.index for picture in pictures}) > 1
    assert not list((session.artifacts.path("0" * 64).parents[2]).glob("incoming/*"))


def test_nothing_is_looked_at_that_nobody_is_shown(session):
    events = session.stream(DEV, SMALL)
    seen = moments(events.job)
    assert list(events)
    assert not any(seen)


def test_what_a_broken_stream_had_shown_is_still_there(session, simulator):
    simulator.fault("cut-stream", on="stream", events=3, times=1)
    job = session.show_stream(DEV, SMALL).wait(30)
    assert job.state == "UNKNOWN"
    assert job.snapshot.partial.count == 3


async def test_of_pictures_that_come_faster_than_they_can_be_had_only_the_newest_is_looked_at():
    from fal_nb.artifacts import Artifact
    from fal_nb.engine.partial import Unfolding

    looked, gate = [], asyncio.Event()

    async def look(ref, index):
        looked.append(index)
        await gate.wait()
        if index == 1:
            raise OSError
        return Artifact(
            index=index, where="", url=ref.url, kind="image", content_type="image/png", file_name="x", thumbnail=b"t"
        )

    published = []
    unfolding = Unfolding(published.append, look)
    for _ in range(500):
        unfolding.take({"images": [{"url": "https://x.org/a.png"}]})
        await asyncio.sleep(0)
    gate.set()
    while not (published and published[-1].picture):  # noqa: ASYNC110 - a timer publishes
        await asyncio.sleep(0.01)
    await unfolding.close()
    assert looked == [1, 500]
    assert published[-1].count == 500
    assert published[-1].picture.index == 500
    assert len(published) < 10
