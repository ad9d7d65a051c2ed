"""Replays: the same bytes, the inputs put back where they are gone, and a yes for what came from outside."""

import time
from dataclasses import replace

import httpx
import pytest

from fal_nb.client.transport import FalTransport
from fal_nb.engine.schema_changes import changes_between
from fal_nb.engine.session import Session
from fal_nb.errors import FileError, JobError
from fal_nb.ledger.records import NewRecord
from fal_nb.schemas.endpoint_schema import EndpointSchema
from fal_nb.simulator.server import SimulatorServer

SCHNELL = "fal-ai/flux/schnell"
TO_IMAGE = "fal-ai/flux/dev/image-to-image"
SLEEP = "simulator/sleep"


@pytest.fixture
def sent(monkeypatch):
    """Every paid POST at the transport seam: (path, query, body, headers)."""
    posts = []
    handle = FalTransport.handle_async_request

    async def watched(transport, request):
        if request.method == "POST" and ("/queue/" in request.url.path or "/run/" in request.url.path):
            posts.append((request.url.raw_path, request.content, httpx.Headers(request.headers)))
        return await handle(transport, request)

    monkeypatch.setattr(FalTransport, "handle_async_request", watched)
    return posts


@pytest.fixture
def told(session):
    lines = []
    session.notify = lines.append
    return lines


@pytest.fixture
def picture(session):
    return session.submit(SCHNELL, {"prompt": "source", "image_size": "square"}).get().files[0].bytes()


@pytest.mark.parametrize(
    "arguments",
    [
        {"echo": "plain", "seconds": 0},
        {"seconds": 0.0, "echo": 'ünï "quoted" \u2028 \\ \x01 🦊'},
        {"echo": {"z": [1, 1.0, 1e-7, 12345678901234567890, None, True], "a": {}}, "seconds": 0},
    ],
)
@pytest.mark.parametrize("kind", ["queue", "direct"])
def test_the_body_is_the_same_byte_for_byte(session, sent, arguments, kind):
    first = session.submit(SLEEP, arguments, kind=kind, check=False).wait()
    again = first.replay().wait()
    assert again.state == first.state
    assert sent[0][:2] == sent[1][:2]
    record = session.history.get(again.record_id)
    assert (record.replay_of, record.kind) == (first.record_id, kind)


def test_a_replay_is_an_equal_call_and_the_newest_answer(session):
    first = session.submit(SCHNELL, {"prompt": "x", "image_size": "square"}).wait()
    again = first.replay().wait()
    assert session.history.get(again.record_id).memo_key == session.history.get(first.record_id).memo_key
    answer = session.submit(SCHNELL, {"prompt": "x", "image_size": "square"}, memo="reuse")
    assert answer.record_id == again.record_id


def test_options_of_the_call_are_sent_again_but_no_header_of_the_callers(session, sent):
    from fal_nb.client.options import CallOptions

    options = CallOptions(hint="h", priority="low", start_timeout=30, headers={"x-mine": "secret"}, no_retry=True)
    first = session.submit(SLEEP, {"seconds": 0}, options=options).wait()
    first.replay().wait()
    names = ("x-fal-runner-hint", "x-fal-queue-priority", "x-fal-request-timeout", "x-fal-no-retry")
    assert [sent[0][2].get(name) for name in names] == [sent[1][2].get(name) for name in names]
    assert sent[1][2]["x-fal-queue-priority"] == "low"
    assert "x-mine" in sent[0][2]
    assert "x-mine" not in sent[1][2]
    assert "secret" not in str(session.history.get(first.record_id))


def test_an_input_that_is_still_there_is_not_uploaded_again(session, sent, simulator, picture):
    first = session.submit(TO_IMAGE, {"prompt": "x", "image_url": picture}).wait()
    before = simulator.counters()["upload"]
    again = session.replay(first.record_id).wait()
    assert simulator.counters()["upload"] == before
    assert sent[-1][1] == sent[-2][1]
    assert again.result().files


