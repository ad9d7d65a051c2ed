"""The module's functions take what the official client's take, on the session with its ledger."""

import asyncio

import pytest

import fal_nb as fal
from fal_nb import workbench
from fal_nb.engine.event_queue import EventQueue
from fal_nb.workbench import current

SLEEP = "simulator/sleep"
DEV = "fal-ai/flux/dev"
STATES = ["PREPARED", "SUBMITTING", "QUEUED", "RUNNING", "SUCCEEDED"]


@pytest.fixture
def api(simulator, monkeypatch):
    simulator.clear_faults()
    monkeypatch.setenv("FAL_NB_BASE_URL", simulator.base_url)
    monkeypatch.setattr(workbench, "_shell", lambda: None)
    current.forget()
    yield fal
    current().close()
    current.forget()


def test_subscribe_calls_back_as_the_official_client_does(api):
    enqueued, statuses = [], []
    result = api.subscribe(
        SLEEP, {"seconds": 4, "steps": 5, "echo": "back"}, with_logs=True, interval=0.05,
        on_enqueue=enqueued.append, on_queue_update=statuses.append,
    )  # fmt: skip
    assert result == {"echo": "back"}
    assert enqueued == list(api.history()["request_id"])
    assert isinstance(statuses[0], api.Queued)
    assert isinstance(statuses[-1], api.Completed)
    assert any("5/5" in entry["message"] for entry in statuses[-1].logs)


def test_a_callback_may_be_a_coroutine_function_and_its_error_comes_out(api):
    seen = []

    async def note(status):
        await asyncio.sleep(0)
        seen.append(status)
        if isinstance(status, api.Completed):
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        api.subscribe(SLEEP, {"seconds": 4}, on_queue_update=note)
    assert isinstance(seen[-1], api.Completed)


def test_an_error_in_a_callback_cancels_the_request_and_comes_out(api, simulator):
    def fail(_status):
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        api.subscribe(SLEEP, {"seconds": 2000}, on_queue_update=fail)
    assert api.history()["state"].iloc[-1] in {"CANCELLED", "RUNNING", "QUEUED"}
    assert simulator.counters()["cancel"] >= 1


@pytest.mark.parametrize("name", ["submit", "subscribe", "run", "stream", "check", "price"])
@pytest.mark.parametrize("arguments", ["a fox", "", [1], [("prompt", "a fox")]])
def test_arguments_that_are_no_dict_are_named_before_anything_is_written(api, name, arguments):
    with pytest.raises(api.FalError, match=r'Arguments are a dict of inputs, such as {"prompt": "a fox"}, not a '):
        getattr(api, name)(DEV, arguments)
    assert api.session().history.count() == 0


async def test_arguments_that_are_no_dict_are_named_by_the_coroutines_too(api):
    with pytest.raises(api.FalError, match="Arguments are a dict"):
        await api.subscribe_async(DEV, "a fox")


def test_run_and_stream_are_on_the_record(api):
    assert api.run(SLEEP, {"echo": "x"}, headers={"x-mine": "1"}, hint="h", start_timeout=30) == {"echo": "x"}
    events = api.stream(DEV, {"prompt": "x", "image_size": "32x32", "seed": 2})
    assert isinstance(events, EventQueue)
    assert list(events)[-1]["seed"] == 2
    assert list(api.history()["state"]) == ["SUCCEEDED", "SUCCEEDED"]


def test_two_arguments_name_any_request_as_in_the_official_client(api):
    with api.SyncClient(base_url=api.session().settings.hosts.base) as elsewhere:
        handle = elsewhere.submit(SLEEP, {"seconds": 0.2, "echo": "theirs"})
        assert api.result(SLEEP, handle.request_id) == {"echo": "theirs"}
        assert isinstance(api.status(SLEEP, handle.request_id, with_logs=True), api.Completed)
        with pytest.raises(api.FalClientHTTPError):
            api.cancel(SLEEP, handle.request_id)
        waiting = elsewhere.submit(SLEEP, {"seconds": 2000})
        assert api.cancel(SLEEP, waiting.request_id) is None
        with pytest.raises(api.FalClientError):
            waiting.get()
    assert api.history()["request_id"].iloc[-1] == handle.request_id


def test_pictures_go_up_and_schemas_can_be_asked_for(api):
    from PIL import Image

    url = api.upload_image(Image.new("RGB", (8, 8)), "png")
    assert api.subscribe(f"{DEV}/image-to-image", {"prompt": "x", "image_url": url})["images"]
    assert api.schema(DEV).required == ["prompt"]
    assert not api.check(DEV, {"promt": "x"})


async def test_the_coroutines_do_the_same_on_the_same_record(api):
    statuses, enqueued = [], []

    async def note(status):
        statuses.append(status)

    result = await api.subscribe_async(
        SLEEP, {"seconds": 1, "echo": "a"}, on_enqueue=enqueued.append, on_queue_update=note
    )
    assert result == {"echo": "a"}
    assert isinstance(statuses[-1], api.Completed)
    handle = await api.submit_async(SLEEP, {"seconds": 0.2, "echo": "b"})
    assert isinstance(handle, api.AsyncRequestHandle)
    assert [type(status) async for status in handle.iter_events()][-1] is api.Completed
    assert await handle.get() == {"echo": "b"}
    assert await api.result_async(SLEEP, handle.request_id) == {"echo": "b"}
    assert isinstance(await api.status_async(SLEEP, handle.request_id), api.Completed)
    assert await api.run_async(SLEEP, {"echo": "c"}) == {"echo": "c"}
    events = [event async for event in api.stream_async(DEV, {"prompt": "x", "image_size": "32x32"})]
    assert events[-1]["images"]
    assert (await api.upload_async("text", "text/plain", "a.txt")).endswith("a.txt")
    with pytest.raises(api.FalClientHTTPError):
        await api.cancel_async(SLEEP, handle.request_id)
    history = api.history()
    assert list(history["request_id"][:2]) == [enqueued[0], handle.request_id]
    assert len(history) == 4


