"""Equal calls: known whatever way they are written, answered from the history where that is asked for."""

import hashlib
import os
from dataclasses import replace

import pytest

from fal_nb.engine.inputs import LocalFile, local_file
from fal_nb.engine.memo import key_of, sealed
from fal_nb.engine.session import Session
from fal_nb.engine.wire import ClientWire
from fal_nb.errors import ConfigError
from fal_nb.schemas.endpoint_schema import EndpointSchema
from fal_nb.simulator.server import SimulatorServer

SCHNELL = "fal-ai/flux/schnell"
TO_IMAGE = "fal-ai/flux/dev/image-to-image"
FOX = {"prompt": "a red fox", "image_size": "square"}


@pytest.fixture
def posts(simulator):
    """Say how many paid POSTs were made since the test began."""
    before = len(simulator.ledger())
    return lambda: len(simulator.ledger()) - before


def key(session, arguments, endpoint=SCHNELL):
    checked = session.check(endpoint, arguments).arguments
    return key_of(session.settings, endpoint, sealed(checked), session.schema(endpoint), {}).memo_key


def test_a_reused_answer_sends_nothing_and_makes_no_record(session, posts):
    first = session.submit(SCHNELL, FOX)
    made = first.get()
    again = session.submit(SCHNELL, FOX, memo="reuse")
    assert (again.state, again.done, again.record_id) == ("SUCCEEDED", True, first.record_id)
    assert again.get() == made
    assert again.get().files[0].bytes() == made.files[0].bytes()
    assert again.snapshot.equal.is_answer
    assert first.snapshot.equal is None
    assert posts() == 1
    assert session.history.count() == 1


def test_off_calls_and_says_where_the_equal_call_is(session, posts):
    first = session.submit(SCHNELL, FOX)
    first.get()
    session.history.update(first.record_id, cost=0.03, currency="USD")
    second = session.submit(SCHNELL, FOX)
    second.get()
    equal = second.snapshot.equal
    assert (equal.record_id, equal.cost, equal.is_answer) == (first.record_id, 0.03, False)
    assert posts() == 2


def test_refresh_calls_in_any_case_and_is_the_newest_answer(session, posts):
    session.memo = "reuse"
    first = session.submit(SCHNELL, FOX)
    first.get()
    fresh = session.submit(SCHNELL, FOX, memo="refresh")
    fresh.get()
    assert fresh.snapshot.equal is None
    assert posts() == 2
    assert session.submit(SCHNELL, FOX).record_id == fresh.record_id
    assert posts() == 2


@pytest.mark.parametrize("mode", ["on", "", True, None])
def test_a_mode_that_is_none_is_named(session, mode):
    with pytest.raises(ConfigError, match="reuse"):
        session.memo = mode
    with pytest.raises(ConfigError):
        session.submit(SCHNELL, FOX, memo="always")


def test_equal_calls_may_be_written_in_many_ways(session, posts):
    session.memo = "reuse"
    session.submit(SCHNELL, {"prompt": "x", "num_images": 1, "seed": 3}).get()
    for other in (
        {"seed": 3, "num_images": 1, "prompt": "x"},
        {"prompt": "x", "seed": 3},
        {"prompt": "x", "seed": "3", "num_images": "1"},
        {"prompt": "x", "seed": 3.0, "num_inference_steps": 4},
        {"prompt": "x", "seed": 3, "image_size": "landscape_4_3", "enable_safety_checker": True},
    ):
        assert session.submit(SCHNELL, other).snapshot.equal.is_answer, other
    assert session.submit(SCHNELL, {"prompt": "x", "seed": 3}, kind="direct").snapshot.equal.is_answer
    assert posts() == 1


def test_null_is_absence_where_the_schema_says_so(session):
    assert key(session, {"prompt": "x", "seed": None}) == key(session, {"prompt": "x"})
    size = {"prompt": "x", "image_size": {"width": 512}}
    assert key(session, size) == key(session, {"prompt": "x", "image_size": {"width": 512, "height": 512}})