@pytest.mark.parametrize("where", ["memory", "file", "output"])
def test_an_input_that_is_gone_is_uploaded_again(session, simulator, picture, tmp_path, where):
    path = tmp_path / "in.png"
    path.write_bytes(picture)
    made = session.submit(SCHNELL, {"prompt": "source", "image_size": "square", "seed": 1}).get()
    source = {"memory": picture, "file": path, "output": made}[where]
    first = session.submit(TO_IMAGE, {"prompt": "x", "image_url": source}).wait()
    before = simulator.counters().get("upload", 0)
    simulator.fault("status", status=404, on="cdn_get", times=1)
    again = session.replay(first.record_id).wait()
    assert again.state == "SUCCEEDED"
    assert simulator.counters()["upload"] == before + 1
    old, new = (session.history.get(job.record_id) for job in (first, again))
    assert old.arguments["image_url"] != new.arguments["image_url"]
    assert list(new.input_digests.values()) == list(old.input_digests.values())
    assert new.memo_key == old.memo_key


def test_of_several_inputs_only_the_one_that_is_gone_goes_up_again(session, simulator):
    urls = [session.upload(f"input {number}".encode(), "text/plain", f"{number}.txt") for number in range(3)]
    first = session.submit(SLEEP, {"seconds": 0, "echo": {"files": urls}}, check=False).wait()
    before = simulator.counters()["upload"]
    simulator.fault("status", status=410, on="cdn_get", times=1)
    again = first.replay().wait()
    assert simulator.counters()["upload"] == before + 1
    assert sum(url in urls for url in again.arguments["echo"]["files"]) == 2


def test_a_server_that_is_busy_says_nothing_of_a_file(session, simulator, sent, picture):
    first = session.submit(TO_IMAGE, {"prompt": "x", "image_url": picture}).wait()
    simulator.fault("status", status=503, on="cdn_get", times=1)
    first.replay().wait()
    assert sent[-1][1] == sent[-2][1]


def test_inputs_on_a_server_that_is_gone_go_up_to_the_one_that_serves(tmp_path, simulator):
    with SimulatorServer(runners=2, speed=20) as gone:
        session = Session(base_url=gone.base_url, home=tmp_path / "home")
        made = session.submit(SCHNELL, {"prompt": "source", "image_size": "square"}).get()
        first = session.submit(TO_IMAGE, {"prompt": "x", "image_url": made}).wait()
        session.close()
    later = Session(base_url=simulator.base_url, home=tmp_path / "home")
    again = later.replay(first.record_id).wait()
    assert again.state == "SUCCEEDED"
    assert again.arguments["image_url"].startswith(simulator.base_url)
    later.close()


def test_a_url_that_is_not_ours_is_sent_as_it_is(session, sent):
    url = "https://example.org/never-asked-for.png"
    first = session.submit(SLEEP, {"seconds": 0, "echo": url}).wait()
    assert first.replay().wait().state == "SUCCEEDED"
    assert sent[0][1] == sent[1][1]


def test_an_input_that_is_nowhere_is_named_and_nothing_is_sent(session, simulator, sent, picture, tmp_path):
    path = tmp_path / "in.png"
    path.write_bytes(picture[:-1] + b"\x00")
    first = session.submit(TO_IMAGE, {"prompt": "x", "image_url": path}).wait()
    path.write_bytes(b"changed since")
    simulator.fault("status", status=404, on="cdn_get", times=1)
    count = len(sent)
    with pytest.raises(FileError, match=r"in\.png"):
        first.replay()
    assert len(sent) == count


def test_what_came_from_outside_is_shown_with_its_price_and_waits_for_a_yes(session, sent):
    record = session.history.add(
        NewRecord(
            endpoint=SCHNELL,
            arguments={"prompt": "not mine", "image_size": "square"},
            backend="fal",
            created=time.time(),
            state="SUCCEEDED",
            request_id="theirs",
            origin="import of friend.zip",
        )
    )
    with pytest.raises(JobError) as caught:
        session.replay(record)
    for part in ("friend.zip", "not mine", SCHNELL, "USD", "--yes", "yes=True"):
        assert part in str(caught.value)
    assert not sent
    again = session.replay(record, yes=True).wait()
    assert again.state == "SUCCEEDED"
    assert session.history.get(again.record_id).origin is None


def test_a_schema_that_has_changed_is_told_of_and_the_call_is_sent(session, told, monkeypatch):
    first = session.submit(SCHNELL, {"prompt": "x", "image_size": "square"}).wait()
    first.replay().wait()
    assert not told
    schema = session.schema(SCHNELL)
    fields = tuple(
        replace(field, default=9) if field.name == "num_inference_steps" else replace(field, name="number_of_images")
        if field.name == "num_images" else field
        for field in schema.inputs.fields
    )  # fmt: skip
    other = EndpointSchema(SCHNELL, replace(schema.inputs, fields=fields), schema.output)
    monkeypatch.setattr(session.preflight, "known_schema", lambda endpoint: other)
    assert first.replay().wait().state == "SUCCEEDED"
    assert len(told) == 1
    for part in (
        f"#{first.record_id}",
        "new: number_of_images",
        "gone: num_images",
        "num_inference_steps was 4 and is 9",
    ):
        assert part in told[0]
    assert "\n" not in told[0]


