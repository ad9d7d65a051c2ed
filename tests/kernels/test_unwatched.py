"""A kernel that no page watches, as nbconvert and papermill drive it; and the magics that wrap a cell."""

import re

import pytest

pytestmark = pytest.mark.kernel


def words(shown):
    return " ".join(re.sub(r"<[^>]+>", " ", data.get("text/html", "")) for data in shown)


def test_what_nobody_watches_says_so_once_and_wait_brings_the_end_into_the_notebook(start_kernel):
    kernel = start_kernel()
    kernel.run("%load_ext fal_nb")
    printed, _ = kernel.run("job = %fal submit fal-ai/flux/schnell prompt=fox")
    assert printed.count("Nobody watches this notebook") == 1
    assert "`%fal wait`" in printed
    printed, _ = kernel.run("other = %fal submit fal-ai/flux/schnell prompt=owl")
    assert printed == ""
    _, shown = kernel.run("%fal wait")
    assert words(shown[-2:]).count("done") == 2
    _, shown = kernel.run("%fal jobs")
    assert "No job is open." in words(shown)
    assert all("application/vnd.jupyter.widget-view+json" not in data for data in shown)


def test_capture_keeps_the_card_and_time_only_adds_its_lines(start_kernel):
    kernel = start_kernel()
    kernel.run("%load_ext fal_nb")
    printed, shown = kernel.run("%%capture kept\n%fal run fal-ai/flux/schnell prompt=fox")
    assert (printed, shown) == ("", [])
    printed, shown = kernel.run("kept.show()\nprint(len(kept.outputs))")
    assert "fal-ai/flux/schnell" in words(shown)
    printed, shown = kernel.run("%%time\nresult = %fal run fal-ai/flux/schnell prompt=owl")
    assert "Wall time" in printed
    assert "done" in words(shown)
    printed, _ = kernel.run("print(result.files[0].kind)")
    assert printed == "image\n"
