"""The same calls against a second server nobody here wrote: a real `fal.App`, served by fal's own SDK."""

import asyncio
import contextlib
import gc
import json
import os
import queue
import subprocess
import threading
import warnings
from pathlib import Path

import pytest

import fal_nb
from fal_nb.protocol.endpoint import EndpointId

from .clients import CLIENTS, KEY

# The official Python clients leave connections to the garbage collector.
pytestmark = pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning")

PYTHON = Path(__file__).parents[2] / ".envs" / "falapp" / "bin" / "python"
SCRIPT = Path(__file__).with_name("fal_app.py")
WRITER = "me/writer"
START_S, STOP_S = 45, 10
MESSAGES = 10_000


def first_line(process):
    """Return the first line of a process, or nothing where none comes in time."""
    lines = queue.SimpleQueue()
    threading.Thread(target=lambda: lines.put(process.stdout.readline()), daemon=True).start()
    with contextlib.suppress(queue.Empty):
        return lines.get(timeout=START_S)
    return ""


@pytest.fixture(scope="module")
def base(tmp_path_factory):
    """Start the app, give its base URL, end it by its id."""
    if not PYTHON.exists():
        missing = f"{PYTHON} is missing: make .envs/falapp/.ready"
        pytest.fail(missing) if os.environ.get("CI") else pytest.skip(missing)
    home = tmp_path_factory.mktemp("app")
    # Nothing of this environment: no key, no proxy, no profile of fal's.
    environ = {"PATH": os.environ["PATH"], "HOME": str(home)}
    log = home / "app.log"
    with (
        log.open("wb") as errors,
        subprocess.Popen(
            [PYTHON, SCRIPT], env=environ, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=errors, text=True
        ) as process,
    ):
        try:
            line = first_line(process)
            assert line, log.read_text("utf-8", "replace")[-2000:]
            yield f"http://127.0.0.1:{json.loads(line)['port']}"
        finally:
            process.terminate()
            try:
                process.wait(STOP_S)
            except subprocess.TimeoutExpired:
                process.kill()


@pytest.fixture(params=list(CLIENTS))
def client(request):
    return request.param


@pytest.fixture
def do(base, client, monkeypatch):
    """Give a function that makes one call with the client under test."""

    def do(operation, endpoint=WRITER, arguments=None, *, py=None, js=None, **more):
        call = {
            "base": base, "key": KEY, "endpoint": endpoint, "arguments": arguments or {}, "headers": {},
            "py": py or {}, "js": js or {}, **more,
        }  # fmt: skip
        return CLIENTS[client](operation, call, monkeypatch)

    yield do
    if client.startswith("fal_client"):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ResourceWarning)
            gc.collect()


@pytest.fixture
async def ours(base):
    """Give our client, as people make it."""
    async with fal_nb.AsyncClient(base_url=base) as client:
        yield client


async def arrived(client, path):
    """Return how often an endpoint of the app was called."""
    return (await client.run(f"{WRITER}/count/arrived", {})).get(path, 0)


def test_run_gives_what_the_app_answers(do):
    outcome = do("run", WRITER, {"text": "ö", "times": 3, "style": "loud"})
    assert outcome.ok, outcome.error
    assert outcome.value == {"text": "Ö-0 Ö-1 Ö-2", "asked": {"text": "ö", "times": 3, "style": "loud"}}


def test_the_app_fills_in_defaults(do):
    outcome = do("run", WRITER, {"text": "fox"})
    assert outcome.ok, outcome.error
    assert outcome.value["asked"] == {"text": "fox", "times": 2, "style": "plain"}


def test_a_path_is_part_of_the_id(do):
    outcome = do("run", f"{WRITER}/count/arrived")
    assert outcome.ok, outcome.error
    before = outcome.value.get("/", 0)
    do("run", WRITER, {"text": "once more"})
    assert do("run", f"{WRITER}/count/arrived").value["/"] == before + 1


def test_a_get_asks_what_the_sdk_itself_answers(do):
    outcome = do("run", f"{WRITER}/health", py={"method": "GET"}, js={"method": "get"})
    assert outcome.ok, outcome.error
    assert outcome.value == {"version": "unknown"}


def test_stream_gives_every_event_in_order(do):
    outcome = do("stream", WRITER, {"text": "é", "times": 9})
    assert outcome.ok, outcome.error
    words = [f"é-{index}" for index in range(9)]
    assert outcome.value["events"] == [*({"word": word} for word in words), {"text": " ".join(words)}]


