"""`%fal canvas` and `fal.canvas`, against the simulator over real sockets."""

import io
import re
import time

import pytest
from PIL import Image

import fal_nb

TURBO = "fal-ai/fast-turbo-diffusion/image-to-image"
TEXT = "fal-ai/fast-lcm-diffusion"
PATIENCE_S = 30.0


def until(condition):
    deadline = time.monotonic() + PATIENCE_S
    while not condition():
        assert time.monotonic() < deadline, "not in time"
        time.sleep(0.01)


def mean_colour(data):
    return Image.open(io.BytesIO(data)).convert("RGB").resize((1, 1)).getpixel((0, 0))


def test_in_a_terminal_a_canvas_is_text_and_connects_to_nothing(run, shell, simulator):
    printed, done = run(f'%fal canvas {TURBO} "a red fox" seed=7 --in-flight 3 --idle 20 -o canvas')
    assert done.success
    assert "canvas  not connected" in printed
    assert "prompt = " in printed
    canvas = shell.user_ns["canvas"]
    assert canvas.arguments == {"prompt": "a red fox", "seed": 7}
    assert repr(canvas) == f"<Canvas of {TURBO}, closed, 0 frames>"
    assert canvas.stats.connections == 0


def test_frames_are_made_of_what_is_filled_in_and_drawn(shell):
    canvas = fal_nb.canvas(
        TURBO, {"prompt": "a fox", "image_url": Image.new("RGB", (640, 320), "red"), "strength": 0.4}
    )
    frame = canvas.frame()
    assert frame.arguments == {"prompt": "a fox", "strength": 0.4, "seed": canvas.arguments["seed"]}
    assert Image.open(io.BytesIO(frame.drawing)).size == (512, 256)
    assert mean_colour(frame.drawing)[0] > 200
    assert frame.pil().width > 0
    canvas.draw(Image.new("RGB", (64, 64), "blue"))
    other = canvas.frame()
    assert mean_colour(other.drawing)[2] > 200
    assert mean_colour(other.picture)[2] > mean_colour(frame.picture)[2]
    assert canvas.frames[-1] is other
    assert canvas.stats.connections == 1
    assert re.search(r"p50_s=0\.\d{1,3}, p95_s=0\.\d{1,3}, frames_per_s=\d+\.\d{1,2}\)$", repr(canvas.stats))
    assert canvas.stats.most_in_flight <= 2
    canvas.stop()
    assert "closed" in repr(canvas)
    assert canvas.frame().number == 3  # begins another session
    assert canvas.stats.connections == 2


def test_waiting_for_what_is_open_does_not_wait_for_a_session_that_nobody_has_closed(run, shell):
    canvas = fal_nb.canvas(TEXT, {"prompt": "a fox"}, idle_s=600)
    canvas.frame()
    assert fal_nb.wait(timeout=30) == []
    printed, done = run("%fal wait --timeout 30")
    assert done.success
    assert "No job is open." in printed
    assert [job.snapshot.kind for job in fal_nb.session().jobs()] == ["realtime"]
    canvas.stop()


def test_an_endpoint_that_takes_no_picture_is_a_canvas_of_sliders(shell):
    canvas = fal_nb.canvas(TEXT, {"prompt": "a harbour", "image_size": "square"})
    assert canvas.frame().drawing is None
    with pytest.raises(fal_nb.ConfigError, match="takes no picture"):
        canvas.draw(Image.new("RGB", (8, 8)))


def test_a_text_is_a_path_where_it_is_drawn_and_never_inside_arguments(shell, tmp_path):
    Image.new("RGB", (64, 64), "blue").save(tmp_path / "sketch.png")
    canvas = fal_nb.canvas(TURBO, {"prompt": "a fox"})
    canvas.draw(str(tmp_path / "sketch.png"))
    assert mean_colour(canvas.frame().drawing)[2] > 200
    canvas.stop()
    with pytest.raises(fal_nb.FileError, match="Cannot read nowhere"):
        canvas.draw("nowhere.png")
    with pytest.raises(fal_nb.FalError, match="is drawn on a picture"):
        fal_nb.canvas(TURBO, {"prompt": "a fox", "image_url": str(tmp_path / "sketch.png")}).prepare()


