"""Arguments are looked at before anything is sent, and a schema that cannot be had keeps nobody from calling."""

from pathlib import Path

import pytest

from fal_nb.engine.session import Session
from fal_nb.errors import ArgumentsError, EndpointError, FalError, NotFoundError, TransferError, WrongThreadError
from fal_nb.simulator.endpoints.endpoint import Plan, Price, SimulatedEndpoint
from fal_nb.simulator.endpoints.flux import SchnellTextToImageInput
from fal_nb.simulator.endpoints.shapes import StandardImages
from fal_nb.simulator.server import SimulatorServer
from fal_nb.sweeps.sweep import Sweep

SCHNELL = "fal-ai/flux/schnell"
IMAGE = "fal-ai/flux/dev/image-to-image"


def test_wrong_arguments_are_refused_before_anything_is_written_or_sent(session, simulator):
    accepted = len(simulator.ledger())
    with pytest.raises(ArgumentsError) as caught:
        session.submit(SCHNELL, {"promt": "x", "num_images": 9})
    assert [str(problem) for problem in caught.value.problems] == [
        "promt: fal-ai/flux/schnell has no such input; did you mean prompt?",
        "num_images: 9 is too high, it takes 1–4",
    ]
    assert str(caught.value).startswith("fal-ai/flux/schnell: 2 arguments to mend\n  promt: ")
    assert isinstance(caught.value, ValueError)
    assert session.history.count() == 0
    assert len(simulator.ledger()) == accepted


def test_one_problem_is_one_line(session):
    with pytest.raises(ArgumentsError) as caught:
        session.submit(SCHNELL, {"prompt": "x", "num_images": 9})
    assert str(caught.value) == "fal-ai/flux/schnell: num_images: 9 is too high, it takes 1–4"


def test_coerced_arguments_are_what_is_recorded_and_sent(session):
    job = session.submit(SCHNELL, {"prompt": 7, "num_images": "2", "image_size": "256x128", "seed": None})
    wanted = {"prompt": "7", "num_images": 2, "image_size": {"width": 256, "height": 128}}
    assert job.arguments == wanted
    result = job.get()
    assert (len(result["images"]), result["images"][0]["width"], result["prompt"]) == (2, 256, "7")
    assert session.history.get(job.record_id).arguments == wanted


def test_a_local_file_stands_for_its_url(session, tmp_path):
    picture = session.submit(SCHNELL, {"prompt": "x", "image_size": "64x64"}).get().files[0].save(tmp_path / "a.jpg")
    result = session.submit(IMAGE, {"prompt": "y", "image_url": Path(picture)}).get()
    assert result.files[0].pil().size == (64, 64)
    with pytest.raises(ArgumentsError, match=r"image_url: takes the URL of an image file, and .* is none"):
        session.submit(IMAGE, {"prompt": "y", "image_url": str(picture)})
    with pytest.raises(ArgumentsError, match="prompt: takes a text, not a file"):
        session.submit(SCHNELL, {"prompt": Path(picture)})


def test_check_false_sends_what_is_given(session):
    with pytest.raises(FalError, match="num_images"):
        session.submit(SCHNELL, {"prompt": "x", "num_images": 9}, check=False).get()
    assert session.history.count() == 1


def test_check_returns_every_problem_and_sends_no_call(session, simulator, tmp_path):
    accepted = len(simulator.ledger())
    assert session.check(SCHNELL, {"prompt": "x", "seed": "5"}).arguments == {"prompt": "x", "seed": 5}
    assert len(session.check(SCHNELL, {"seed": "x", "num_images": 0}).problems) == 3
    (tmp_path / "a.png").write_bytes(b"\x89PNG")
    checked = session.check(IMAGE, {"prompt": "x", "image_url": tmp_path / "a.png"})
    assert checked.ok
    assert checked.arguments["image_url"] == "<a.png>"
    assert len(simulator.ledger()) == accepted
    assert session.history.count() == 0


def test_schema_is_what_the_endpoint_takes(session):
    assert session.schema(SCHNELL)["num_inference_steps"].default == 4
    with pytest.raises(NotFoundError):
        session.schema("fal-ai/nope")
    with pytest.raises(EndpointError):
        session.schema("nope")


def test_where_no_schema_can_be_had_the_call_goes_unchecked_with_one_note(simulator, tmp_path, monkeypatch):
    async def lost(*_):
        raise TransferError("No answer came.")

    notes = []
    monkeypatch.setattr("fal_nb.client.schema_cache.SchemaCache._ask", lost)
    session = Session(base_url=simulator.base_url, home=tmp_path / "home", notify=notes.append)
    for _ in range(2):
        session.submit("simulator/sleep", {"anything": [1]}).wait(20)
    assert len(notes) == 1
    assert notes[0].startswith("The schema of simulator/sleep cannot be had, so its arguments go unchecked.")
    session.close()


