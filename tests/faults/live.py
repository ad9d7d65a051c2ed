"""Realtime sessions met by a fault, and what their records, the server and the person then know of them."""

import asyncio
import time
from collections import Counter
from dataclasses import dataclass, field

from fal_nb.client import sockets
from fal_nb.engine.session import Session
from fal_nb.errors import FalError, ProtocolError
from fal_nb.simulator.realtime import Realtime

from . import line
from .live_cells import END, OPERATIONS

SLEEP = "simulator/sleep"
LEFT, GONE_ON = "left", "gone on"
INPUTS = 3
_LONGEST_S = 60.0
_HEARTBEAT_S = 0.4


@dataclass
class LiveRow:
    """What came of the sessions of one cell.

    Attributes
    ----------
    seen
        What the person met, each wording once.
    states
        The records' states by way: the person leaves it at that, or sends the next input.
    lost
        Outputs that the server had sent and that the person did not get.
    duplicates
        Inputs that the server took in more than once, and records beyond one a session.
    trouble
        One line for each session whose record is not true.
    """

    sessions: int = 0
    seen: list = field(default_factory=list)
    states: dict = field(default_factory=dict)
    lost: int = 0
    duplicates: int = 0
    trouble: list = field(default_factory=list)


class Person:
    """Someone with one session: sends inputs in turn, and notes what comes."""

    def __init__(self, cell, way, name, session):
        self.cell, self.way, self.name = cell, way, name
        self.connection = session.live(SLEEP)
        self.sent = self.received = 0
        self.met = []

    @property
    def record_id(self):
        return self.connection.job.record_id

    async def act(self, over):
        """Hold the session; `over` is the line it goes over, where the cell has one."""
        try:
            await self.connection.open()
        except FalError as error:
            self.met.append(error)
            return
        if self.cell.fault.words == "refuse-token":  # it is said at once, before any input
            await self._receive()
        for number in range(INPUTS if self.way == GONE_ON or not self.met else 0):
            if over is not None and number == {"first message": 0, "mid-session": 1}.get(self.cell.stage):
                over.hush()
            if not await self._turn(number) and self.way == LEFT:
                break
        if self.cell.stage == "close":
            await self._before_the_close(over)
        await self.connection.close()

    async def _turn(self, number):
        await self.connection.send({"echo": f"input {number} of {self.name}", "seconds": 0})
        self.sent += 1
        return await self._receive()

    async def _receive(self):
        """Return whether an output has come; one that cannot be read has come, too."""
        try:
            output = await self.connection.recv()
        except FalError as error:
            self.received += isinstance(error, ProtocolError)
            self.met.append(error)
            return False
        self.received += output is not None
        self.met += [END] if output is None else []
        return output is not None

    async def _before_the_close(self, over):
        if self.cell.fault.below == "silent":
            over.hush()
        elif self.cell.fault.below == "dropped":
            over.drop()
            while self.connection.is_open:  # noqa: ASYNC110 - a task of its own reads
                await asyncio.sleep(0.005)


def run(cell, sessions, server, refusals, home, monkeypatch):
    """Hold `sessions` of a cell each way and return what came of them."""
    server.reset()
    inputs = _counted_inputs(monkeypatch)
    line.install(monkeypatch)
    if cell.fault.below == "silent":
        monkeypatch.setattr(sockets, "_HEARTBEAT_S", _HEARTBEAT_S)
        monkeypatch.setattr(sockets, "_CLOSE_S", 0.2)
        if cell.stage == "connect":
            monkeypatch.setattr(sockets, "_OPEN_S", 0.05)
    session = Session(base_url=server.base_url, home=home, notify=lambda _line: None)
    # Each session is to meet its own fault: one that keeps the lock would not open all but the first.
    session.client().http.gate._lock_s = 0.0
    try:
        persons = [
            Person(cell, way, f"{way} {number}", session)
            for way in ([LEFT] if cell.is_end else [LEFT, GONE_ON])
            for number in range(sessions)
        ]
        asyncio.run(_hold(cell, persons, server, refusals))
        return _count(cell, persons, session, server, inputs)
    finally:
        session.close()


async def _hold(cell, persons, server, refusals):
    """Have faults of the line met by all at once, and those that the server counts by one after another."""

    async def over_a_line(person):
        async with line.Line(int(server.base_url.rpartition(":")[2])) as over:
            over.is_deaf = cell.stage == "connect"
            await person.act(over)

    async with asyncio.timeout(_LONGEST_S):
        if cell.fault.below in {"silent", "dropped"}:
            await asyncio.gather(*map(over_a_line, persons))
            return
        for person in persons:
            _set_fault(cell, server, refusals)
            await person.act(None)
            server.clear_faults()
            refusals.end()


def _set_fault(cell, server, refusals):
    fault = cell.fault
    operation = OPERATIONS[cell.stage]
    if fault.below:
        refusals.begin(operation, fault.times)
        return
    kind, *pairs = (part.strip() for part in fault.words.split(";"))
    values = dict(pair.split("=") for pair in pairs)
    if kind.endswith("-frame"):
        values["events"] = 0 if cell.stage == "first message" else 1
    server.fault(kind, on=operation, times=fault.times, **values)


def _counted_inputs(monkeypatch):
    """Return how often the server takes in each input, from now on."""
    taken, plain = Counter(), Realtime.serve

    async def serve(realtime, found, connection, receive, send, acting):
        async def counted():
            message = await receive()
            taken.update([message["bytes"]] if message.get("bytes") else [])
            return message

        await plain(realtime, found, connection, counted, send, acting)

    monkeypatch.setattr(Realtime, "serve", serve)
    return taken


def _billed(server):
    """Return how many outputs the server has sent and billed, once every connection has ended."""
    deadline = time.monotonic() + _LONGEST_S
    while any(entry["ended_at"] is None for entry in server.ledger()):
        assert time.monotonic() < deadline, "the server did not end its sessions"
        time.sleep(0.01)
    return sum(entry["billable_units"] for entry in server.ledger())


def _count(cell, persons, session, server, inputs):
    row = LiveRow(sessions=len(persons))
    records = session.history.select()
    got = sum(person.received for person in persons)
    row.lost = int(_billed(server)) - got
    row.duplicates = sum(count - 1 for count in inputs.values()) + len(records) - len(persons)
    for person in persons:
        record = session.history.get(person.record_id)
        row.states.setdefault(person.way, set()).add(record.state)
        row.seen += [words for words in map(str, person.met) if words not in row.seen]
        wrong = _difference(cell, person, record)
        if wrong:
            row.trouble.append(f"{person.name}: #{record.id} {record.state} {record.error} {record.result}: {wrong}")
    return row


def _difference(cell, person, record):
    """Return what a record says that is not so, or None."""
    fault = cell.fault
    wanted = fault.left if person.way == LEFT else fault.gone_on
    if record.state != wanted:
        return f"it should be {wanted}"
    met = [each if isinstance(each, str) else type(each).__name__ for each in person.met]
    if met != ([fault.seen] if fault.seen else []):
        return f"the person met {met}"
    if (record.error is None) != (record.state == "SUCCEEDED"):
        return "its error says otherwise"
    if fault.is_refusal:
        return None if (record.cost, record.request_id) == (0, None) else "something was opened or paid"
    counted = (record.result["sent"], record.result["received"])
    if counted != (person.sent, person.received):
        return f"{person.sent} were sent and {person.received} received"
    units = None if cell.stage == "close" and fault.words else person.received
    return None if record.billable_units == units else f"{record.billable_units} units are not {units}"