def test_a_pinned_frame_is_a_record_that_can_be_rated_copied_and_made_again(shell, run):
    canvas = fal_nb.canvas(TURBO, {"prompt": "a fox", "seed": 3})
    canvas.frame()
    first = canvas.frames[-1]
    canvas.arguments = {"prompt": "an owl", "seed": 3}
    canvas.frame()
    job = canvas.pin(first)
    record = fal_nb.session().record(job)
    session = fal_nb.session().record(int(record.note.split("#")[1].split(",")[0]))
    assert record.state == "SUCCEEDED"
    assert record.arguments["prompt"] == "a fox"
    assert record.arguments["image_url"].startswith("http")
    assert (record.cost, record.tags) == (0.0, ("pinned",))
    assert session.kind == "realtime"
    assert job.result().files[0].path.read_bytes() == first.picture
    fal_nb.rate(job, 4)
    assert fal_nb.copy_as(job, "magic").startswith(f'%fal run {TURBO} prompt="a fox"')
    again = fal_nb.replay(job)
    assert again.get().files
    assert fal_nb.session().record(again).arguments == record.arguments
    assert list(record.input_digests) == [record.arguments["image_url"]]
    assert canvas.pins == (job.record_id,)
    canvas.stop()
    until(lambda: fal_nb.session().record(session.id).state == "SUCCEEDED")
    assert fal_nb.session().record(session.id).result["sent"] == 2


def test_what_does_not_fit_is_refused_before_anything_is_sent(shell, run, simulator):
    canvas = fal_nb.canvas(TURBO, {"prompt": "a fox"})
    canvas.arguments = {"prompt": "a fox", "num_images": "many"}
    with pytest.raises(fal_nb.ArgumentsError, match="num_images"):
        canvas.frame()
    assert canvas.stats.connections == 0
    for options in ({"in_flight": 0}, {"in_flight": True}, {"idle_s": 0}, {"idle_s": "soon"}):
        with pytest.raises(fal_nb.ConfigError):
            fal_nb.canvas(TURBO, **options)
    with pytest.raises(fal_nb.FalError):
        fal_nb.canvas(TURBO, {"image_url": b"no picture"}).frame()
    with pytest.raises(fal_nb.ConfigError, match="no frame yet"):
        fal_nb.canvas(TURBO).pin()
    assert "did you mean canvas" in run(f"%fal draw {TURBO}")[0]


def test_an_endpoint_without_realtime_fails_in_one_line_and_is_tried_again_when_asked(shell):
    canvas = fal_nb.canvas("fal-ai/flux/dev", {"prompt": "a fox"})
    for _ in range(2):
        with pytest.raises(fal_nb.FalError) as refused:
            canvas.frame()
        assert "\n" not in str(refused.value)
    assert "failed" in repr(canvas)


def test_a_session_that_nobody_uses_ends_by_itself(shell):
    canvas = fal_nb.canvas(TURBO, {"prompt": "a fox"}, idle_s=0.2)
    canvas.frame()
    until(lambda: "closed" in repr(canvas))


def test_under_a_budget_a_session_has_to_be_allowed(shell):
    fal_nb.session().budget = 1.0
    with pytest.raises(fal_nb.FalError, match=r"budget|price"):
        fal_nb.canvas(TURBO, {"prompt": "a fox"}).frame()
    assert fal_nb.canvas(TURBO, {"prompt": "a fox"}, allow_unpriced=True).frame().number == 1


def test_views_show_the_same_frames_and_a_page_that_leaves_ends_the_session(shell):
    canvas = fal_nb.canvas(TURBO, {"prompt": "a fox"})
    sent = []

    class Outlet:
        def changed(self, view, *, settled): ...

        def post(self, view, content, buffer): ...

        def frame(self, view, content, buffer):
            sent.append((view.id, content["frame"], len(buffer)))

    views = [canvas.new_view(), canvas.new_view()]
    for view in views:
        view.outlet = Outlet()
    canvas.frame()
    assert {view_id for view_id, _, _ in sent} == {view.id for view in views}
    assert all(size < 480_000 for _, _, size in sent)
    loop = fal_nb.session().runtime
    loop.post(views[0].left)
    loop.post(views[0].receive, {"kind": "picture", "start": 0})  # it was loaded anew

    async def leaving():
        return canvas._feed._leaving

    assert loop.call(leaving()) is None
    loop.post(views[0].left)
    until(lambda: "closed" in repr(canvas))
