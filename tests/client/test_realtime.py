"""Realtime connections against the simulator: inputs and outputs, ends in good order and others, tokens, pace."""

import asyncio

import pytest

import fal_nb
from fal_nb.errors import (
    AccountLockedError,
    ArgumentsError,
    AuthenticationError,
    ConfigError,
    NotFoundError,
    ProtocolError,
    RealtimeError,
)
from fal_nb.protocol.realtime import Output, Timings
from fal_nb.simulator.server import SimulatorServer

KEY = "id:a-secret-for-tests"
SLEEP = "simulator/sleep"


@pytest.fixture(scope="module")
def simulator():
    with SimulatorServer(runners=4, speed=20, require_key=KEY) as server:
        yield server


@pytest.fixture
async def client(simulator):
    simulator.reset()
    async with fal_nb.AsyncClient(KEY, base_url=simulator.base_url) as client:
        yield client


def said(text):
    return {"echo": text, "seconds": 0}


async def test_inputs_are_answered_in_order(client, simulator):
    async with client.realtime(SLEEP) as connection:
        for number in range(20):
            await connection.send(said(f"é{number}"))
        assert [(await connection.recv())["echo"] for _ in range(20)] == [f"é{number}" for number in range(20)]
        assert (connection.counts.sent, connection.counts.received, connection.in_flight) == (20, 20, 0)
    assert simulator.counters() == {"token": 1, "realtime": 1}


async def test_a_series_ends_without_an_error_and_the_next_input_opens_a_new_connection(client, simulator):
    async with client.realtime("simulator/count") as connection:
        await connection.send({"count": 4})
        assert [output["index"] async for output in connection] == [0, 1, 2, 3]
        assert await connection.recv() is None
        assert not connection.is_open
        await connection.send({"count": 2})
        assert [output["index"] async for output in connection] == [0, 1]
        assert connection.counts.connections == 2
    assert simulator.counters()["token"] == 2


async def test_without_reconnect_an_input_after_the_end_is_refused(client, simulator):
    async with client.realtime("simulator/count", reconnect=False) as connection:
        await connection.send({"count": 1})
        assert [output async for output in connection]
        with pytest.raises(RealtimeError, match="it has ended"):
            await connection.send({"count": 1})
    assert simulator.counters()["realtime"] == 1


async def test_outputs_go_on_over_every_connection_until_it_is_closed(client):
    async with client.realtime("simulator/count") as connection:
        outputs = connection.outputs()
        for count in (2, 3):
            await connection.send({"count": count})
            assert [(await anext(outputs))["index"] for _ in range(count)] == list(range(count))
            while connection.is_open:  # noqa: ASYNC110 - the server ends it
                await asyncio.sleep(0)
        waiting = asyncio.ensure_future(anext(outputs, "over"))
        await asyncio.sleep(0)
    assert await waiting == "over"


async def test_pictures_come_as_bytes_and_timings_have_a_type_of_their_own(client, picture):
    async with client.realtime("fal-ai/fast-turbo-diffusion/image-to-image") as connection:
        await connection.send({"prompt": "a red fox", "image_bytes": picture, "seed": 3, "image_size": "square"})
        output, timings = await connection.receive(), await connection.receive()
        assert isinstance(output, Output)
        assert output.data["images"][0]["content"].startswith(b"\xff\xd8\xff")
        assert isinstance(timings, Timings)
        assert connection.counts.compute_s == timings.seconds > 0


async def test_json_is_answered_with_json(client):
    import json

    async with client.realtime(
        SLEEP, encode_message=lambda message: json.dumps(message).encode(), decode_message=json.loads
    ) as connection:
        await connection.send(said("ö"))
        assert await connection.recv() == {"echo": "ö"}


@pytest.fixture
def picture():
    import io

    from PIL import Image, ImageDraw

    drawn = Image.new("RGB", (64, 64), "white")
    ImageDraw.Draw(drawn).ellipse((10, 10, 40, 40), fill="black")
    buffer = io.BytesIO()
    drawn.save(buffer, "JPEG")
    return buffer.getvalue()


async def test_an_app_that_fails_is_an_error_once(client):
    async with client.realtime(SLEEP) as connection:
        await connection.send({"echo": 3})
        with pytest.raises(RealtimeError, match="echo: Input should be a valid string") as caught:
            await connection.recv()
        assert caught.value.error == "INTERNAL_ERROR"
        assert caught.value.payload["type"] == "x-fal-error"
        assert await connection.recv() is None


