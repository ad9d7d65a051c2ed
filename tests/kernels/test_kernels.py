"""What has to hold in real kernels, several of them, and after they are gone."""

import pytest

from fal_nb.ledger.store import HistoryStore

pytestmark = [pytest.mark.kernel, pytest.mark.slow]

SUBMIT_50 = """
import fal_nb as fal
jobs = [fal.submit("fal-ai/flux/schnell", {"prompt": f"{NAME} {n}", "image_size": "square"}) for n in range(50)]
for job in jobs:
    job.get()
"""


def test_three_kernels_submit_fifty_jobs_each_into_one_history(start_kernel, simulator, tmp_path):
    kernels = {name: start_kernel() for name in "abc"}
    started = {name: kernel.start(f"NAME = {name!r}\n{SUBMIT_50}") for name, kernel in kernels.items()}
    assert {name: kernels[name].finish(request_id) for name, request_id in started.items()} == dict.fromkeys(
        "abc", "ok"
    )
    with HistoryStore(tmp_path / "home" / "history.sqlite") as store:
        records = store.select()
        assert len(records) == 150
        assert {record.state for record in records} == {"SUCCEEDED"}
        wanted = {f"{name} {number}" for name in "abc" for number in range(50)}
        assert {record.arguments["prompt"] for record in records} == wanted
        assert store.verify().is_sound
    assert len(simulator.ledger()) == 150


def test_after_a_restart_the_history_has_every_earlier_row(start_kernel):
    first = start_kernel()
    first.run("%load_ext fal_nb\n%fal run fal-ai/flux/schnell prompt=before seed=4 image_size=square")
    first.stop()
    second = start_kernel()
    printed, _ = second.run("import fal_nb as fal\nprint(fal.history()[['prompt', 'seed', 'state']].to_string())")
    assert "before" in printed
    assert "SUCCEEDED" in printed
    printed, _ = second.run("print(fal.result(1).files[0].pil().size)")
    assert printed == "(512, 512)\n"


def test_a_job_goes_on_while_the_main_thread_computes_and_after_the_cell(start_kernel):
    kernel = start_kernel()
    kernel.run("import fal_nb as fal, time\njob = fal.submit('fal-ai/flux/dev', {'prompt': 'x'})")
    printed, _ = kernel.run("time.sleep(3)\nprint(job.state, job.done)")
    assert printed == "SUCCEEDED True\n"


def test_where_nobody_watches_the_output_is_plain_html_and_complete_when_the_cell_ends(start_kernel):
    kernel = start_kernel()
    kernel.run("%load_ext fal_nb")
    _, shown = kernel.run("%fal run fal-ai/flux/schnell prompt='a red fox' image_size=square")
    assert all(set(data) == {"text/html", "text/plain"} for data in shown)
    assert "data:image/webp;base64," in shown[-1]["text/html"]
    printed, _ = kernel.run("import sys; print('ipywidgets' in sys.modules, 'anywidget' in sys.modules)")
    assert printed == "False False\n"


def test_a_python_function_that_waits_shows_its_card_but_not_from_a_thread(start_kernel):
    kernel = start_kernel()
    kernel.run("import fal_nb as fal, threading")
    for name in ("subscribe", "run"):
        printed, shown = kernel.run(f"kept = fal.{name}('simulator/sleep', {{'seconds': 0.1, 'echo': '{name}'}})")
        assert "simulator/sleep" in shown[0]["text/html"]
        assert "done" in shown[-1]["text/plain"]
        assert printed == ""
    call = "lambda: fal.subscribe('simulator/sleep', {'seconds': 0})"
    printed, shown = kernel.run(f"thread = threading.Thread(target={call}); thread.start(); thread.join()")
    assert (printed, shown) == ("", [])


def test_a_locked_or_foreign_history_is_one_line_and_the_kernel_goes_on(start_kernel, tmp_path):
    home = tmp_path / "home"
    home.mkdir()
    (home / "history.sqlite").write_bytes(b"this is no database, but something of yours" * 100)
    kernel = start_kernel()
    kernel.run("%load_ext fal_nb")
    printed, _ = kernel.run(
        "try:\n    get_ipython().run_line_magic('fal', 'run fal-ai/flux/schnell prompt=x')\n"
        "except Exception as error:\n    print(error)"
    )
    assert "HistoryError" in printed
    assert len(printed.strip().splitlines()) == 1
    assert (home / "history.sqlite").read_bytes().startswith(b"this is no database")
    assert kernel.run("print(1 + 1)")[0] == "2\n"
