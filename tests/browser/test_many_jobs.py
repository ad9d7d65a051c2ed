"""Many jobs at once: what the kernel sends, and that nothing of it is lost."""

import pytest

pytestmark = [pytest.mark.browser, pytest.mark.timeout(240)]

OURS = {"comm_open", "comm_msg", "comm_close", "update_display_data"}
SUBMIT = """
size = {"width": 256, "height": 256}
jobs = [fal_nb.submit("fal-ai/flux/dev", {"prompt": f"job {n}", "image_size": size}) for n in range(100)]
for job in jobs[:50]:
    display(job)
"""
REST = """
for job in jobs[50:]:
    display(job)
"""
PRINT = """
for number in range(60):
    print("line", number)
    time.sleep(0.05)
"""


@pytest.mark.both_stacks
@pytest.mark.parametrize("simulator", [{"runners": 100}], indirect=True)
def test_a_hundred_running_jobs_send_ten_messages_a_second_at_most_and_lose_no_output(open_notebook, simulator):
    simulator.set_runners(0)
    simulator.fault("long", seconds=10)
    notebook = open_notebook("hundred.ipynb", [SUBMIT, REST, PRINT])  # Lab shows 50 outputs of a cell
    notebook.run(1, 2)
    notebook.until(lambda: len(simulator.ledger()) == 100)
    simulator.set_runners(100)
    running = notebook.page.locator('.fal-nb-state[data-state="RUNNING"]')
    notebook.until(lambda: running.count() == 100)
    notebook.run(3)
    done = notebook.page.locator('.fal-nb-state[data-state="SUCCEEDED"]')
    notebook.until(lambda: done.count() == 100)
    assert notebook.text(3).split("\n")[:60] == [f"line {number}" for number in range(60)]

    def settled():
        twins = [output["data"]["text/html"] for cell in (1, 2) for output in notebook.outputs(cell)]
        return len(twins) == 100 and all(">done</b>" in twin and "data:image/webp" in twin for twin in twins)

    notebook.until(settled)
    sent = sorted(message for message in notebook.messages() if message.kind in OURS)
    seconds = [[each for each in sent[place:] if each.sent < first.sent + 1] for place, first in enumerate(sent)]
    busiest = max(seconds, key=len)
    assert len(busiest) <= 10, [(each.sent, each.kind, each.content[:100]) for each in busiest]
    assert "rate exceeded" not in notebook.page.locator(".jp-Notebook").inner_text()
    assert simulator.counters()["submit"] == 100
