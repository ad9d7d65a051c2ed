"""`%fal form` and `fal.form`, against the simulator over real sockets."""

import json
from pathlib import Path

import pytest

import fal_nb
from fal_nb.workbench import current

SCHNELL = "fal-ai/flux/schnell"


def test_in_a_terminal_a_form_is_its_inputs_as_text_and_the_cell_to_copy(run):
    printed, done = run(f'%fal form {SCHNELL} "a red fox" seed=7')
    assert done.success
    assert done.result is None
    assert "prompt *" in printed
    assert "num_inference_steps" in printed
    assert "1–12" in printed
    assert f'%fal run {SCHNELL} prompt="a red fox" seed=7' in printed
    assert "USD" in printed


def test_a_body_is_the_prompt_and_what_is_wrong_is_said(run, shell):
    printed, done = run(f"%%fal form {SCHNELL} num_images=9 -o form\na fox\nin snow")
    assert done.success
    assert "num_images: 9 is too high" in printed
    assert "%%fal run" not in printed  # it would be refused
    printed, _ = run(f"%%fal form {SCHNELL} num_images=2\na fox\nin snow")
    assert f"%%fal run {SCHNELL} num_images=2\na fox\nin snow" in printed
    form = shell.user_ns["form"]
    assert form.arguments == {"prompt": "a fox\nin snow", "num_images": 9}
    assert form.check().lines == ["num_images: 9 is too high, it takes 1–4"]
    with pytest.raises(fal_nb.ArgumentsError, match="num_images"):
        form.submit()


def test_what_is_filled_in_can_be_set_run_and_written_as_a_cell_that_gives_the_same(run, shell, tmp_path):
    form = fal_nb.form(SCHNELL)
    form.arguments = {"prompt": 'it\'s "5" {braces}', "image_size": {"width": 256, "height": 128}, "num_images": 1}
    assert form.arguments == {"prompt": 'it\'s "5" {braces}', "image_size": {"width": 256, "height": 128}}
    one = form.submit().get()
    _, done = run(form.cell)
    assert done.success
    assert done.result["prompt"] == one["prompt"]
    assert done.result["images"][0]["width"] == 256
    assert repr(form) == f"<Form of {SCHNELL}, 2 filled in>"


def test_a_local_file_stays_a_path_until_the_call_uploads_it(run, tmp_path):
    path = tmp_path / "my cat.png"
    fal_nb.run(SCHNELL, {"prompt": "x", "image_size": "square"}).files[0].save(path)
    form = fal_nb.form("fal-ai/flux/dev/image-to-image", {"prompt": "a wolf", "image_url": path})
    assert form.arguments["image_url"] == path
    assert f'image_url=@"{path}"' in form.cell
    assert form.submit().get().files
    assert run(form.cell)[1].success
    form.arguments = {"prompt": "a wolf", "image_url": tmp_path / "nowhere.png"}
    assert "nowhere.png" in form.look().error
    assert form.look().price == ""


def test_what_a_form_cannot_hold_is_refused_by_name(run):
    with pytest.raises(fal_nb.FileError, match=r"image_url is neither \(object\)"):
        fal_nb.form(SCHNELL, {"image_url": object()})
    with pytest.raises(fal_nb.FileError, match="too long for a form"):
        fal_nb.form(SCHNELL, {"prompt": "x" * 200_000})
    with pytest.raises(fal_nb.NotFoundError):
        fal_nb.form("nobody/nothing")
    assert "did you mean form" in run("%fal fill fal-ai/flux/dev")[0]


def test_every_output_has_a_view_of_its_own_and_all_show_the_same_values(run):
    form = fal_nb.form(SCHNELL, {"prompt": "one"})
    here, there = form.new_view(), form.new_view()
    assert here.id != there.id
    edit = {"kind": "edit", "page": "p", "edit": 1, "values": json.dumps({"prompt": "two"})}
    runtime = current().session.runtime

    async def say():
        here.receive(edit)

    runtime.call(say())
    runtime.call(_later())
    assert json.loads(there.state()["values"]) == {"prompt": "two"}
    assert there.state()["edit"][0] == ""
    assert here.state()["edit"] == ["p", 1]


async def _later():
    """Let what was posted to the loop before happen."""


def test_files_that_are_picked_lie_in_our_own_folder(run):
    assert fal_nb.form(SCHNELL).input_folder == Path(current().session.home) / "inputs"
