"""`%fal reconcile` in a real shell, with answers that are really lost."""

import time

import pytest

from fal_nb.workbench import current

SCHNELL = "fal-ai/flux/schnell"
SMALL = 'image_size={"width": 64, "height": 64}'


@pytest.fixture
def wait_for():
    def wait(condition, timeout_s=20.0):
        deadline = time.monotonic() + timeout_s
        while not condition():
            assert time.monotonic() < deadline, "not in time"
            time.sleep(0.005)

    return wait


@pytest.fixture
def lose(run, simulator, wait_for):
    """Make calls whose answer is lost, wait until they have ended at the server, and return their numbers and ids."""
    simulator.reset()

    def lose_calls(*prompts):
        simulator.fault("lost-reply", times=len(prompts), on="submit")
        for prompt in prompts:
            run(f'%fal submit {SCHNELL} prompt="{prompt}" {SMALL};\n%fal wait')
        wait_for(lambda: len(simulator.ended_requests(SCHNELL)) >= len(prompts))
        session = current().session
        numbers = [record.id for record in session.history.select(state="UNKNOWN")]
        return numbers[-len(prompts) :], [entry["request_id"] for entry in simulator.ledger()]

    return lose_calls


def test_it_shows_what_was_found(run, lose, shell):
    (number,), (request_id,) = lose("a red fox")
    _, done = run("found = %fal reconcile\nfound")
    assert f"#{number}" in repr(done.result)
    assert request_id in repr(done.result)
    assert f"%fal result #{number}" in repr(done.result)
    _, done = run(f"picture = %fal result #{number}")
    assert shell.user_ns["picture"]["prompt"] == "a red fox"


def test_a_tie_is_settled_by_a_choice(run, lose):
    numbers, ids = lose("twin", "twin")
    _, done = run("%fal reconcile")
    assert [tie.jobs for tie in done.result.ties] == [tuple(numbers)]
    _, done = run(f"%fal reconcile #{numbers[0]}={ids[0]}")
    assert done.result.matched[0].request_id == ids[0]
    assert current().session.history.get(numbers[0]).state == "SUCCEEDED"


def test_sending_again_asks_and_a_no_sends_nothing(run, lose, simulator, monkeypatch):
    (number,), _ = lose("again")
    asked = []

    def answer(question):
        asked.append(question)
        return "n"

    monkeypatch.setattr("builtins.input", answer)
    printed, done = run(f"%fal reconcile --send-again #{number}")
    assert "Nothing was sent" in printed
    assert done.result is None
    assert "pay twice" in asked[0]
    assert len(simulator.ledger()) == 1


def test_sending_again_with_yes_sends_a_new_job(run, lose, simulator):
    (number,), _ = lose("again")
    _, done = run(f"job = %fal reconcile --send-again #{number} --yes\njob.get()")
    assert done.success
    assert len(simulator.ledger()) == 2
    assert current().session.history.last().replay_of == number


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("reconcile #99999=abc", "is not unknown"),
        ("reconcile 12", "is no choice"),
        ("reconcile --send-again #99999", "There is no job"),
    ],
)
def test_a_mistake_gets_one_line(run, line, said):
    printed, done = run(f"%fal {line}")
    assert not done.success
    assert said in str(done.error_in_exec)
    assert "Traceback" not in printed
