"""The corpus through the session, the ledger, the artifact store and every plain rendering."""

import json
import threading
import time

import pytest

from fal_nb.engine.session import Session
from fal_nb.errors import ArgumentsError, FalError
from fal_nb.results import Result
from fal_nb.views.card import CardView
from fal_nb.views.twin import artifacts_html, text_html

from .cases import CASES, SAMPLE
from .judge import FILE_NAME, assert_inert, assert_plain, assert_sendable, peak_kib, tree

BY_NAME = pytest.mark.parametrize("case", SAMPLE, ids=lambda case: case.name)
MOST_S = 10.0
MOST_MORE_KIB = 500 * 1024


@pytest.fixture(scope="module")
def session(server, world, small_disk):
    said = []
    session = Session(base_url=server.base, home=world / "home" / "fal_nb", notify=said.append)
    session.said = said
    yield session
    session.close()


@pytest.fixture(scope="module")
def later(server, world):
    session = Session(base_url=server.base, home=world / "home" / "fal_nb")
    yield session
    session.close()


@pytest.fixture(scope="module")
def jobs(session, bait):
    """Case → its job, made once."""
    made = {}

    def job_of(case):
        if case.name not in made:
            made[case.name] = _ended(session, case, bait.url)
        return made[case.name]

    return job_of


def _ended(session, case, bait_url):
    try:
        job = session.submit(case.endpoint, case.given(bait_url), check=case.check)
    except ArgumentsError as error:
        return error
    return until_it_says_why(job) if case.state == "FOLLOWED" else job.wait(60)


def until_it_says_why(job):
    """Return a job that cannot end once its card says what it waits for."""
    deadline = time.monotonic() + 60
    while "asks again" not in (job.snapshot.next_step or ""):
        assert time.monotonic() < deadline, job.snapshot
        time.sleep(0.01)
    return job


def state_of(job):
    if isinstance(job, ArgumentsError):
        return "REFUSED"
    return job.state if job.done else "FOLLOWED"


@BY_NAME
def test_a_job_ends_where_it_has_to_in_time_and_memory_and_writes_nowhere_else(case, session, jobs, world):
    before = tree(world)
    peak = peak_kib(reset=True)
    began = time.monotonic()
    job = jobs(case)
    assert time.monotonic() - began < MOST_S
    assert peak_kib() - peak < MOST_MORE_KIB
    assert state_of(job) == case.state, getattr(job, "snapshot", job)
    changed = {name for name, size in tree(world).items() if before.get(name, -1) != size}
    ours = ("home/fal_nb/artifacts", "home/fal_nb/history.sqlite", "home/fal_nb/schemas")
    assert [name for name in changed if not name.startswith(ours) and name not in {"home", "home/fal_nb"}] == []
    assert not list((world / "home/fal_nb/artifacts/incoming").glob("*"))


@BY_NAME
def test_no_rendering_holds_a_command_or_a_script(case, session, jobs):
    job = jobs(case)
    if isinstance(job, ArgumentsError):
        assert_plain(str(job))
        assert_inert(text_html(str(job)))
        return
    card = CardView(job, session.artifacts.path)
    assert_plain(card.text())
    assert_plain(repr(job))
    for token in ("falnb-0123", None):
        bundle = card.mimebundle(token)
        assert_inert(bundle["text/html"])
        assert_plain(bundle["text/plain"])
    assert_sendable(card.state())
    for snapshot in (job.snapshot,):
        assert_plain(snapshot.error or "")
        assert_plain(snapshot.error_type or "", 200)
        assert_plain(snapshot.next_step or "")
    try:
        result = job.result()
    except FalError as error:
        assert_plain(str(error))
        return
    assert_plain(repr(result))
    assert_inert(artifacts_html(result.artifacts, result.prompt or "") + text_html(result.text))


@pytest.mark.parametrize("case", [case for case in CASES if case.state == "FOLLOWED"], ids=lambda case: case.name)
def test_a_page_in_the_place_of_a_result_is_named_on_the_card_and_the_job_stays_with_its_id(case, session, jobs):
    job = jobs(case)
    card = CardView(job, session.artifacts.path)
    assert "page" in card.text()
    assert "asks again" in card.twin()
    assert job.cancel() == "CANCELLATION_REQUESTED"
    until_it_says_why(job)
    record = session.history.get(job.record_id)
    assert (job.done, record.state, record.request_id) == (False, "RUNNING", job.request_id)
    assert "cancel" in card.text().lower()


