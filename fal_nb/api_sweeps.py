"""The module's functions about sweeps."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from fal_nb.workbench import current

if TYPE_CHECKING:
    import pandas as pd

    from fal_nb.sweeps.sweep import Sweep

__all__ = ["find_sweep", "list_sweeps", "sweep"]


def sweep(  # noqa: PLR0913 - a plan has so many sides
    endpoint: str | Sequence[str],
    arguments: Mapping[str, Any] | None = None,
    *,
    axes: Mapping[str, Any] | None = None,
    zip: Sequence[str] | Sequence[Sequence[str]] | None = None,  # noqa: A002 - the word of the text as well
    rows: Any = None,
    skip: str | Sequence[str] | None = None,
    name: str | None = None,
    budget: float | None = None,
    window: int = 4,
    allow_unpriced: bool = False,
) -> Sweep:
    """Plan all combinations of some axes and return the sweep; nothing is sent before its `run`.

    Parameters
    ----------
    endpoint
        One, or several as an axis.
    arguments
        What all cells share; ``{name}`` in a text is an axis.
    axes
        Name → its values, or a text such as ``"1..4"`` or ``"random 8"``.
    zip
        Names of axes that go in step.
    rows
        A list of dicts, a DataFrame, or the path of a CSV file.
    skip
        Rules; a combination where one holds is left out.
    budget
        What all its calls may cost together, over all its runs, in US dollars.
    window
        Calls at once.
    allow_unpriced
        Whether calls go under a budget although nothing bounds what they cost.

    Raises
    ------
    GrammarError, ArgumentsError, EndpointError, FileError, NotFoundError
        Where the plan makes no sense or a cell would be refused.
    HistoryError, JobError
        Where there is a sweep of that name, or the name is none.
    """
    from fal_nb.sweeps.inputs import Surroundings  # noqa: PLC0415 - loaded with the first sweep
    from fal_nb.sweeps.plan import SweepPlan  # noqa: PLC0415
    from fal_nb.sweeps.sweep import Sweep  # noqa: PLC0415

    session = current().session
    wanted = [endpoint] if isinstance(endpoint, str) else list(endpoint)
    given = (axes or {}).get("endpoint")
    names = [*wanted, *([given] if isinstance(given, str) else given or [])]
    schemas = {one: session.preflight.schema_to_send(one) for one in names}
    plan = SweepPlan.of(
        endpoint, arguments, axes=axes, zip=zip, rows=rows, skip=skip, surroundings=Surroundings(schemas=schemas)
    )
    return Sweep.new(session, plan, schemas, name=name, budget=budget, window=window, allow_unpriced=allow_unpriced)


def find_sweep(name: str | None = None) -> Sweep:
    """Return a sweep of the history by its name, the newest where none is named; its `run` carries on.

    Raises
    ------
    JobError
        Where there is none.
    """
    from fal_nb.sweeps.sweep import Sweep  # noqa: PLC0415 - loaded with the first sweep

    return Sweep.find(current().session, name)


def list_sweeps() -> pd.DataFrame:
    """Return a row for each sweep of the history, the newest first: endpoints, cells called, done, failed, spent.

    Money is in US dollars, ``created`` in UTC. It blocks, and works no plan out.

    Raises
    ------
    HistoryError
        Where the history cannot be read.
    """
    from fal_nb.sweeps.listing import sweeps_frame  # noqa: PLC0415 - loaded with the first sweep

    return sweeps_frame(current().session)
