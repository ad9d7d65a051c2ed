"""Scores of a sweep's outputs: once a cell, on any executor, kept in the history, stopped without loss."""

import _thread
import asyncio
import concurrent.futures
import math
import multiprocessing
import shutil
import threading

import pytest

from fal_nb.engine.session import Session
from fal_nb.errors import FileError, JobError
from fal_nb.ledger.scores import Score
from fal_nb.shown_sweep import ShownSweep
from fal_nb.simulator.server import SimulatorServer
from fal_nb.sweeps.sweep import Sweep
from fal_nb.views.board import BoardView

SCHNELL = "fal-ai/flux/schnell"
TEXT = "prompt: a {animal}\nanimal: [fox, owl, hare]\nseed: [1, 2]\nimage_size: {width: 64, height: 64}"


@pytest.fixture(scope="module")
def simulator():
    with SimulatorServer(runners=8, speed=40) as server:
        yield server


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    return tmp_path_factory.mktemp("sweep")


@pytest.fixture(scope="module")
def open_session(simulator, home):
    sessions = []

    def start():
        sessions.append(Session(base_url=simulator.base_url, home=home, notify=said.append))
        return sessions[-1]

    said = []
    start.said = said
    yield start
    for session in sessions:
        session.close()


@pytest.fixture(scope="module")
def session(open_session):
    return open_session()


@pytest.fixture
def sweep(session):
    """Six pictures; those of a later test come from the history."""
    plan, schemas = Sweep.plan_text(session, TEXT, SCHNELL)
    swept = Sweep.new(session, plan, schemas).run().wait(60)
    assert swept.counts() == {"SUCCEEDED": 6}
    return swept


class Counting:
    def __init__(self, failing=()):
        self.seen, self.failing, self.lock = [], failing, threading.Lock()

    def __call__(self, result):
        with self.lock:
            self.seen.append(result.record_id)
        if result.arguments["prompt"] in self.failing:
            raise ValueError(f"no {result.arguments['prompt']}, please\x1b[31m")
        return len(result.arguments["prompt"])


def of_seed(result):
    return result.seed * 1.5


def test_an_output_is_scored_once_and_the_score_is_a_column(sweep):
    scorer = Counting()
    assert sweep.score(scorer, name="length") is sweep
    frame = sweep.score(scorer, name="length").frame()
    assert len(scorer.seen) == len(set(scorer.seen)) == 6
    assert list(frame["length"]) == [len(f"a {animal}") for animal in frame["animal"]]
    assert frame["length"].dtype == "float64"
    assert sweep.pivot("animal", "seed", "length").loc["hare", 1] == 6


def test_what_is_new_is_scored_and_nothing_else(sweep):
    scorer = Counting()
    sweep.score(scorer, name="length")
    sweep.refine({"seed": [1, 2, 3]}).run().wait(60)
    assert sweep.frame()["length"].isna().sum() == 3
    sweep.score(scorer, name="length")
    assert len(scorer.seen) == 9
    assert sweep.frame()["length"].notna().all()
    sweep.score(scorer, name="length", again=True)
    assert len(scorer.seen) == 18


def test_a_failing_output_has_no_number_but_a_reason_and_is_tried_again(sweep, open_session):
    scorer = Counting(failing=["a owl"])
    frame = sweep.score(scorer, name="picky").frame()
    assert list(frame["picky"].isna()) == list(frame["animal"] == "owl")
    assert set(frame.loc[frame["animal"] == "owl", "picky_error"]) == {"ValueError: no a owl, please"}
    assert open_session.said[-1] == "picky: 4 scored, 2 failed (ValueError: no a owl, please)"
    scorer.failing = ()
    frame = sweep.score(scorer, name="picky").frame()
    assert len(scorer.seen) == 8
    assert frame["picky"].notna().all()
    assert "picky_error" not in frame
    assert open_session.said[-1] == "picky: 2 scored, 4 known"


def test_a_score_of_an_output_that_the_cell_has_no_longer_is_left_out(sweep):
    keys = list(sweep.frame().index)
    old = sweep.record_of(keys[1])
    sweep.score(Counting(), name="length")
    sweep.session.history.scores.add(sweep.name, [Score(keys[0], "length", old, "", 99.0)])
    assert sweep.frame()["length"].isna().tolist() == [True] + [False] * 5
    again = Counting()
    sweep.score(again, name="length")
    assert again.seen == [sweep.record_of(keys[0])]