@pytest.mark.parametrize(
    "call",
    [
        lambda session: session.submit("fal-ai/flux/schnel", {"prompt": "x"}),
        lambda session: session.submit("fal-ai/flux/schnel", {"prompt": "x"}, kind="direct"),
        lambda session: session.show_stream("fal-ai/flux/schnel", {"prompt": "x"}),
        lambda session: Sweep.plan_text(session, "seed: [1, 2]", "fal-ai/flux/schnel"),
    ],
)
def test_a_misspelt_endpoint_is_refused_with_the_nearest_one_and_nothing_is_sent(simulator, tmp_path, call):
    notes, accepted = [], len(simulator.ledger())
    session = Session(base_url=simulator.base_url, home=tmp_path / "home", notify=notes.append)
    with pytest.raises(NotFoundError, match=r"nothing was sent; did you mean fal-ai/flux/schnell\?") as caught:
        call(session)
    assert (caught.value.status_code, notes) == (404, [])
    assert (session.history.count(), len(simulator.ledger())) == (0, accepted)
    session.close()


def test_an_endpoint_that_is_like_another_in_its_owner_alone_gets_no_name_but_the_next_step(session):
    with pytest.raises(NotFoundError, match=r"no endpoint fal-ai/nope: nothing was sent\. `%fal models` lists"):
        session.submit("fal-ai/nope", {"prompt": "x"})


def test_an_endpoint_without_its_owner_gets_the_whole_name(session):
    with pytest.raises(NotFoundError, match=r"did you mean fal-ai/flux/dev\?"):
        session.submit("flux/dev", {"prompt": "x"})


def test_an_endpoint_of_ones_own_without_a_schema_is_called_once_it_has_answered(session, simulator):
    session.submit(SCHNELL, {"prompt": "x", "image_size": "64x64"}).wait(20)
    session.history.update(1, endpoint="me/mine")
    job = session.submit("me/mine", {"x": 1}).wait(20)
    assert (job.state, job.record_id) == ("FAILED", 2)


def test_the_next_session_checks_by_the_schema_on_disk_without_asking(session, simulator, tmp_path):
    session.schema(SCHNELL)
    asked = simulator.counters()["openapi"]
    again = Session(base_url=simulator.base_url, home=tmp_path / "home")
    with pytest.raises(ArgumentsError):
        again.submit(SCHNELL, {})
    assert simulator.counters()["openapi"] == asked
    again.close()


def test_an_observer_on_the_loops_thread_may_submit_and_never_blocks_it(session, wait_for):
    started = []

    def chain(snapshot):
        if snapshot.is_final and not started:
            started.append(session.submit(IMAGE, {"prompt": "b", "image_url": snapshot.result["images"][0]["url"]}))

    first = session.submit(SCHNELL, {"prompt": "a", "image_size": "64x64"})
    first.observe(chain)
    wait_for(lambda: started)
    assert started[0].get()["prompt"] == "b"


def test_on_the_loops_thread_a_schema_in_memory_is_used_and_another_is_fetched_for_the_next_time(session, wait_for):
    caught = []

    async def use(endpoint, arguments):
        try:
            caught.append(session.submit(endpoint, arguments))
        except ArgumentsError as error:
            caught.append(error)

    session.schema(SCHNELL)
    session.runtime.call(use(SCHNELL, {"promt": "x"}))
    assert isinstance(caught[0], ArgumentsError)
    session.runtime.call(use(IMAGE, {"promt": "x"}))
    with pytest.raises(FalError, match="prompt"):
        caught[1].get()
    wait_for(lambda: session.preflight._cache.peek(IMAGE))
    session.runtime.call(use(IMAGE, {"promt": "x"}))
    assert isinstance(caught[2], ArgumentsError)


def test_check_on_the_loops_thread_answers_from_memory_or_says_why_not(session):
    async def check():
        return session.check(SCHNELL, {"promt": "x"})

    with pytest.raises(WrongThreadError, match="own thread"):
        session.runtime.call(check())
    session.schema(SCHNELL)
    assert not session.runtime.call(check()).ok


class Sub(SimulatedEndpoint):
    endpoint_id = "fal-ai/thing/deep"
    title = category = "thing"
    input_model = SchnellTextToImageInput
    output_model = StandardImages
    price = Price("images", 1.0)

    def plan(self, arguments, studio):
        return Plan(0.1)

    def generate(self, arguments, studio):
        return {"images": []}


def test_a_subpath_is_checked_by_its_own_schema(tmp_path):
    from fal_nb.client.options import CallOptions

    with SimulatorServer(speed=20, endpoints=[Sub()]) as server:
        session = Session(base_url=server.base_url, home=tmp_path / "home")
        with pytest.raises(ArgumentsError, match="fal-ai/thing/deep: num_images"):
            session.submit("fal-ai/thing", {"prompt": "x", "num_images": 9}, options=CallOptions(path="/deep"))
        assert session.submit("fal-ai/thing", {"prompt": "x"}, options=CallOptions(path="/deep")).get() == {
            "images": []
        }
        session.close()
