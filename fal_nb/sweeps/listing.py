"""Which sweeps there are: a table of them, and what to say of a name that none has."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from fal_nb.errors import FalError, JobError
from fal_nb.plain import one_line
from fal_nb.schemas.nearest import nearest
from fal_nb.sweeps.plan_text import read_endpoints

if TYPE_CHECKING:
    import pandas as pd

    from fal_nb.engine.session import Session
    from fal_nb.ledger.sweeps import SweepRow

__all__ = ["sweeps_frame", "unknown_sweep"]

_SHOWN_NAMES = 8


def sweeps_frame(session: Session) -> pd.DataFrame:
    """Return a row for each sweep of the history, the newest first, by its name; no plan is worked out.

    ``called`` counts cells that have a record, ``spent`` is in US dollars, without what earlier calls answered.
    """
    import pandas as pd  # noqa: PLC0415 - only where a frame is asked for

    sweeps = session.history.sweeps
    tallies = sweeps.tallies()
    rows = []
    for row in reversed(sweeps.all()):
        tally = tallies.get(row.name)
        rows.append(
            {
                "sweep": row.name,
                "endpoint": _endpoints(row),
                "called": tally.called if tally else 0,
                "done": tally.done if tally else 0,
                "failed": tally.failed if tally else 0,
                "spent": tally.spent if tally else 0.0,
                "budget": math.nan if row.budget is None else row.budget,
                "stopped": row.stopped or "",
                "created": pd.Timestamp(row.created, unit="s", tz="UTC").floor("s"),
            }
        )
    names = ["sweep", "endpoint", "called", "done", "failed", "spent", "budget", "stopped", "created"]
    return pd.DataFrame(rows, columns=names).set_index("sweep")


def unknown_sweep(name: str, known: list[str]) -> JobError:
    """Return the error of a name that no sweep has: the nearest one, else the newest ones."""
    if not known:
        return JobError("There is no sweep yet: `%%fal sweep ENDPOINT` with a plan below it makes one.")
    like = nearest(name, known)
    hint = f"did you mean {like}?" if like else f"there are: {', '.join(known[-_SHOWN_NAMES:])}."
    more = "" if like or len(known) <= _SHOWN_NAMES else " `%fal sweep list` shows all."
    return JobError(f"There is no sweep called {one_line(name, 60)!r}; {hint}{more}")


def _endpoints(row: SweepRow) -> str:
    try:
        return ", ".join(read_endpoints(row.text))
    except FalError:  # a later version's plan
        return ""