@pytest.mark.parametrize(
    ("value", "number", "said"),
    [(True, 1.0, None), (math.nan, None, None), (math.inf, math.inf, None), ("7", None, "returned a str"),
     (None, None, "TypeError"), ([], None, "TypeError")],
)  # fmt: skip
def test_what_a_scorer_returns_becomes_a_number_or_a_reason(sweep, value, number, said):
    frame = sweep.score(lambda result: value, name="odd").frame()
    assert set(frame["odd"].dropna()) == ({number} - {None})
    assert ("odd_error" in frame) == (said is not None)
    assert said is None or frame["odd_error"].str.contains(said).all()


async def measured_slowly(file):
    await asyncio.sleep(0)
    return file.artifact.width + asyncio.get_running_loop().time() * 0


def test_an_async_scorer_runs_on_a_loop_of_its_worker_and_gets_the_first_file(sweep):
    assert set(sweep.score(measured_slowly, on="file").frame()["measured_slowly"]) == {64.0}


def spawning():
    return concurrent.futures.ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn"))


def test_the_scores_do_not_depend_on_the_executor(sweep):
    sweep.score("sharpness", "alone")
    with spawning() as processes, concurrent.futures.ThreadPoolExecutor(1) as one_thread:
        sweep.score("sharpness", "apart", executor=processes)
        sweep.score("sharpness", "one", executor=one_thread)
        with pytest.raises(JobError, match="top level of a module"):
            sweep.score(lambda result: 1.0, "unfit", executor=processes)
        assert one_thread.submit(int, "1").result() == 1
    frame = sweep.frame()
    assert frame["alone"].notna().all()
    assert frame["alone"].nunique() > 1
    assert list(frame["alone"]) == list(frame["apart"]) == list(frame["one"])
    assert "unfit" not in frame


def test_an_interrupt_keeps_the_scores_that_were_made_and_no_further_one_begins(sweep):
    gate, begun = threading.Event(), []

    def scorer(result):
        begun.append(result.record_id)
        if len(begun) == 3:
            _thread.interrupt_main()
            gate.wait(20)
        return 1.0

    with concurrent.futures.ThreadPoolExecutor(1) as pool:
        with pytest.raises(KeyboardInterrupt):
            sweep.score(scorer, executor=pool)
        gate.set()
    assert len(begun) == 3
    assert sweep.frame()["scorer"].notna().sum() == 2


def test_another_kernel_finds_the_scores_and_makes_none_anew(sweep, open_session):
    scorer = Counting(failing=["a fox"])
    sweep.score(of_seed).score("brightness").score(scorer, name="length")
    there = open_session()
    other = Sweep.find(there, sweep.name)
    assert other is not sweep
    if other.frame()["record"].isna().any():
        other.run().wait(60)
    frame = other.frame()
    assert list(frame["of_seed"]) == [1.5, 3.0] * 3
    assert frame["length_error"].str.contains("no a fox").sum() == 2
    assert frame["brightness"].between(0, 1).all()
    assert other.score(of_seed).frame()["of_seed"].equals(frame["of_seed"])
    assert open_session.said[-1] == "of_seed: 0 scored, 6 known"


def test_a_function_whose_code_has_changed_scores_anew(sweep, open_session):
    def mine(result):
        return 1 if "fox" in result.prompt else len({"a", "b"})

    sweep.score(mine)

    def mine(result):
        return 2 if "fox" in result.prompt else len({"a", "b"})

    assert set(sweep.score(mine).frame()["mine"]) == {2.0}
    assert open_session.said[-1] == "mine: 6 scored"


def test_progress_is_told_in_the_callers_thread(sweep):
    steps, threads = [], set()

    def step(done, total):
        steps.append((done, total))
        threads.add(threading.current_thread())

    sweep.score(Counting(), name="told", progress=step)
    assert steps[-1] == (6, 6)
    assert threads == {threading.main_thread()}


def test_an_output_is_compared_with_a_reference_or_with_its_neighbour(sweep, tmp_path):
    frame = sweep.frame()
    first = frame.index[0]
    by_key = sweep.score("ssim", reference=first).frame()["ssim"]
    assert by_key[first] == pytest.approx(1.0)
    assert (by_key.drop(first) < 0.99).all()
    for reference in (sweep[first], {"animal": "fox", "seed": 1}):
        assert sweep.score("ssim", reference=reference, again=True).frame()["ssim"].equals(by_key)
    shutil.copy(frame["file"].iloc[0], tmp_path / "there.png")
    by_path = sweep.score("phash", reference=tmp_path / "there.png").frame()["phash"]
    assert by_path[first] == 0
    assert by_path.between(0, 64).all()
    along = sweep.score("phash", along="seed").frame()["phash_seed"]
    assert list(along.isna()) == [True, False] * 3


