"""The cells of the realtime matrix: which fault, at which stage of a session, and what it has to come to."""

from dataclasses import dataclass

STAGES = ("token", "connect", "first message", "mid-session", "close")
OPERATIONS = {
    "token": "token",
    "connect": "realtime",
    "first message": "realtime",
    "mid-session": "realtime",
    "close": "platform_pricing",
}
"""Stage → the simulator's word for what the fault acts on."""
LASTING = 16
"""Times a lasting fault acts: opening a connection is tried six times, by aiohttp twice each where it was reset."""
NOTHING = ""
"""What is seen where nothing is."""
END = "the session ends in good order"


@dataclass(frozen=True)
class LiveFault:
    """A fault, its words for the simulator, and what it comes to.

    Attributes
    ----------
    words
        Empty where it is made below the client: what `Line` or `Refusals` is asked to do is `below`.
    seen
        The error that is met, by its name, or `END`.
    left, gone_on
        The state of the record where the person leaves it at that, and where the next input is sent.
    times
        How often it acts on one session.
    """

    name: str
    words: str
    stages: tuple[str, ...]
    seen: str = NOTHING
    left: str = "SUCCEEDED"
    gone_on: str = "SUCCEEDED"
    times: int = 1
    below: str = ""

    @property
    def is_refusal(self):
        """Whether no connection comes of it at all."""
        return self.left == self.gone_on == "FAILED"


@dataclass(frozen=True)
class LiveCell:
    """One fault at one stage."""

    fault: LiveFault
    stage: str

    @property
    def name(self):
        return f"{self.fault.name}, lasting" if self.fault.times == LASTING else self.fault.name

    @property
    def is_end(self):
        """Whether the session is over by it, so that nobody can go on."""
        return self.stage == "close" or self.fault.is_refusal

    def __str__(self):
        return f"{self.stage}: {self.name}"


OPENING = ("token", "connect")
TALKING = ("first message", "mid-session")


def _opening(name, words, seen, **more):
    """Return a fault that passes, and the same one where it lasts."""
    yield LiveFault(name, words, OPENING, **more)
    yield LiveFault(name, words, OPENING, seen, "FAILED", "FAILED", LASTING, **more)


def _refused(name, words, seen, stages=OPENING):
    return LiveFault(name, words, stages, seen, "FAILED", "FAILED")


FAULTS = (
    *_opening("429, to be tried again", "rate-limit", "RateLimitedError"),
    *_opening("503 of the load balancer", "ingress; status=503", "ServerError"),
    *_opening("503 of fal itself", "unavailable", "ServerError"),
    *_opening("connection refused", "", "NotSent", below="refuse"),
    *_opening("reset", "reset", "TransferError"),
    *_opening("closed without an answer", "hang-up", "TransferError"),
    _refused("403, account locked", "locked", "AccountLockedError"),
    _refused("401, key refused", "status; status=401", "AuthenticationError"),
    LiveFault("half an answer", "half-reply", ("token",)),
    LiveFault("answer is no HTTP", "garbage", ("token",)),
    _refused("answer holds no token", "status; status=200", "ProtocolError", ("token",)),
    LiveFault("slow", "slow; seconds=0.05", OPENING),
    LiveFault("silence", "", ("connect",), "TransferError", "FAILED", "FAILED", below="silent"),
    LiveFault("token opens nothing", "refuse-token", ("connect",), "AuthenticationError", "FAILED"),
    LiveFault("connection dropped", "cut-frame", TALKING, "RealtimeError", "UNKNOWN"),
    LiveFault("closed with code 1011", "close-frame; code=1011", TALKING, "RealtimeError", "UNKNOWN"),
    LiveFault("closed with code 1000", "close-frame; code=1000", TALKING, END),
    LiveFault("fal's `TIMEOUT`", "end-frame", TALKING, END),
    LiveFault("error frame: the app fails", "fail-frame", TALKING, "RealtimeError", "FAILED"),
    LiveFault("nonsense frame", "garbage-frame", TALKING, "ProtocolError", "FAILED"),
    LiveFault("frame of 65 MB", "giant-frame; megabytes=65", ("mid-session",), "ProtocolError", "FAILED"),
    LiveFault("slow", "slow-frame; seconds=0.05", TALKING),
    LiveFault("silence", "", TALKING, "RealtimeError", "UNKNOWN", below="silent"),
    LiveFault("connection dropped, all answered", "", ("close",), left="FAILED", below="dropped"),
    LiveFault("silence", "", ("close",), below="silent"),
    LiveFault("no price list", "unavailable", ("close",), times=LASTING),
)
CELLS = tuple(LiveCell(fault, stage) for stage in STAGES for fault in FAULTS if stage in fault.stages)