async def test_cancelling_a_coroutine_cancels_the_request(api, simulator):
    import asyncio

    task = asyncio.ensure_future(api.subscribe_async(SLEEP, {"seconds": 2000}))
    async with asyncio.timeout(20):
        while not simulator.open_requests():  # noqa: ASYNC110 - changes elsewhere
            await asyncio.sleep(0.01)
    before = simulator.counters().get("cancel", 0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    async with asyncio.timeout(20):
        while simulator.counters().get("cancel", 0) == before:  # noqa: ASYNC110 - changes elsewhere
            await asyncio.sleep(0.01)


async def test_a_coroutine_with_wrong_arguments_fails_before_anything_is_sent(api):
    with pytest.raises(api.ArgumentsError):
        await api.submit_async(DEV, {"promt": "x"})


def test_a_job_is_followed_like_the_official_clients_handle(api):
    job = api.submit(SLEEP, {"seconds": 4, "steps": 5, "echo": "x"})
    statuses = list(job.iter_events(with_logs=True, interval=0.05))
    assert isinstance(statuses[-1], api.Completed)
    assert {type(status) for status in statuses} <= {api.Queued, api.InProgress, api.Completed}
    assert any("5/5" in entry["message"] for entry in statuses[-1].logs)
    assert job.get(interval=0.05) == {"echo": "x"}
    assert [type(status) for status in job.iter_events()] == [api.Completed]


def test_a_job_counts_as_the_official_clients_handle(api):
    job = api.submit(SLEEP, {"echo": "x"})
    assert isinstance(job, api.SyncRequestHandle)
    with api.SyncClient(base_url=api.session().settings.hosts.base) as elsewhere:
        assert isinstance(elsewhere.get_handle(SLEEP, job.get() and job.request_id), api.SyncRequestHandle)

    class Own(api.SyncRequestHandle):
        pass

    assert not isinstance(job, Own)
    assert issubclass(Own, api.SyncRequestHandle)
    assert not isinstance(job.snapshot, api.SyncRequestHandle)


async def test_a_stream_for_a_loop_never_holds_it_up_while_the_schema_is_fetched(api, simulator):
    import asyncio
    import itertools
    import time

    api.session()
    simulator.fault("slow", seconds=0.5, on="openapi", times=1)
    beats = []

    async def beat():
        while True:
            beats.append(time.monotonic())
            await asyncio.sleep(0.01)

    beating = asyncio.ensure_future(beat())
    seen = [event async for event in api.stream_async(DEV, {"prompt": "x", "image_size": "32x32", "seed": 5})]
    beating.cancel()
    assert seen[-1]["seed"] == 5
    assert beats[-1] - beats[0] > 0.5
    assert max(after - before for before, after in itertools.pairwise(beats)) < 0.3


async def test_a_stream_for_a_loop_can_be_awaited_for_its_job_and_starts_once(api):
    events = api.stream_async(DEV, {"prompt": "x", "image_size": "32x32"})
    assert len(api.history()) == 0
    queue = await events
    assert await events is queue
    seen = [event async for event in events]
    assert seen[-1] == queue.job.result()
    assert len(api.history()) == 1


async def test_a_stream_for_a_loop_with_wrong_arguments_sends_nothing_and_is_over(api):
    events = api.stream_async(DEV, {"promt": "x"})
    with pytest.raises(api.ArgumentsError):
        await anext(events)
    assert [event async for event in events] == []
    closed = api.stream_async(DEV, {"prompt": "x"})
    await closed.aclose()
    assert [event async for event in closed] == []
    with pytest.raises(api.JobError):
        await closed
    assert len(api.history()) == 0


async def test_what_is_cancelled_while_it_starts_does_not_run_on(api, simulator):
    import asyncio

    api.session()
    simulator.fault("slow", seconds=0.5, on="openapi", times=1)
    task = asyncio.ensure_future(api.subscribe_async(DEV, {"prompt": "x", "num_inference_steps": 50}))
    await asyncio.sleep(0.2)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    async with asyncio.timeout(20):
        while api.history()["state"].tolist() != ["CANCELLED"]:  # noqa: ASYNC110 - changes elsewhere
            await asyncio.sleep(0.05)


def test_a_stream_says_what_it_is(api):
    events = api.stream(DEV, {"prompt": "x", "image_size": "32x32"})
    assert repr(events) in {f"<events of job #1 {DEV} {state}: read them with for, or async for>" for state in STATES}
    list(events)
    assert repr(events) == f"<events of job #1 {DEV} SUCCEEDED: read them with for, or async for>"


def test_code_of_the_official_client_reads_the_request_id_right_after_submitting(api):
    handler = api.submit(DEV, arguments={"prompt": "x", "image_size": "32x32"})
    request_id = handler.request_id
    assert isinstance(request_id, str)
    assert isinstance(api.status(DEV, request_id, with_logs=True), (api.Queued, api.InProgress, api.Completed))
    assert handler.get() == api.result(DEV, request_id)


def test_the_status_of_a_job_that_was_just_made_is_one(api):
    assert isinstance(api.submit(SLEEP, {"seconds": 5}).status(), (api.Queued, api.InProgress, api.Completed))


def test_a_request_id_is_none_where_the_call_ended_without_one(api, simulator):
    simulator.fault("locked")
    assert api.submit(DEV, {"prompt": "x"}).request_id is None
