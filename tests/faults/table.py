"""What a run of the matrix came to, as the page in the documentation."""

from pathlib import Path

import fal_client

from .cells import CELLS, LASTING, MISSING, PAID

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
