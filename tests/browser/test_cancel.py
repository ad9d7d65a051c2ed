"""Stop means stop: the notebook's Stop and the card's Cancel, counted at the server."""

from importlib.metadata import version

import pytest

pytestmark = pytest.mark.browser

IS_OLD = int(version("ipykernel").split(".")[0]) < 7
SUBMIT_OTHERS = """
size = {{"width": 256, "height": 256}}
others = [fal_nb.submit("fal-ai/flux/dev", {{"prompt": f"job {{n}}", "image_size": size}}) for n in range({count})]
"""
COUNT_OTHERS = "print('running:', sum(job.state == 'RUNNING' for job in others))"
MANY = pytest.mark.parametrize("simulator", [{"runners": 200}], indirect=True)


def run_beside(open_notebook, simulator, name, others):
    """Return a notebook whose cell 2 is in ``%fal run`` beside so many others, and the request id of the run."""
    notebook = open_notebook(
        name, [SUBMIT_OTHERS.format(count=others), '%fal run fal-ai/flux/dev prompt="a red fox"', COUNT_OTHERS]
    )
    simulator.fault("long", seconds=120)
    notebook.run(1)
    notebook.until(lambda: len(simulator.ledger()) == others)
    notebook.start(2)
    request_id = notebook.request_id(2)
    notebook.state("RUNNING", 2)
    return notebook, request_id


def assert_cancelled(notebook, simulator, lab, request_id, others):
    notebook.shows(2, "cancel requested; a running endpoint may still finish")
    notebook.state("CANCELLED", 2)
    record = notebook.until(lambda: (found := lab.record(request_id)).state == "CANCELLED" and found)
    assert record.cancel == "CANCELLATION_REQUESTED"
    notebook.run(3)
    assert f"running: {others}" in notebook.text(3)
    assert simulator.requests(request_id)["cancel"] == 1
    assert simulator.counters()["cancel"] == 1


@pytest.mark.both_stacks
@pytest.mark.parametrize("others", [0, 150])
@MANY
def test_stop_during_run_is_one_cancel_at_the_server_within_a_second(open_notebook, simulator, lab, others):
    notebook, request_id = run_beside(open_notebook, simulator, f"stop_{others}.ipynb", others)
    stop = notebook.stop(lambda: simulator.requests(request_id).get("cancel"))
    assert stop.value == 1
    assert stop.waited_s < 1
    notebook.ends(2)
    notebook.shows(2, "Stopped: job #")
    assert_cancelled(notebook, simulator, lab, request_id, others)
    notebook.shot(f"stopped_beside_{others}")


@pytest.mark.both_stacks
def test_stop_of_a_run_that_waits_in_the_queue_says_that_it_was_cancelled_there(open_notebook, simulator, lab):
    simulator.set_runners(0)
    notebook = open_notebook("stop_queued.ipynb", ['%fal run fal-ai/flux/dev prompt="a red fox"'])
    notebook.start(1)
    request_id = notebook.request_id(1)
    notebook.stop(lambda: simulator.requests(request_id).get("cancel"))
    notebook.ends(1)
    notebook.state("CANCELLED", 1)
    notebook.shows(1, "Stopped: job #", "cancelled while it was queued")
    assert lab.record(request_id).cancel == "OK"
    assert simulator.counters()["cancel"] == 1


@pytest.mark.both_stacks
def test_a_second_stop_leaves_at_once_though_the_cancel_is_not_answered_yet(open_notebook, simulator):
    simulator.fault("long", seconds=120)
    simulator.fault("slow", on="cancel", seconds=60)
    notebook = open_notebook("stop_twice.ipynb", ['%fal run fal-ai/flux/dev prompt="a red fox"'])
    notebook.start(1)
    request_id = notebook.request_id(1)
    notebook.state("RUNNING", 1)
    notebook.stop(lambda: simulator.requests(request_id).get("cancel"))
    assert notebook.is_running(1)
    notebook.stop()
    assert notebook.ends(1) < 2
    notebook.shows(1, "cancel sent, waiting for fal")
    assert simulator.requests(request_id)["cancel"] == 1


@pytest.mark.parametrize("others", [0, 150])
@MANY
def test_the_cards_button_during_a_blocking_run_is_one_cancel_within_a_second(open_notebook, simulator, lab, others):
    notebook, request_id = run_beside(open_notebook, simulator, f"button_{others}.ipynb", others)
    button = notebook.card(2).locator(".fal-nb-cancel")
    click = notebook.click(button, lambda: simulator.requests(request_id).get("cancel"))
    assert click.value == 1
    assert click.waited_s < 1
    notebook.ends(2)
    assert_cancelled(notebook, simulator, lab, request_id, others)


def test_the_button_of_a_submitted_job_works_while_another_cell_sleeps(open_notebook, simulator):
    simulator.fault("long", seconds=30)
    notebook = open_notebook("button_sleep.ipynb", ["%%fal submit fal-ai/flux/dev\na red fox", "time.sleep(60)"])
    notebook.run(1)
    notebook.state("RUNNING", 1)
    request_id = notebook.request_id(1)
    notebook.start(2)
    notebook.until(lambda: notebook.is_running(2))
    words = notebook.card(1).locator(".fal-nb-words")
    before = words.inner_text()
    notebook.until(lambda: words.inner_text() != before)  # the kernel has published on the hub's comm in this cell
    button = notebook.card(1).locator(".fal-nb-cancel")
    assert notebook.click(button, lambda: simulator.requests(request_id).get("cancel")).waited_s < 1
    notebook.state("CANCELLED", 1)
    assert notebook.is_running(2)
    notebook.stop()
    notebook.idle()
    assert simulator.counters()["cancel"] == 1


@pytest.mark.both_stacks
def test_the_button_of_a_submitted_job_works_once_no_cell_runs(open_notebook, simulator, lab):
    simulator.fault("long", seconds=120)
    notebook = open_notebook("button_idle.ipynb", ["%%fal submit fal-ai/flux/dev\na red fox"])
    notebook.run(1)
    notebook.state("RUNNING", 1)
    request_id = notebook.request_id(1)
    button = notebook.card(1).locator(".fal-nb-cancel")
    assert notebook.click(button, lambda: simulator.requests(request_id).get("cancel")).waited_s < 1
    notebook.state("CANCELLED", 1)
    notebook.shows(1, "cancel requested; a running endpoint may still finish")
    notebook.until(lambda: lab.record(request_id).state == "CANCELLED")
    assert lab.record(request_id).cancel == "CANCELLATION_REQUESTED"
    assert simulator.counters()["cancel"] == 1


@pytest.mark.both_stacks
@pytest.mark.skipif(not IS_OLD, reason="newer kernels take the click while the cell blocks")
def test_on_an_older_kernel_a_click_during_a_blocking_cell_says_that_it_waits_and_is_obeyed_after_it(
    open_notebook, simulator
):
    simulator.fault("long", seconds=120)
    notebook = open_notebook("button_old.ipynb", ["%%fal submit fal-ai/flux/dev\na red fox", "time.sleep(3)"])
    notebook.run(1)
    notebook.state("RUNNING", 1)
    notebook.start(2)
    notebook.until(lambda: notebook.is_running(2))
    notebook.card(1).locator(".fal-nb-cancel").click()
    notebook.shows(1, "sent, waiting for the kernel")
    notebook.state("CANCELLED", 1)
    notebook.idle()
    assert simulator.counters()["cancel"] == 1
