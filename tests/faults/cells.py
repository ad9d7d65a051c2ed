"""The cells of the fault matrix: which fault, at which stage of a call, and what it has to come to."""

from dataclasses import dataclass

PAID = ("submit", "run", "stream")
"""Stages whose request starts billable work."""
STAGES = ("submit", "status stream", "poll", "result", "download", "upload", "run", "stream")
OPERATIONS = {
    "submit": "submit",
    "status stream": "status_stream",
    "poll": "status",
    "result": "result",
    "download": "cdn_get",
    "upload": "upload",
    "run": "run",
    "stream": "stream",
}
"""Stage → the simulator's word for its request."""
LASTING = 8
"""Times a lasting fault acts on one job: more than the six tries that one request gets."""


@dataclass(frozen=True)
class Fault:
    """A fault: its words for the simulator (empty where it is made below the client), and what it does to a paid POST.

    Attributes
    ----------
    paid
        How each job ends where it acts on a paid POST.
    accepted
        Whether the server has carried such a POST out.
    stages
        Where the combination exists.
    """

    name: str
    words: str
    paid: str
    accepted: bool
    stages: tuple[str, ...] = STAGES


@dataclass(frozen=True)
class Cell:
    """One fault at one stage.

    Attributes
    ----------
    times
        How often it acts on each job.
    state, cause
        How each of its jobs has to end, and what its error has to name.
    accepted
        How often the server has to have accepted it.
    """

    fault: Fault
    stage: str
    times: int = 1

    @property
    def name(self):
        return f"{self.fault.name}, {LASTING} times" if self.times == LASTING else self.fault.name

    @property
    def state(self):
        return self._end[0]

    @property
    def cause(self):
        return self._end[1]

    @property
    def accepted(self):
        return int(self.stage not in PAID or self.fault.accepted)

    @property
    def _end(self):
        state, _, cause = self.fault.paid.partition(" ")
        return (state, cause) if self.stage in {*PAID, "runner"} else ("SUCCEEDED", "")

    @property
    def operation(self):
        return OPERATIONS[self.stage]

    def __str__(self):
        return f"{self.stage}: {self.name}"


WITH_BODY = (*PAID, "upload")
FAULTS = (
    Fault("429, to be tried again", "rate-limit", "SUCCEEDED", accepted=True),
    Fault("408", "status; status=408", "FAILED 408", accepted=False),
    Fault("409", "status; status=409", "FAILED 409", accepted=False),
    Fault("403, account locked", "locked", "FAILED locked", accepted=False, stages=PAID),
    Fault("502 of the load balancer", "ingress; status=502", "UNKNOWN 502", accepted=False),
    Fault("503 of the load balancer", "ingress; status=503", "UNKNOWN 503", accepted=False),
    Fault("504 of the load balancer", "ingress; status=504", "UNKNOWN 504", accepted=False),
    Fault("503 of fal itself", "unavailable", "FAILED 503", accepted=False),
    Fault("connection refused", "", "SUCCEEDED", accepted=True),
    Fault("reset halfway through the body", "reset; at=half-body", "UNKNOWN", accepted=False, stages=WITH_BODY),
    Fault("reset, nothing carried out", "reset", "UNKNOWN", accepted=False),
    Fault("closed, nothing carried out", "hang-up", "UNKNOWN", accepted=False),
    Fault("carried out, then reset", "reset-after", "UNKNOWN", accepted=True),
    Fault("carried out, then closed", "lost-reply", "UNKNOWN", accepted=True),
    Fault("carried out, half an answer", "half-reply", "UNKNOWN", accepted=True),
    Fault("carried out, answer is no HTTP", "garbage", "UNKNOWN", accepted=True),
    Fault("carried out, 504 of the load balancer", "ingress-after; status=504", "UNKNOWN 504", accepted=True),
    Fault("cut after an event", "cut-stream; events=1", "UNKNOWN", accepted=True, stages=("status stream", "stream")),
    Fault("not offered (404)", "no-stream; status=404", "", accepted=True, stages=("status stream",)),
    Fault("not offered (405)", "no-stream; status=405", "", accepted=True, stages=("status stream",)),
    Fault("another content type", "content-type; type=text/html", "", accepted=True, stages=("download",)),
    Fault("runner lost", "fail; error_type=runner_disconnected", "FAILED 503", accepted=True, stages=("runner",)),
    Fault("runner lost, queued again", "requeue", "SUCCEEDED", accepted=True, stages=("runner",)),
)
"""Source: fal protocol notes, section 12 item 7, and the ways in which sockets fail."""
_LASTING_FAULTS = frozenset(
    {"429, to be tried again", "502 of the load balancer", "503 of fal itself", "connection refused",
     "reset, nothing carried out"}
)  # fmt: skip
MISSING = (
    ("403, account locked", "all but submit, run, stream", "it refuses new work; what was accepted can still be had"),
    ("reset halfway through the body", "status stream, poll, result, download", "these requests have no body"),
    ("cut after an event", "all but status stream, stream", "the other answers are no event streams"),
    ("not offered", "all but status stream", "nothing else may be left out by a server"),
    ("another content type", "all but download", "the kind of a file goes by its bytes; all else is JSON by contract"),
    ("runner lost", "all but runner", "it happens between the requests"),
    ("8 times", "submit, run, stream", "a paid POST is repeated after 429 and a refused connection only, six times"),
)
"""Fault, stages, and why the combination does not exist."""


def _cells():
    for stage in (*STAGES, "runner"):
        here = [fault for fault in FAULTS if stage in fault.stages]
        yield from (Cell(fault, stage) for fault in here)
        if stage not in {*PAID, "runner"}:
            yield from (Cell(fault, stage, LASTING) for fault in here if fault.name in _LASTING_FAULTS)


CELLS = tuple(_cells())
OPERATIONS["runner"] = "submit"