def test_changes_are_said_in_words():
    def row(name="a", **more):
        return {"name": name, "type": "text", "values": "x or y", "required": False, **more}

    assert changes_between([row()], [row()]) == "only within its inputs' parts"
    assert changes_between(None, [row()]) == "what has changed is not known"
    assert changes_between([row()], [row(values="x, y or z")]) == "a took text x or y and takes text x, y or z"
    assert changes_between([row(default=None)], [row()]) == "the default of a was null and is none"
    assert changes_between([], [row(required=True)]) == "new: a (required)"
    many = changes_between([row(str(n)) for n in range(20)], [row(str(n), required=True) for n in range(20)])
    assert many.endswith("and 12 more changes")


def test_a_call_of_unknown_end_is_replayed_only_by_a_persons_word(session, simulator):
    first = session.submit(SLEEP, {"seconds": 0}).wait()
    session.history.update(first.record_id, state="UNKNOWN")
    accepted, asked = len(simulator.ledger()), []
    with pytest.raises(JobError, match="Nothing was sent"):
        session.replay(first.record_id, confirm=asked.append)
    assert "may pay twice" in asked[0]
    with pytest.raises(JobError, match="Nobody can be asked"):
        session.replay(first.record_id)
    assert (len(simulator.ledger()), session.history.count()) == (accepted, 1)
    session.replay(first.record_id, confirm=lambda question: True).wait()
    session.replay(first.record_id, yes=True).wait()
    assert len(simulator.ledger()) == accepted + 2


@pytest.mark.parametrize(
    ("facts", "word"),
    [
        ({"kind": "realtime"}, "realtime"),
        ({"request_id": "elsewhere", "arguments": {}}, "elsewhere"),
        ({"arguments": {"image_url": "<cat.png>"}, "state": "FAILED", "options": {"files": True}}, "never sent"),
    ],
)
def test_what_cannot_be_made_again_says_why(session, facts, word):
    record = {"endpoint": SCHNELL, "arguments": {"prompt": "x"}, "backend": "fal", "created": 1.0} | facts
    with pytest.raises(JobError, match=word):
        session.replay(session.history.add(NewRecord(**record)))


def test_a_stream_is_replayed_as_a_stream(session, sent):
    events = session.stream("fal-ai/flux/dev", {"prompt": "x", "image_size": {"width": 32, "height": 32}, "seed": 2})
    list(events)
    again = events.job.replay().wait()
    assert again.state == "SUCCEEDED"
    assert session.history.get(again.record_id).kind == "stream"
    assert sent[0][:2] == sent[1][:2]


def test_there_must_be_a_call_to_make_again(session):
    with pytest.raises(JobError):
        session.replay()
    with pytest.raises(JobError, match="77"):
        session.replay(77)


def test_a_job_writes_on_its_own_record(session):
    job = session.submit(SLEEP, {"seconds": 0}, more={"tags": ("first",), "note": "n"}).wait()
    assert job.tag("a", "b") == ("first", "a", "b")
    assert job.untag("first") == ("a", "b")
    job.note("better")
    job.rate(4)
    record = session.history.get(job.record_id)
    assert (record.tags, record.note, record.rating) == (("a", "b"), "better", 4)
    assert session.untag(job) == ()
    session.note(job.request_id, None)
    session.rate(job, None)
    record = session.history.get(job.record_id)
    assert (record.tags, record.note, record.rating) == ((), None, None)


def test_writing_on_an_open_call_of_elsewhere_follows_nothing(session, simulator):
    record = session.history.add(
        NewRecord(endpoint=SLEEP, arguments={}, backend="fal", created=1.0, state="QUEUED", request_id="abcdefgh-1")
    )
    before = simulator.counters().get("status_stream", 0)
    assert session.tag("abcdefgh", "x") == ("x",)
    assert session.history.get(record).tags == ("x",)
    assert simulator.counters().get("status_stream", 0) == before
    assert not session.jobs()