def test_a_stream_that_breaks_in_the_app_ends_like_a_whole_one(do):
    """The SDK's middleware closes the answer properly, so that no client can tell: only the last event is missing."""
    outcome = do("stream", WRITER, {"text": "fox", "times": 5, "break_after": 2})
    assert outcome.ok, outcome.error
    assert outcome.value["events"] == [{"word": "fox-0"}, {"word": "fox-1"}]


def test_a_stream_that_is_refused_fails(do):
    assert not do("stream", WRITER, {"text": "fox", "times": 10}).ok


def test_wrong_arguments_are_a_422_with_the_fields(do):
    outcome = do("run", WRITER, {"times": 10, "style": "shy"})
    assert outcome.error["status"] == 422
    fields = {tuple(item["loc"]): item["type"] for item in outcome.error["body"]["detail"]}
    assert fields == {
        ("body", "text"): "missing",
        ("body", "times"): "less_than_equal",
        ("body", "style"): "literal_error",
    }


@pytest.mark.parametrize(
    ("by", "status", "detail"),
    [
        ("app", 400, "no more ink"),
        ("http", 403, "not for you"),
        ("cancelled", 499, "the page was taken away"),
        ("field", 422, [{"loc": ["body", "by"], "msg": "cannot be written", "type": "value_error"}]),
        ("crash", 500, "Internal Server Error"),
    ],
)
def test_an_error_of_the_apps_own_keeps_its_status_and_words(do, by, status, detail):
    outcome = do("run", f"{WRITER}/refuse", {"by": by})
    assert not outcome.ok
    assert (outcome.error["status"], outcome.error["body"]["detail"]) == (status, detail)


async def test_a_422_is_a_validation_error_with_field_limit_and_no_charge(ours):
    with pytest.raises(fal_nb.ValidationError) as caught:
        await ours.run(WRITER, {"text": "fox", "times": 10})
    (field,) = caught.value.fields
    assert (field.where, field.given, field.allowed) == ("times", 10, {"le": 9})
    assert caught.value.billable_units == 0
    assert "times: " in str(caught.value)


async def test_a_stream_that_is_refused_is_a_validation_error_before_the_first_event(ours):
    with pytest.raises(fal_nb.ValidationError) as caught:
        await anext(ours.stream(WRITER, {"text": "fox", "times": "many"}))
    assert [field.where for field in caught.value.fields] == ["times"]


@pytest.mark.parametrize(
    ("by", "kind", "units"),
    [
        ("app", fal_nb.FalClientHTTPError, None),
        ("http", fal_nb.PermissionDeniedError, None),
        ("cancelled", fal_nb.RequestCancelledError, None),
        ("field", fal_nb.ValidationError, 1.5),
        ("crash", fal_nb.ServerError, None),
        ("busy", fal_nb.ServerError, None),
    ],
)
async def test_each_way_an_app_fails_is_an_error_of_its_kind_and_is_not_repeated(ours, by, kind, units):
    before = await arrived(ours, "/refuse")
    with pytest.raises(fal_nb.FalClientHTTPError) as caught:
        await ours.run(f"{WRITER}/refuse", {"by": by})
    assert type(caught.value) is kind
    assert caught.value.billable_units == units
    assert await arrived(ours, "/refuse") == before + 1


async def test_path_as_an_argument_is_the_same_as_in_the_id(ours):
    with pytest.raises(fal_nb.FalClientHTTPError, match="no more ink"):
        await ours.run(WRITER, {"by": "app"}, path="/refuse")
    streamed = [event async for event in ours.stream(f"{WRITER}/stream", {"text": "fox"})]
    assert streamed == [{"word": "fox-0"}, {"word": "fox-1"}, {"text": "fox-0 fox-1"}]


async def test_units_an_app_bills_come_with_the_answer(ours):
    answer = await ours.direct.answer(EndpointId.parse(WRITER), {"text": "fox", "times": 4})
    assert answer.billable_units == 4


async def test_a_path_the_app_lacks_is_a_404_of_the_sdk(ours):
    with pytest.raises(fal_nb.NotFoundError, match="Path /nope not found") as caught:
        await ours.run(f"{WRITER}/nope", {})
    assert caught.value.billable_units == 0