@BY_NAME
def test_the_ledger_keeps_it_and_another_session_shows_the_same(case, session, jobs, later):
    job = jobs(case)
    if isinstance(job, ArgumentsError):
        return
    record = session.history.get(job.record_id)
    assert record.state == job.state
    assert json.dumps(record.arguments) == json.dumps(json.loads(json.dumps(job.arguments)))
    if case.state == "FOLLOWED":
        return  # of what another kernel follows, a card says just that
    again = later.job(job.record_id)
    assert CardView(again, later.artifacts.path).text() == CardView(job, session.artifacts.path).text()
    assert_inert(CardView(again, later.artifacts.path).twin())


@BY_NAME
def test_files_are_stored_whole_named_safely_and_saved_where_they_belong(case, session, jobs, world):
    job = jobs(case)
    if isinstance(job, ArgumentsError) or job.state != "SUCCEEDED":
        return
    result = job.result()
    out = world / "out" / case.name
    before = tree(world)
    for file in result.files[:60]:
        assert FILE_NAME.match(file.file_name), file.file_name
        assert file.content_type == file.content_type.strip().lower()
        assert_plain(repr(file))
        if file.digest is None:
            assert file.artifact.error
            continue
        assert session.artifacts.is_intact(file.digest)
        for pattern in ("", "{name}.{ext}", "{prompt}-{index}"):
            if "{prompt}" not in pattern or "prompt" in result.arguments:
                saved = file.save(f"{out}/{pattern}")
                assert saved.parent == out
                assert_plain(saved.name, 250)
    for name in tree(world).keys() - before.keys():
        assert name.startswith((f"out/{case.name}", "home/fal_nb/artifacts/blobs/"))


@BY_NAME
def test_a_streaming_and_a_direct_call_end_too(case, session, bait):
    if case.way in {"media", "OpenAPI", "status", "request id", "submission", "control URLs"}:
        return
    if case.state == "REFUSED":
        return
    began = time.monotonic()
    for call in (
        lambda: session.submit(case.endpoint, case.given(bait.url), kind="direct", check=False),
        lambda: session.stream(case.endpoint, case.given(bait.url), check=False).job,
        lambda: session.show_stream(case.endpoint, case.given(bait.url), check=False),
    ):
        job = call().wait(30)
        assert job.state in {"SUCCEEDED", "FAILED", "UNKNOWN"}
        assert_plain(CardView(job, session.artifacts.path).text())
        assert_inert(CardView(job, session.artifacts.path).twin())
        assert_sendable(CardView(job, session.artifacts.path).state())
    assert time.monotonic() - began < 3 * MOST_S


def test_the_history_of_all_of_it_is_a_frame_without_commands(session, jobs):
    for case in SAMPLE:
        jobs(case)
    frame = session.frame()
    assert len(frame) >= len(SAMPLE) - 1
    assert_plain(repr(frame), 10**6)
    assert_plain(frame.to_string(max_cols=40, max_rows=20), 10**8)
    html = frame._repr_html_()
    assert "<script" not in html
    assert "<img" not in html
    assert_plain(html, 10**7)


@pytest.mark.parametrize(
    "case", [case for case in CASES if case.way in {"OpenAPI", "price list"}], ids=lambda case: case.name
)
def test_schemas_and_prices_show_nothing_but_text(case, session):
    began = time.monotonic()
    try:
        schema = session.schema(case.endpoint)
    except FalError as error:
        assert_plain(str(error))
    else:
        assert_plain(repr(schema), 10**6)
        assert_inert(schema._repr_html_(), 10**7)
        assert len(schema.digest) == 64
    try:
        price = session.price(case.endpoint, case.arguments)
    except FalError as error:
        assert_plain(str(error))
    else:
        assert_plain(str(price) + repr(price), 1000)
    assert time.monotonic() - began < 2 * MOST_S


def test_nothing_was_said_that_is_not_plain_and_nobody_else_was_asked(session, jobs, bait, server):
    for case in SAMPLE:
        jobs(case)
    for line in session.said:
        assert_plain(line)
    assert bait.strangers == []
    assert threading.active_count() < 60


def test_a_result_keeps_what_the_server_said_for_code(session, jobs):
    case = next(case for case in CASES if case.name == "result-text-terminal")
    result = jobs(case).result()
    assert isinstance(result, Result)
    assert result["text"].startswith("\x1b[31m")
