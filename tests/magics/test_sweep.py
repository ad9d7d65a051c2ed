"""`%%fal sweep` in a real shell: the plan first, then the board; resumed, retried, refused in one line."""

import time

import pytest

from fal_nb.workbench import current

PLAN = "prompt: a {animal}\nanimal: [fox, owl]\nseed: [1, 2]\nimage_size: {width: 64, height: 64}"
SCHNELL = "fal-ai/flux/schnell"


def test_nothing_is_sent_before_a_person_says_so(run, shell, simulator):
    before = len(simulator.ledger())
    printed, done = run(f"%%fal sweep {SCHNELL} --name first --budget 1\n{PLAN}")
    assert done.result.name == "first"
    assert "4 to send" in printed
    assert "price" in printed
    assert "`%fal sweep resume first` runs it" in printed
    assert len(simulator.ledger()) == before
    printed, done = run("%fal sweep resume first")
    assert done.success
    assert done.result.counts() == {"SUCCEEDED": 4}
    assert len(simulator.ledger()) == before + 4
    assert printed.count("done") >= 1
    printed, done = run("%fal sweep show")
    assert done.result.name == "first"


def test_a_sweep_runs_at_once_where_it_is_said_and_goes_into_a_variable(run, shell, simulator):
    run(f"%%fal sweep {SCHNELL} --yes --window 2 -o styles\n{PLAN}")
    assert len(shell.user_ns["styles"].frame()) == 4
    assert set(shell.user_ns["styles"].frame()["state"]) == {"SUCCEEDED"}
    assert current().session.history.sweeps.find(shell.user_ns["styles"].name).window == 2


def test_the_notebooks_variables_are_in_the_plan(run, shell):
    run("style = 'noir'")
    _, done = run(f"%%fal sweep {SCHNELL}\nprompt: a {{animal}}, {{style}}\nanimal: [fox, owl]")
    assert {cell.arguments["prompt"] for cell in done.result.cells} == {"a fox, noir", "a owl, noir"}


def test_new_values_and_a_new_axis_call_only_what_is_new_and_resume_without_a_name_takes_the_latest(
    run, shell, simulator
):
    run(f"%%fal sweep {SCHNELL} --yes --name grown\n{PLAN}")
    before = len(simulator.ledger())
    run("kinds = ['fox', 'hare']")
    printed, done = run("%%fal sweep refine grown\nanimal: {kinds}\nseed: 2..3")
    assert "5 to send" in printed
    assert len(simulator.ledger()) == before
    printed, done = run("%fal sweep resume")
    assert done.result.name == "grown"
    assert done.result.counts() == {"SUCCEEDED": 9}
    assert len(simulator.ledger()) == before + 5
    _, done = run("%%fal sweep refine --yes\nguidance_scale: 5")
    assert done.result.counts() == {"SUCCEEDED": 18}
    assert len(simulator.ledger()) == before + 14


def test_a_sweep_that_was_paused_goes_on_with_resume(run, shell, simulator):
    run("%fal sweep pause")
    simulator.set_runners(0)
    plan = "seconds: 0.1\necho: [a, b, c, d]"
    run(f"%%fal sweep simulator/sleep --window 1 --name slow -o slow\n{plan}")
    sweep = shell.user_ns["slow"].run()
    deadline = time.monotonic() + 30
    # A sweep paused before its first call has gone out sends none, and the test would wait for one that never comes.
    while not simulator.ledger():
        assert time.monotonic() < deadline
        time.sleep(0.01)
    printed, _ = run("%fal sweep pause")
    assert "pauses" in printed
    simulator.set_runners(4)
    while not sweep.is_paused or "SUCCEEDED" not in sweep.counts():
        assert time.monotonic() < deadline
        time.sleep(0.01)
    assert sweep.counts()["PREPARED"] == 3
    run("%fal sweep resume")
    assert sweep.counts() == {"SUCCEEDED": 4}