@pytest.mark.parametrize(
    ("fault", "words", "error", "says"),
    [
        ("cut-frame", {}, RealtimeError, "the connection broke; 1 input not answered"),
        ("close-frame", {"code": 1011}, RealtimeError, "closed it with code 1011: on purpose"),
        ("close-frame", {"code": 1000}, None, ""),
        ("end-frame", {}, None, ""),
        ("fail-frame", {"reason": "no more ink"}, RealtimeError, "INTERNAL_ERROR: no more ink"),
        ("giant-frame", {}, ProtocolError, "over 64 MiB"),
        ("refuse-token", {}, AuthenticationError, "token"),
    ],
)
async def test_each_end_means_what_it_is_and_the_next_input_connects_again(
    client, simulator, fault, words, error, says
):
    simulator.fault(fault, on="realtime", times=1, **({"events": 1, **words} if fault != "refuse-token" else {}))
    async with client.realtime(SLEEP) as connection:
        if fault != "refuse-token":
            await connection.send(said("first"))
            assert await connection.recv() == {"echo": "first"}
            await connection.send(said("second"))
        if error is None:
            assert await connection.recv() is None
        else:
            with pytest.raises(error, match=says):
                await connection.recv()
        await connection.send(said("third"))
        assert await connection.recv() == {"echo": "third"}


async def test_an_output_that_cannot_be_read_is_skipped(client, simulator):
    simulator.fault("garbage-frame", on="realtime", times=1, events=0)
    async with client.realtime(SLEEP) as connection:
        await connection.send(said("first"))
        await connection.send(said("second"))
        with pytest.raises(ProtocolError, match="the connection goes on"):
            await connection.recv()
        assert await connection.recv() == {"echo": "second"}


@pytest.mark.parametrize(
    ("fault", "error"), [("locked", AccountLockedError), ("status; status=401", AuthenticationError)]
)
@pytest.mark.parametrize("on", ["token", "realtime"])
async def test_a_refusal_is_the_servers_error_before_anything_is_sent(client, simulator, fault, error, on):
    name, _, status = fault.partition("; status=")
    simulator.fault(name, on=on, **({"status": status} if status else {}))
    with pytest.raises(error):
        await client.realtime(SLEEP).open()
    assert simulator.ledger() == []


@pytest.fixture
def quick(monkeypatch):
    """Make every wait between two tries a fraction."""
    monkeypatch.setattr("fal_nb.protocol.retry._BASE_S", 0.001)
    monkeypatch.setattr("fal_nb.protocol.retry._CAP_S", 0.002)


@pytest.mark.usefixtures("quick")
@pytest.mark.parametrize("on", ["token", "realtime"])
@pytest.mark.parametrize(
    ("fault", "words"),
    [
        ("rate-limit", {}),
        ("ingress", {"status": 502}),
        ("ingress", {"status": 503}),
        ("ingress", {"status": 504}),
        ("reset", {}),
        ("hang-up", {}),
        ("slow", {"seconds": 0.1}),
    ],
)
async def test_passing_trouble_is_tried_again_before_anything_is_sent(client, simulator, fault, words, on):
    simulator.fault(fault, on=on, times=2, **words)
    async with client.realtime(SLEEP) as connection:
        await connection.send(said("x"))
        assert await connection.recv() == {"echo": "x"}
    assert len(simulator.ledger()) == 1
    assert simulator.counters()[on] == (1 if fault == "slow" else 3)


@pytest.mark.usefixtures("quick")
@pytest.mark.parametrize("on", ["token", "realtime"])
@pytest.mark.parametrize("fault", ["reset", "ingress"])
async def test_lasting_trouble_is_one_error_of_ours(client, simulator, fault, on):
    simulator.fault(fault, on=on)
    with pytest.raises(fal_nb.FalError) as caught:
        await client.realtime(SLEEP).open()
    assert isinstance(caught.value, fal_nb.ServerError if fault == "ingress" else fal_nb.TransferError)
    assert "\n" not in str(caught.value)
    assert simulator.ledger() == []


async def test_a_wrong_key_an_unknown_endpoint_and_one_without_realtime(client, simulator):
    async with fal_nb.AsyncClient("wrong:key", base_url=simulator.base_url) as other:
        with pytest.raises(AuthenticationError):
            await other.realtime(SLEEP).open()
        with pytest.raises(AuthenticationError):
            await other.realtime(SLEEP, use_jwt=False).open()
    for endpoint in ("no/such", "fal-ai/flux/dev"):
        with pytest.raises(NotFoundError):
            await client.realtime(endpoint).open()


async def test_the_key_itself_opens_a_connection_where_it_is_asked_to(client, simulator):
    async with client.realtime(SLEEP, use_jwt=False) as connection:
        await connection.send(said("x"))
        assert await connection.recv() == {"echo": "x"}
    assert "token" not in simulator.counters()


@pytest.mark.parametrize(
    "options",
    [{"max_buffering": 0}, {"max_buffering": 61}, {"token_expiration": 0}, {"throttle_s": -1}, {"in_flight": 0}],
)
async def test_options_that_cannot_be_meant_are_refused_at_once(client, simulator, options):
    with pytest.raises(ConfigError, match=next(iter(options))):
        client.realtime(SLEEP, **options)
    assert simulator.counters() == {}


async def test_an_input_that_cannot_be_written_is_refused_and_the_connection_goes_on(client):
    async with client.realtime(SLEEP) as connection:
        with pytest.raises(ArgumentsError, match="cannot be written"):
            await connection.send({"echo": object()})
        await connection.send(said("x"))
        assert await connection.recv() == {"echo": "x"}


