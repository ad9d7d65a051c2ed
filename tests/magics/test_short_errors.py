"""A mistake in a call of a Python function is one short line in IPython; ``%tb`` and scripts show where it was made."""

import copy
import traceback

import pytest

from fal_nb.errors import FalClientTimeoutError, JobError

SCHNELL = "fal-ai/flux/schnell"


@pytest.mark.parametrize(
    ("call", "line"),
    [
        (
            f"fal.submit({SCHNELL!r}, {{'prompt': 'x', 'num_images': 99}})",
            "ArgumentsError: fal-ai/flux/schnell: num_images",
        ),
        (f"fal.submit({SCHNELL!r}, 'text')", "ConfigError: Arguments are a dict"),
        (f"fal.subscribe({SCHNELL!r}, [1])", "ConfigError: Arguments are a dict"),
        (f"fal.run({SCHNELL!r}, {{'prompt': {{1, 2}}}})", "FileError: An argument holds a set"),
        (f"fal.submit({SCHNELL!r}, {{'prompt': 'x'}}, tags=5)", "HistoryError: Tags are a text or a list"),
        ("fal.submit(5, {})", "EndpointError: An endpoint is a text"),
        ("fal.submit('fal-ai/flux/schnel', {})", "NotFoundError: fal knows no endpoint fal-ai/flux/schnel"),
        ("fal.result('4711')", "JobError: "),
    ],
)
def test_a_mistake_is_one_line_and_tb_shows_the_frames(run, call, line):
    run("import fal_nb as fal")
    printed, done = run(call)
    assert not done.success
    assert printed.startswith(line), printed
    assert printed.count("\n") == 1
    assert "Traceback" not in printed
    whole = run("%tb")[0]
    assert "Traceback" in whole
    assert "fal_nb/" in whole
    assert "interactiveshell" not in whole


def test_an_unknown_keyword_shows_no_frame_of_ours(run):
    run("import fal_nb as fal")
    printed, _ = run(f"fal.submit({SCHNELL!r}, {{}}, colour=1)")
    assert "unexpected keyword argument 'colour'" in printed
    assert "fal_nb/" not in printed


def test_the_same_error_raised_again_is_one_line_again(run):
    run("import fal_nb as fal")
    run(f"job = fal.session().submit({SCHNELL!r}, {{}}, check=False)")
    for _ in range(2):
        printed, done = run("job.get()")
        assert printed.splitlines()[-1] == f"ValidationError: {done.error_in_exec}"
        assert "Traceback" not in printed


@pytest.mark.parametrize("error", [JobError("none"), FalClientTimeoutError(1.0)])
def test_scripts_show_the_traceback_as_ever_and_a_shown_error_can_be_copied(error):
    with pytest.raises(type(error)) as caught:
        raise error
    assert caught.value._render_traceback_() == [f"{type(error).__name__}: {error}"]
    assert "Traceback" in "".join(traceback.format_exception(error))
    assert str(copy.copy(JobError("none"))) == "none"