def test_outputs_are_scored_by_name_and_by_a_function_of_the_notebook(run, shell):
    run(f"%%fal sweep {SCHNELL} --yes --name scored\n{PLAN}")
    run("def doubled(result):\n    return result.seed * 2")
    printed, done = run("%fal sweep score scored sharpness doubled duplicates")
    assert done.success
    assert "sharpness: 4 scored" in printed
    assert "doubled: 4 scored" in printed
    assert "duplicates: 0 look like an earlier one" in printed
    assert list(done.result.frame()["doubled"]) == [2, 4, 2, 4]
    printed, _ = run("%fal sweep score doubled")
    assert "doubled: 0 scored, 4 known" in printed
    key = done.result.frame().index[0]
    _, done = run(f"%fal sweep score ssim --reference {key} -o kept;")
    assert done.result is None
    assert shell.user_ns["kept"].frame()["ssim"][key] == pytest.approx(1)
    _, done = run("%fal sweep effects scored --values doubled --plot")
    assert list(done.result["mean"]) == [3, 3, 2, 4]


@pytest.mark.parametrize(
    ("cell", "said"),
    [
        ("%fal sweep", "two %"),
        (f"%%fal sweep {SCHNELL} --window 0\n{PLAN}", "--window"),
        (f"%%fal sweep {SCHNELL}\nprompt: a {{anmal}}\nanimal: [fox]", "anmal"),
        (f"%%fal sweep {SCHNELL}\nprompt: x\nnum_images: [1, 9]", "num_images"),
        ("%fal sweep resume nowhere", "There is no sweep yet"),
        ("%fal sweep refine", "needs new values"),
        ("%%fal sweep refine\nseed: [1]", "There is no sweep yet"),
        ("%fal sweep score", "There is no sweep yet"),
        ("%fal sweep effects", "There is no sweep yet"),
        ("%fal sweep resume a b", "sweep knows no 'b' here"),
        (f"%%fal sweep {SCHNELL} --name 'a b'\n{PLAN}", "no name of a sweep"),
    ],
)
def test_a_mistake_gets_one_line_and_nothing_is_sent(run, simulator, cell, said):
    before = len(simulator.ledger())
    printed, done = run(cell)
    assert not done.success
    assert said in printed + str(done.error_in_exec)
    assert len(simulator.ledger()) == before


def test_a_sweep_is_exported_by_its_name_or_as_the_newest(run, tmp_path):
    run(f"%%fal sweep {SCHNELL} --name styles --yes\nprompt: [a fox, an owl]\nimage_size: {{width: 64, height: 64}}")
    printed, _ = run(f"%fal sweep export styles {tmp_path}/out/")
    assert f"written: {tmp_path}/out/prompt=a-fox." in printed
    assert (tmp_path / "out" / "manifest.json").is_file()
    run(f"%fal sweep export {tmp_path}/x.png --tile 64")
    assert (tmp_path / "x.png").is_file()
    printed, _ = run(f"%fal sweep export {tmp_path}/x.png")
    assert "is there already" in printed
    run(f"%fal sweep export {tmp_path}/x.png --overwrite")
    for line, words in (("export", "name the file"), ("export a b c", "knows no")):
        assert words in run(f"%fal sweep {line}")[0]


def until(condition, timeout_s=30.0):
    deadline = time.monotonic() + timeout_s
    while not (value := condition()):
        assert time.monotonic() < deadline, "not in time"
        time.sleep(0.01)
    return value


def click(view):
    """What the page sends when the button is clicked, on the thread where it arrives."""
    current().session.runtime.call(_receive(view))


async def _receive(view):
    view.receive({"kind": "run"})


def test_a_click_on_the_plan_runs_the_sweep_once_however_often_it_comes(run, simulator):
    _, done = run(f"%%fal sweep {SCHNELL} --name clicked\n{PLAN}")
    view = current().show_plan(done.result)
    before = len(simulator.ledger())
    assert "Nothing was sent yet" in view.text()
    for _ in range(3):
        click(view)
    done.result.wait(30)
    until(lambda: done.result.counts() == {"SUCCEEDED": 4})
    click(view)
    assert len(simulator.ledger()) == before + 4
    assert "It has begun" in until(lambda: view.is_settled and view.text())


def test_a_plan_that_cannot_be_run_says_why_and_can_be_tried_again(run, monkeypatch):
    _, done = run(f"%%fal sweep {SCHNELL} --name refused\n{PLAN}")
    sweep = done.result
    view = current().show_plan(sweep)
    claim = type(current().session.history.sweeps).claim
    monkeypatch.setattr(type(current().session.history.sweeps), "claim", lambda *_: False)
    click(view)
    until(lambda: "Another kernel runs the sweep refused" in view.text())
    assert view.state()["step"] == "planned"
    monkeypatch.setattr(type(current().session.history.sweeps), "claim", claim)
    click(view)
    until(lambda: view.state()["step"] == "started")
    sweep.wait(30)