@pytest.mark.parametrize(
    "other", [{"prompt": "a red fox!"}, {"seed": 1}, {"num_images": 2}, {"image_size": "square_hd"}]
)
def test_one_argument_that_differs_is_another_call(session, other):
    assert key(session, FOX) != key(session, {**FOX, **other})


def test_a_call_without_a_seed_is_answered_too(session, posts):
    seed = session.submit(SCHNELL, FOX).get()["seed"]
    assert session.submit(SCHNELL, FOX, memo="reuse").get()["seed"] == seed
    assert posts() == 1


def test_an_input_file_counts_by_its_bytes(session, posts, tmp_path):
    session.memo = "reuse"
    picture = session.submit(SCHNELL, FOX).get().files[0].bytes()
    one, two = tmp_path / "one.png", tmp_path / "two.png"
    one.write_bytes(picture)
    two.write_bytes(picture)
    call = {"prompt": "x"}
    first = session.submit(TO_IMAGE, {**call, "image_url": one})
    first.get()
    assert posts() == 2
    for same in (two, picture, session.upload(two), first.arguments["image_url"]):
        assert session.submit(TO_IMAGE, {**call, "image_url": same}).record_id == first.record_id
    assert posts() == 2
    two.write_bytes(picture[:-1] + bytes([picture[-1] ^ 1]))
    assert session.submit(TO_IMAGE, {**call, "image_url": two}).wait().record_id != first.record_id
    assert posts() == 3


def test_an_output_of_an_earlier_call_counts_by_its_bytes(session, posts):
    arguments = {**FOX, "seed": 5}
    one, two = session.submit(SCHNELL, arguments).get(), session.submit(SCHNELL, arguments).get()
    assert one["images"][0]["url"] != two["images"][0]["url"]
    first = session.submit(TO_IMAGE, {"prompt": "x", "image_url": one})
    first.get()
    assert session.history.get(first.record_id).input_digests == {one["images"][0]["url"]: one.files[0].digest}
    assert session.submit(TO_IMAGE, {"prompt": "x", "image_url": two}, memo="reuse").record_id == first.record_id
    assert posts() == 3


def test_a_file_that_changes_on_its_way_up_answers_nothing_later(session, posts, tmp_path, monkeypatch):
    path = tmp_path / "frame.png"
    before = session.submit(SCHNELL, FOX).get().files[0].bytes()
    upload = ClientWire.upload

    async def changed_meanwhile(wire, file):
        path.write_bytes(before + b"more")
        return await upload(wire, file)

    path.write_bytes(before)
    with monkeypatch.context() as patch:
        patch.setattr(ClientWire, "upload", changed_meanwhile)
        job = session.submit(TO_IMAGE, {"prompt": "x", "image_url": path}).wait()
    record = session.history.get(job.record_id)
    assert record.input_digests == {job.arguments["image_url"]: hashlib.sha256(before + b"more").hexdigest()}
    assert record.memo_key is None
    path.write_bytes(before)
    assert session.submit(TO_IMAGE, {"prompt": "x", "image_url": path}, memo="reuse").snapshot.equal is None


def test_no_text_passes_for_a_digest(session, tmp_path):
    path = tmp_path / "a.bin"
    path.write_bytes(b"bytes")
    settings = session.settings
    file = sealed({"image_url": local_file(path)})
    digest = file["image_url"].sha256
    keys = {
        key_of(settings, "a/b", arguments, None, {}).memo_key
        for arguments in (file, {"image_url": digest}, {"image_url": None}, {"image_url": f"sha256:{digest}"}, {})
    }
    assert len(keys) == 5


def test_only_successes_whose_files_are_all_intact_answer(session, posts):
    session.memo = "reuse"
    first = session.submit(SCHNELL, FOX)
    blob = first.get().files[0]
    stored = session.artifacts.path(blob.digest)
    stored.chmod(0o644)
    data = stored.read_bytes()
    stored.write_bytes(data[:-1] + b"x")
    second = session.submit(SCHNELL, {**FOX})
    assert second.record_id != first.record_id
    second.get()
    session.history.update(second.record_id, state="FAILED")
    stored.unlink()
    third = session.submit(SCHNELL, FOX)
    third.get()
    assert posts() == 3


