"""What a run of both matrices came to, as the page in the documentation."""

import re
from pathlib import Path

import fal_client

from . import live_cells
from .cells import CELLS, LASTING, MISSING, PAID
from .live import GONE_ON, LEFT
from .live_cells import END

PAGE = Path(__file__).parents[2] / "docs" / "faults.md"
_INTRO = """\
# Every fault at every stage

Measured, not promised: `make faults` runs {jobs} jobs for each line through the whole session, with its history and its
store of files, against the simulator, and writes this page. `make test` fails where a run gives anything else;
`make test-all` runs 1,000 jobs a line.

- **Settled**: the record says how the job ended, and why. **Unknown and listed**: an answer to a paid request was lost;
  the record says `UNKNOWN`, `%fal history` lists it, nothing is sent again.
- **Lost**: the server accepted a request that no record names, or a result or a file was had and is not kept.
- **Twice**: submissions the server accepted beyond one a job.
- *Submit*, *run* (direct calls) and *stream* start paid work. *Poll* is the status where streams are not offered;
  *runner* is a fault between the requests. "{lasting} times" is more than one request is tried.
- Realtime sessions, which are no jobs, have [a table of their own](#realtime-sessions).
- To the right the same faults through the official client (fal-client {version}, asynchronous, {official} jobs a line):
  results had, and submissions accepted. It opens no status streams and fetches no files.
"""
_HEAD = ("Stage", "Fault", "Jobs", "Settled", "Unknown and listed", "Lost", "Twice", "fal-client: results", "accepted")


def page(rows, seen, official_jobs):
    """Return the page; `rows` by cell, `seen` by cell what the official client came to."""
    jobs = {row.jobs for row in rows.values()}
    text = _INTRO.format(
        jobs="/".join(map(str, jobs)), lasting=LASTING, version=fal_client.__version__, official=official_jobs
    )
    lines = [_line(_HEAD), _line(["---", "---", *["--:"] * 7])]
    for cell in CELLS:
        row, other = rows[cell], seen.get(cell)
        theirs = ("", "") if other is None else (f"{other.results} of {other.jobs}", other.accepted)
        lines.append(
            _line([cell.stage, _fault(cell), row.jobs, row.settled, row.unknown, row.lost, row.duplicates, *theirs])
        )
    reasons = [f"- {fault}: {where}. {why[:1].upper()}{why[1:]}." for fault, where, why in MISSING]
    return "\n".join([text, *lines, "", "Combinations that do not exist:", "", *reasons, ""])


def _fault(cell):
    """Return the fault, and how a job ends by it where that is not well."""
    if cell.state != "FAILED" or cell.stage not in {*PAID, "runner"}:
        return cell.name
    return f"{cell.name}: `FAILED`"


def _line(values):
    return f"| {' | '.join(map(str, values))} |"


_LIVE_HEAD = (
    "Stage", "Fault", "What the person meets", "Record, left at that", "Record, gone on", "Sessions", "Lost", "Twice",
)  # fmt: skip
_LIVE_TITLE = "## Realtime sessions\n"
_LIVE_INTRO = """\
Each line is {sessions} sessions of three inputs for each of the two records (`make test-all`: 20); an input is sent
once the one before is answered. A fault acts once, *lasting* as often as a connection is tried: on the request for the
token, on the handshake, in place of the first output or of the second, or when all is answered and the session is about
to be closed. *Silence* is a network that carries nothing more and says nothing.

- **What the person meets**: the error that `recv`, or opening it, raised; nothing where it was got over.
- **Record**: the state of the one record that a session is, where the person leaves it at that, and where the next
  input is sent, which opens a new connection by itself; empty where the session is over. Where nothing could be opened
  its cost is 0. In every line the record counts the inputs and outputs that the person does, and its units are those
  that the server billed.
- **Lost**: outputs that the server sent and billed, and that the person did not get. **Twice**: inputs that the server
  took in more than once, or records beyond one a session.
"""


def live_page(rows):
    """Return the part about realtime sessions; `rows` by cell."""
    sessions = {row.sessions // len(row.states) for row in rows.values()}
    lines = [_line(_LIVE_HEAD), _line([*["---"] * 5, *["--:"] * 3])]
    for cell in live_cells.CELLS:
        row = rows[cell]
        states = [" or ".join(f"`{each}`" for each in sorted(row.states.get(way, ()))) for way in (LEFT, GONE_ON)]
        met = "; ".join(_words(each) for each in row.seen)
        lines.append(_line([cell.stage, cell.name, met, *states, row.sessions, row.lost, row.duplicates]))
    return "\n".join([_LIVE_TITLE, _LIVE_INTRO.format(sessions="/".join(map(str, sessions))), *lines, ""])


def _words(text):
    """Return an error without what differs from run to run, and with the waits that the tests shorten."""
    if text == END:
        return text
    return re.sub(r"127\.0\.0\.1:\d+: .*?\) \(", "ADDRESS (", text).replace("within 0 s", "within 90 s")


def parts():
    """Return the page as it stands: what comes before the realtime sessions, and what is about them."""
    before, title, after = PAGE.read_text(encoding="utf-8").partition(f"\n{_LIVE_TITLE}")
    return before, title[1:] + after


def write(*, main=None, live=None):
    """Write one part of the page anew."""
    old_main, old_live = parts()
    PAGE.write_text(f"{main or old_main}\n{live or old_live}", encoding="utf-8")