def test_a_plan_tells_what_a_refined_sweep_comes_to_now(run):
    _, done = run(f"%%fal sweep {SCHNELL} --name grown --budget 0.001\n{PLAN}")
    view = current().show_plan(done.result)
    assert view.state()["calls"] == 4
    assert "the price may pass it" in view.text()
    done.result.refine({"seed": [3]})
    until(lambda: view.state()["calls"] == 6)


@pytest.mark.parametrize(
    "line",
    ["resume --dry-run", "retry --dry-run", "resume x --tile 3", "pause --budget 1", "score --plot", "show --yes"],
)
def test_an_option_that_means_nothing_to_what_is_done_is_refused_rather_than_ignored(run, simulator, line):
    run(f"%%fal sweep {SCHNELL} --name planned\n{PLAN}")
    before = len(simulator.ledger())
    printed, _ = run(f"%fal sweep {line}")
    assert f"sweep {line.split()[0]} takes no --" in printed
    assert len(simulator.ledger()) == before


def test_the_sweeps_there_are_stand_in_a_list_and_a_wrong_name_gets_the_nearest(run, shell, simulator):
    _, done = run("%fal sweep list")
    assert list(done.result.index) == []
    run(f"%%fal sweep {SCHNELL} --name styles --yes\n{PLAN}")
    run(f"%%fal sweep {SCHNELL} --name planned --budget 2\n{PLAN.replace('fox', 'hare')}")
    run("%fal sweep list -o listed;")
    listed = shell.user_ns["listed"]
    assert list(listed.index) == ["planned", "styles"]
    assert list(listed["endpoint"]) == [SCHNELL, SCHNELL]
    assert list(listed["called"]) == [0, 4]
    assert list(listed["done"]) == [0, 4]
    assert listed["budget"]["planned"] == 2
    assert listed["spent"]["styles"] == pytest.approx(0.012)
    assert "did you mean styles?" in run("%fal sweep show stiles")[0]
    assert "there are: styles, planned." in run("%fal sweep show xyz")[0]
    assert "takes no" in run("%fal sweep list --budget 3")[0]


def test_a_line_says_where_there_is_nothing_to_send_or_to_call_again(run, simulator):
    run(f"%%fal sweep {SCHNELL} --name styles\n{PLAN}")
    before = len(simulator.ledger())
    said = "Nothing to retry: no cell of styles has failed; `%fal sweep resume styles` calls what was not called yet."
    assert run("%fal sweep retry styles")[0].splitlines()[0] == said
    assert len(simulator.ledger()) == before
    assert "Nothing to send" not in run("%fal sweep resume styles")[0]
    assert "Nothing to send: every cell of styles was called." in run("%fal sweep resume styles")[0]
    assert "Nothing to retry: no cell of styles has failed." in run("%fal sweep retry")[0]
    assert len(simulator.ledger()) == before + 4


def test_what_failed_is_counted_where_resume_leaves_it_to_retry(run, simulator):
    simulator.fault("fail", times=1, at=0.1)
    run(f"%%fal sweep {SCHNELL} --name styles --yes\nprompt: [a fox, an owl]")
    _, done = run("%fal sweep list")
    assert list(done.result[["called", "done", "failed"]].loc["styles"]) == [2, 1, 1]
    said = "every cell of styles was called; `%fal sweep retry styles` calls again what failed (1)."
    assert said in run("%fal sweep resume")[0]
    assert "Nothing to retry" not in run("%fal sweep retry")[0]
    _, done = run("%fal sweep list")
    assert list(done.result[["called", "done", "failed"]].loc["styles"]) == [2, 2, 0]


def test_effects_say_what_they_are_of_and_how_to_ask_for_another_number(run):
    run(f"%%fal sweep {SCHNELL} --name styles --yes\n{PLAN}")
    printed, done = run("%fal sweep effects")
    assert "Effects on cost; --values NAME tells of another number: total_s, rating, a scorer such as sharp" in printed
    assert done.result.columns.name == "cost"
    assert set(done.result["std"]) == {0.0}
    printed, _ = run("%fal sweep effects --values sharpness")
    assert "Effects on sharpness; --values NAME tells of another number: cost, total_s, rating." in printed