def test_a_failed_call_is_made_again(session, simulator, posts):
    session.memo = "reuse"
    simulator.fault("fail", times=1)
    job = session.submit(SCHNELL, FOX).wait()
    assert job.state == "FAILED"
    assert session.submit(SCHNELL, FOX).wait().state == "SUCCEEDED"
    assert posts() == 2


def test_a_changed_default_is_another_call(session, posts, monkeypatch):
    session.memo = "reuse"
    session.submit(SCHNELL, FOX).get()
    schema = session.schema(SCHNELL)
    changed = tuple(
        replace(field, default=5) if field.name == "num_inference_steps" else field for field in schema.inputs.fields
    )
    other = EndpointSchema(SCHNELL, replace(schema.inputs, fields=changed), schema.output)
    monkeypatch.setattr(session.preflight, "known_schema", lambda endpoint: other)
    session.submit(SCHNELL, FOX).get()
    assert posts() == 2


def test_another_server_is_another_call(session, posts, tmp_path):
    session.memo = "reuse"
    session.submit(SCHNELL, FOX).get()
    with SimulatorServer(runners=1, speed=20) as other:
        elsewhere = Session(base_url=other.base_url, home=session.home)
        elsewhere.memo = "reuse"
        assert elsewhere.submit(SCHNELL, FOX).get()
        assert len(other.ledger()) == 1
        elsewhere.close()
    assert posts() == 1


def test_a_simulated_answer_is_never_that_of_a_real_call(session):
    settings = session.settings
    keys = {
        key_of(replace(settings, backend=backend), SCHNELL, FOX, None, {}).memo_key
        for backend in ("simulator", "fal", "server", "proxy")
    }
    assert len(keys) == 4


def test_a_kernel_that_was_restarted_knows_the_calls_of_the_one_before(session, simulator, posts, tmp_path):
    picture = tmp_path / "a.png"
    made = session.submit(SCHNELL, FOX).get()
    picture.write_bytes(made.files[0].bytes())
    session.submit(TO_IMAGE, {"prompt": "x", "image_url": picture}).get()
    session.close()
    later = Session(base_url=simulator.base_url, home=session.home)
    later.memo = "reuse"
    assert later.submit(SCHNELL, FOX).get() == made
    assert later.submit(TO_IMAGE, {"prompt": "x", "image_url": picture}).get()["images"]
    assert posts() == 2
    later.close()


def test_what_a_caller_writes_goes_on_the_record_that_answers(session):
    first = session.submit(SCHNELL, FOX, more={"tags": ("a",)})
    first.get()
    session.submit(SCHNELL, FOX, memo="reuse", more={"tags": ("b",), "note": "again"})
    record = session.history.get(first.record_id)
    assert (record.tags, record.note) == (("a", "b"), "again")
    session.submit(SCHNELL, FOX, memo="reuse", more={"note": "a third time"})
    assert session.history.get(first.record_id).note == "again"
    assert session.history.steps(first.record_id)[-1].note == "Asked for again: a third time"


def test_unchecked_calls_are_equal_among_themselves(session, posts):
    session.submit(SCHNELL, FOX, check=False).get()
    assert session.submit(SCHNELL, FOX, check=False, memo="reuse").snapshot.equal.is_answer
    assert posts() == 1


def test_a_large_file_is_read_once_as_long_as_it_does_not_change(tmp_path, monkeypatch):
    reads = []
    digest = LocalFile.digest
    monkeypatch.setattr(LocalFile, "digest", lambda file: reads.append(file.path) or digest(file))
    path = tmp_path / "large.bin"
    path.write_bytes(b"x" * (8 * 1024 * 1024 + 1))
    assert local_file(path).content_digest() == local_file(path).content_digest()
    assert len(reads) == 1
    os.utime(path, ns=(1, 1))
    local_file(path).content_digest()
    assert len(reads) == 2
