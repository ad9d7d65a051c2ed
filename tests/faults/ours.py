"""One cell through the whole session, and what its ledger and the server's say afterwards."""

import hashlib
import time
from dataclasses import dataclass

import httpx

from fal_nb.client.options import CallOptions
from fal_nb.engine.session import Session
from fal_nb.simulator.faults import FAULT_HEADER
from fal_nb.states import FINAL_STATES

from .refusals import MARK

SLEEP = "simulator/sleep"
SCHNELL = "fal-ai/flux/schnell"
DEV = "fal-ai/flux/dev"
SMALL = {"image_size": {"width": 32, "height": 32}, "num_inference_steps": 4}
_SETTLED = ("SUCCEEDED", "FAILED", "CANCELLED")
_LONGEST_S = 300.0


@dataclass
class Row:
    """What came of the jobs of one cell.

    Attributes
    ----------
    unknown
        Jobs whose record says ``UNKNOWN`` and is found by that word.
    lost
        Jobs whose paid work, result or files are not where the record says.
    duplicates
        Accepted submissions beyond one a job.
    trouble
        One line for each job that did not end as its cell says.
    """

    jobs: int = 0
    settled: int = 0
    unknown: int = 0
    lost: int = 0
    duplicates: int = 0
    accepted: int = 0
    trouble: tuple = ()


def call_of(cell, number):
    """Return (endpoint, arguments) of one job; its mark is in its text."""
    mark = f"job {number} of {cell}"
    if cell.stage == "download":
        return SCHNELL, {"prompt": mark, **SMALL, "seed": number}
    if cell.stage == "stream":
        return DEV, {"prompt": mark, **SMALL, "seed": number}
    if cell.stage == "upload":
        return SLEEP, {"echo": mark.encode(), "seconds": 1}
    return SLEEP, {"echo": mark, "seconds": 10 if cell.stage in {"status stream", "runner"} else 1}


def headers_of(cell, number):
    """Return the headers that make the fault act on this job and no other."""
    mark = f"{cell.stage}-{number}"
    words = []
    if cell.stage == "poll":
        words.append("no-stream; on=status_stream")
    if cell.fault.words and cell.stage not in {"download", "upload"}:
        limit = "" if cell.fault.words.startswith("no-stream") else f"; times={cell.times}"
        words.append(f"{cell.fault.words}; on={cell.operation}{limit}; mark={mark}")
    return {MARK: mark, **({FAULT_HEADER: ", ".join(words)} if words else {})}


def set_faults(cell, server, refusals, jobs):
    """Put the faults in force that no header can ask for."""
    if not cell.fault.words:
        # Uploads of different jobs look alike: as many of them are refused as there are jobs.
        refusals.begin(cell.operation, cell.times * (jobs if cell.stage == "upload" else 1))
    elif cell.stage in {"download", "upload"}:
        kind, *pairs = (part.strip() for part in cell.fault.words.split(";"))
        is_upload = cell.stage == "upload"
        values = {"times": cell.times * (jobs if is_upload else 1), "each": not is_upload}
        server.fault(kind, on=cell.operation, **values, **dict(pair.split("=") for pair in pairs))


def run(cell, jobs, server, refusals, home):
    """Run the jobs of a cell at once and return what came of them."""
    server.reset()
    set_faults(cell, server, refusals, jobs)
    session = Session(base_url=server.base_url, home=home, notify=lambda _line: None)
    # Polls of one session keep to 25 a second, which is a matter of manners and not of faults.
    session.client().queue._pace.cap.per_s = 5000.0
    # Each job is to meet its own fault: a session that keeps the lock would not send all but the first of them.
    session.client().http.gate._lock_s = 0.0
    try:
        started = [_start(session, cell, number) for number in range(jobs)]
        for job in started:
            job.wait(_LONGEST_S)
        server.clear_faults()
        refusals.end()
        return _count(cell, started, session, server)
    finally:
        refusals.end()
        session.close()


def _start(session, cell, number):
    endpoint, arguments = call_of(cell, number)
    options = {"headers": headers_of(cell, number)}
    if cell.stage == "stream":
        return session.stream(endpoint, arguments, options=CallOptions("/stream", **options)).job
    kind = "direct" if cell.stage == "run" else "queue"
    return session.submit(endpoint, arguments, kind=kind, options=CallOptions(**options))


def accepted_by_text(server):
    """Return request ids and the status each came to, by the text of the call, once all have ended."""
    deadline = time.monotonic() + 60
    while any(entry["ended_at"] is None for entry in server.ledger()):
        assert time.monotonic() < deadline, "the server did not end its work"
        time.sleep(0.01)
    found = {}
    for endpoint in (SLEEP, SCHNELL, DEV):
        for ended in server.ended_requests(endpoint):
            text = ended["json_input"].get("echo") or ended["json_input"]["prompt"]
            found.setdefault(text, {})[ended["request_id"]] = ended["status_code"]
    return found


def _count(cell, jobs, session, server):
    by_text = accepted_by_text(server)
    row = Row(jobs=len(jobs), accepted=len(server.ledger()))
    listed = {record.id for record in session.history.select(state="UNKNOWN")}
    assert row.accepted == sum(map(len, by_text.values()))
    trouble = []
    with httpx.Client() as http:
        for job in jobs:
            record = session.history.get(job.record_id)
            accepted = by_text.get(record.arguments.get("echo") or record.arguments.get("prompt"), {})
            row.settled += record.state in _SETTLED
            row.unknown += record.state == "UNKNOWN" and record.id in listed
            row.duplicates += max(0, len(accepted) - 1)
            lost = _loss(record, accepted, session, http)
            row.lost += bool(lost)
            wrong = lost or _difference(cell, record, accepted)
            if wrong:
                trouble.append(f"#{record.id} {record.state} {record.error}: {wrong}")
    row.trouble = tuple(trouble)
    return row


def _loss(record, accepted, session, http):
    """Return what of a job's paid work cannot be found again, or None."""
    if record.state not in FINAL_STATES:
        return "it never ended"
    if record.state == "UNKNOWN":
        return None
    if accepted and record.request_id not in accepted:
        return "the record does not name the request"
    if record.state != "SUCCEEDED":
        return "it succeeded at the server" if 200 in accepted.values() else None
    if "echo" in record.arguments:
        return None if record.result == {"echo": record.arguments["echo"]} else "the result is another's"
    artifacts = session.history.artifacts(record.id)
    if record.result["prompt"] != record.arguments["prompt"] or len(artifacts) != 1:
        return "the result or its files are missing"
    digest = hashlib.sha256(http.get(artifacts[0].url).content).hexdigest()
    is_kept = artifacts[0].digest == digest and session.artifacts.is_intact(digest)
    return None if is_kept else f"its file is not kept: {artifacts[0].error}"


def _difference(cell, record, accepted):
    """Return how a job's end differs from what its cell says, or None."""
    if record.state != cell.state:
        return f"it should be {cell.state}"
    if cell.cause not in (record.error or "").lower() or (record.error is None) != (cell.state == "SUCCEEDED"):
        return f"its error should name {cell.cause}"
    if len(accepted) != cell.accepted:
        return f"{len(accepted)} submissions were accepted"
    if cell.stage == "upload" and not record.arguments["echo"].startswith("http"):
        return "the file was not uploaded"
    return None