async def test_events_come_as_they_are_made(ours):
    """The app makes the second event only after the first has arrived here."""
    events = ours.stream(WRITER, {"text": "fox", "pause": True})
    async with asyncio.timeout(10):
        first = await anext(events)
        assert await ours.run(f"{WRITER}/resume", {}) == {"resumed": True}
        rest = [event async for event in events]
    assert [first, *rest] == [{"word": "fox-0"}, {"word": "fox-1"}, {"text": "fox-0 fox-1"}]


async def test_an_app_alone_has_no_queue(ours):
    with pytest.raises(fal_nb.NotFoundError):
        await ours.submit(WRITER, {"text": "fox"})


def said(*texts):
    return [{"text": text, "number": number} for number, text in enumerate(texts)]


def test_a_realtime_input_is_answered(do):
    outcome = do("realtime", inputs=said("é", "fox", ""), in_turn=True, outputs=3)
    assert outcome.ok, outcome.error
    assert outcome.value["outputs"] == said("é", "fox", "")


def test_a_realtime_app_that_crashes_says_why(do):
    outcome = do("realtime", inputs=[{"text": "fox", "crash": True}])
    assert outcome.ok, outcome.error
    assert outcome.value == {"outputs": [], "ended": "INTERNAL_ERROR"}


def test_a_realtime_input_that_does_not_fit_is_the_apps_error(do):
    outcome = do("realtime", inputs=[{"number": "many"}])
    assert outcome.ok, outcome.error
    assert outcome.value == {"outputs": [], "ended": "INTERNAL_ERROR"}


def test_a_realtime_series_ends_in_good_order(do):
    outcome = do("realtime", f"{WRITER}/series", inputs=[{"text": "fox", "times": 4}])
    assert outcome.ok, outcome.error
    assert outcome.value == {"outputs": [{"word": f"fox-{index}"} for index in range(4)], "ended": "in good order"}


def test_a_realtime_dialogue_goes_both_ways(do):
    outcome = do("realtime", f"{WRITER}/dialogue", inputs=said("a", "b"), in_turn=True, outputs=4)
    assert outcome.ok, outcome.error
    assert [output["text"] for output in outcome.value["outputs"]] == ["a", "A", "b", "B"]


def test_many_realtime_inputs_can_have_one_output(do, client):
    outcome = do("realtime", f"{WRITER}/sum", inputs=said("a", "b", "c"))
    assert outcome.ok, outcome.error
    # The JavaScript client keeps only the newest input while it connects.
    total = {"text": "1", "number": 2} if client == "fal-ai-client-js" else {"text": "3", "number": 3}
    assert outcome.value == {"outputs": [total], "ended": "in good order"}


async def test_a_realtime_app_with_a_codec_of_its_own(ours):
    def written(message):
        return json.dumps(message).encode()

    options = {"encode_message": written, "decode_message": json.loads}
    async with ours.realtime(f"{WRITER}/json", **options) as connection:
        await connection.send({"text": "é"})
        assert await connection.recv() == {"text": "é", "number": 0}


async def test_a_realtime_session_that_hears_nothing_ends_in_good_order_and_opens_again(ours):
    async with ours.realtime(WRITER) as connection:
        for number in range(2):
            await connection.send({"text": "x", "number": number})
            assert await connection.recv() == {"text": "x", "number": number}
            async with asyncio.timeout(20):
                assert await connection.recv() is None
        assert connection.counts.connections == 2


async def test_a_path_without_realtime_is_refused(ours):
    with pytest.raises(fal_nb.FalClientHTTPError):
        await ours.realtime(f"{WRITER}/nope").open()


async def test_ten_thousand_realtime_messages_come_in_order_and_nothing_stays_behind(ours):
    """Sent as fast as they go, so that inputs and outputs pile up on every side."""
    async with ours.realtime(f"{WRITER}/many") as connection:
        await connection.send({"text": "warm", "number": -1})
        await connection.recv()
        gc.collect()
        before, tasks = len(gc.get_objects()), len(asyncio.all_tasks())

        async def send_all():
            for number in range(MESSAGES):
                await connection.send({"text": "x", "number": number})

        sending = asyncio.create_task(send_all())
        for number in range(MESSAGES):
            output = await connection.recv()
            assert output["number"] == number
        await sending
        assert (connection.counts.sent, connection.counts.received) == (MESSAGES + 1, MESSAGES + 1)
        assert connection.in_flight == 0
        del sending
        gc.collect()
        assert len(asyncio.all_tasks()) == tasks
        assert len(gc.get_objects()) - before < MESSAGES / 20
    assert len(asyncio.all_tasks()) == tasks - 1  # the reader