async def test_of_inputs_faster_than_the_answers_only_the_newest_is_sent(client):
    async with client.realtime(SLEEP, newest_wins=True, in_flight=1) as connection:
        await connection.send({"echo": "first", "seconds": 2})
        while connection.counts.sent < 1:  # noqa: ASYNC110 - a task of its own sends
            await asyncio.sleep(0)
        for number in range(50):
            await connection.send(said(str(number)))
        assert [(await connection.recv())["echo"] for _ in range(2)] == ["first", "49"]
        counts = connection.counts
        assert (counts.sent, counts.received, counts.superseded) == (2, 2, 49)


async def test_a_throttle_keeps_inputs_apart_and_loses_none(client):
    loop = asyncio.get_running_loop()
    async with client.realtime(SLEEP, throttle_s=0.05) as connection:
        started = loop.time()
        for number in range(4):
            await connection.send(said(str(number)))
        assert loop.time() - started >= 0.15
        assert [(await connection.recv())["echo"] for _ in range(4)] == ["0", "1", "2", "3"]


async def test_inputs_of_several_tasks_wait_for_each_other(client):
    async with client.realtime(SLEEP, throttle_s=0.02) as connection:
        await asyncio.gather(*(connection.send(said(str(number))) for number in range(5)))
        assert [(await connection.recv())["echo"] for _ in range(5)] == [str(number) for number in range(5)]
        assert (connection.counts.sent, connection.counts.superseded) == (5, 0)


async def test_an_input_that_could_not_go_out_before_the_end_goes_over_the_next_connection(client, simulator):
    simulator.fault("end-frame", on="realtime", times=1, events=0)
    async with client.realtime(SLEEP, newest_wins=True, in_flight=1) as connection:
        await connection.send({"echo": "first", "seconds": 2})
        while connection.counts.sent < 1:  # noqa: ASYNC110 - a task of its own sends
            await asyncio.sleep(0)
        await connection.send(said("second"))
        outputs = connection.outputs()
        assert (await anext(outputs))["echo"] == "second"
        assert connection.counts.connections == 2


async def test_a_connection_that_is_closed_while_it_opens_is_not_left_open(client, simulator):
    simulator.fault("slow", on="realtime", times=1, seconds=0.2)
    connection = client.realtime(SLEEP)
    opening = asyncio.ensure_future(connection.open())
    while simulator.counters().get("realtime") is None:  # noqa: ASYNC110 - the server's thread counts
        await asyncio.sleep(0.005)
    await connection.close()
    with pytest.raises(RealtimeError, match="closed here"):
        await opening
    while simulator.open_requests():  # noqa: ASYNC110 - as above
        await asyncio.sleep(0.005)
    assert not connection.is_open


async def test_waiting_for_an_output_can_be_given_up_and_loses_none(client):
    async with client.realtime(SLEEP) as connection:
        await connection.send({"echo": "late", "seconds": 4})
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(connection.recv(), 0.02)
        assert await connection.recv() == {"echo": "late"}


@pytest.mark.parametrize("limit", ["_MOST_WAITING", "_MOST_BYTES"])
async def test_outputs_that_nobody_reads_hold_the_server_up_and_none_is_lost(client, monkeypatch, limit):
    monkeypatch.setattr(f"fal_nb.client.realtime.{limit}", 5)
    async with client.realtime("simulator/count") as connection:
        await connection.send({"count": 300})
        assert await connection.recv() == {"index": 0}
        while not connection._is_full:  # noqa: ASYNC110 - a task of its own reads
            await asyncio.sleep(0)
        for _ in range(200):
            await asyncio.sleep(0)
        assert len(connection._inbox) <= 5
        assert [output["index"] async for output in connection] == list(range(1, 300))
        assert connection._held_bytes == 0


async def test_a_raw_socket_carries_messages_as_they_are(client):
    async with client.ws_connect(SLEEP, path="/realtime") as socket:
        await socket.send('{"echo": "x", "seconds": 0}')
        assert await socket.recv() == '{"echo":"x"}'
        await socket.close()
        with pytest.raises(RealtimeError, match="is closed"):
            await socket.send("more")


def test_the_blocking_face(simulator):
    simulator.reset()
    with fal_nb.SyncClient(KEY, base_url=simulator.base_url) as client:
        with client.realtime(SLEEP) as connection:
            connection.send(said("x"))
            assert connection.recv() == {"echo": "x"}
            assert repr(connection) == "<RealtimeConnection simulator/sleep open, 1 sent, 1 received>"
        with client.realtime("simulator/count") as connection:
            connection.send({"count": 3})
            assert [output["index"] for output in connection] == [0, 1, 2]
            outputs = connection.outputs()
            connection.send({"count": 2})
            assert [next(outputs)["index"] for _ in range(2)] == [0, 1]
            connection.close()
            assert list(outputs) == []
        with client.ws_connect(SLEEP, path="/realtime") as socket:
            socket.send('{"echo": "x", "seconds": 0}')
            assert socket.recv() == '{"echo":"x"}'