@pytest.mark.parametrize("is_found_again", [False, True])
def test_scores_reach_an_open_board_as_they_come(sweep, open_session, wait_for, is_found_again):
    shown = Sweep.find(open_session(), sweep.name) if is_found_again else sweep
    board = BoardView(ShownSweep(shown), lambda digest: None, lambda digest: None)
    assert board.state()["scores"] == []
    gate, seen = threading.Event(), []

    def scorer(result):
        seen.append(result.record_id)
        assert len(seen) < 3 or gate.wait(20)
        return result.seed / 4

    def scored():
        return {key: row[8] for key, row in board.state().items() if key[1:].isdigit() and row[8:9] not in ([], [[]])}

    with concurrent.futures.ThreadPoolExecutor(1) as pool:
        scoring = pool.submit(shown.score, scorer, executor=None)
        first = wait_for(scored)
        assert 0 < len(first) < 6
        gate.set()
        scoring.result(20)
    wait_for(lambda: len(scored()) == 6)
    assert scored() == {f"c{place}": [0.25 if place % 2 == 0 else 0.5] for place in range(6)}
    assert board.state()["scores"] == ["scorer"]
    assert "0.25" in board.text()
    assert BoardView(ShownSweep(shown), lambda digest: None, lambda digest: None).state()["c5"][8] == [0.5]
    board.close()


def test_a_rating_given_while_the_kernel_lives_is_in_the_frame_and_has_effects(sweep, session):
    records = [int(record) for record in sweep.frame()["record"]]
    session.rate(records[0], 4)
    session.rate(records[1], 2)
    assert sweep.frame()["rating"].tolist()[:2] == [4, 2]
    assert sweep.frame()["rating"].isna().sum() == 4
    assert sweep.effects("rating")["mean"].tolist()[0] == 3
    for record in records[:2]:
        session.rate(record, None)
    assert sweep.frame()["rating"].isna().all()


def test_near_duplicates_are_marked_and_a_seed_that_is_ignored_is_said(session, open_session, monkeypatch):
    text = "prompt: a {animal}\nanimal: [fox, owl]\nenable_safety_checker: [true, false]\nseed: [5]\nimage_size: square"
    plan, schemas = Sweep.plan_text(session, text, SCHNELL)
    sweep = Sweep.new(session, plan, schemas).run().wait(60)
    assert "duplicate_of" not in sweep.frame()
    pairs = sweep.near_duplicates()
    first, copy, other, its_copy = sweep.frame().index
    assert dict(pairs["duplicate_of"]) == {copy: first, its_copy: other}
    assert list(pairs["enable_safety_checker"]) == [False, False]
    marks = sweep.frame()["duplicate_of"]
    assert marks.isna().tolist() == [True, False, True, False]
    assert Sweep.find(open_session(), sweep.name).frame()["duplicate_of"].dropna().to_dict() == marks.dropna().to_dict()
    monkeypatch.setattr("fal_nb.sweeps.numbers.find_like", lambda prints, bits: {})
    assert sweep.near_duplicates().empty
    assert "duplicate_of" not in sweep.frame()
    monkeypatch.setattr("fal_nb.sweeps.numbers.ignored_seeds", lambda *_: ("some/thing\x1b[31m",))
    sweep.near_duplicates()
    assert open_session.said[-1] == "seed seems to be ignored by some/thing"


@pytest.mark.parametrize(
    ("call", "error", "said"),
    [
        (lambda sweep: sweep.score("sharpnes"), JobError, "Did you mean 'sharpness'"),
        (lambda sweep: sweep.score("ssim"), JobError, "reference=… or along="),
        (lambda sweep: sweep.score("sharpness", along="seed"), JobError, "for ssim and phash"),
        (lambda sweep: sweep.score("phash", along="colour"), JobError, "it has: animal, seed"),
        (lambda sweep: sweep.score("phash", reference={"seed": 1}), JobError, "3 cells lie at"),
        (lambda sweep: sweep.score("phash", reference="nowhere.png"), FileError, "nowhere.png cannot be read"),
        (lambda sweep: sweep.score(lambda result: 1), JobError, "give one"),
        (lambda sweep: sweep.score(3), JobError, "not int"),
        (lambda sweep: sweep.near_duplicates(21), JobError, "0 to 20"),
        (lambda sweep: sweep.score(of_seed, "seed"), JobError, "axis seed"),
        (lambda sweep: sweep.score(of_seed, "cost"), JobError, "column cost"),
        (lambda sweep: sweep.score(of_seed, "a\x1b[31m b"), JobError, "no name of a score"),
    ],
)
def test_a_mistake_gets_one_line_and_scores_nothing(sweep, call, error, said):
    with pytest.raises(error) as caught:
        call(sweep)
    assert said in str(caught.value)
    assert str(caught.value).isprintable()
    assert sweep.scores.names() == []
