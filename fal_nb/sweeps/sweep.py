"""``Sweep``: a plan with its calls: planned, run, paused, resumed after any crash, refined; its cells as a frame."""

from __future__ import annotations

import re
import threading
import time
import weakref
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from fal_nb.errors import FalError, HistoryError, JobError
from fal_nb.ledger.sweeps import SweepRow
from fal_nb.pricing.price import price_of
from fal_nb.sweeps.arrange import CellTable
from fal_nb.sweeps.cell_view import CellView
from fal_nb.sweeps.cells import Cell, Cells
from fal_nb.sweeps.checking import check_cells
from fal_nb.sweeps.exporting import Exporting
from fal_nb.sweeps.inputs import Surroundings
from fal_nb.sweeps.kept_schemas import read_schemas, schemas_text
from fal_nb.sweeps.listing import unknown_sweep
from fal_nb.sweeps.numbers import Numbers
from fal_nb.sweeps.outlook import Outlook, look_ahead
from fal_nb.sweeps.plan import ENDPOINT, SweepPlan
from fal_nb.sweeps.plan_text import read_additions, read_endpoints, read_plan
from fal_nb.sweeps.runner import Stopped
from fal_nb.sweeps.running import Running

if TYPE_CHECKING:
    from fal_nb.engine.session import Session
    from fal_nb.pricing.unit import UnitPrice
    from fal_nb.schemas.endpoint_schema import EndpointSchema

__all__ = ["CellView", "Sweep"]

_WINDOW = 4
_NAME = re.compile(r"[\w.-]{1,60}\Z")
_WHY = {
    "budget": "SKIPPED (budget)",
    "lock": "SKIPPED (account locked)",
    "cancelled": "not run: the sweep was cancelled",
}
_open: weakref.WeakValueDictionary[tuple[str, str], Sweep] = weakref.WeakValueDictionary()
"""Session and name → its sweep: two of one name in a kernel would not know of each other's run."""


class Sweep(Running, Numbers, Exporting):
    """One sweep of the history. May be used from any thread; interrupting `wait` ends nothing, `cancel` does."""

    def __init__(
        self, session: Session, row: SweepRow, plan: SweepPlan, schemas: Mapping[str, EndpointSchema | None]
    ) -> None:
        super().__init__()
        self._session = session
        self._row = row
        self.plan = plan
        self._schemas = dict(schemas)
        self.cells = Cells(plan, self._schemas)
        self._by_key = {cell.key: cell for cell in self.cells}
        self._records = session.history.sweeps.cells(row.name)
        self._lock = threading.RLock()
        _open[session.owner, row.name] = self

    # -- how one comes to be -----------------------------------------------------------------------------

    @classmethod
    def plan_text(
        cls,
        session: Session,
        text: str,
        endpoint: str | None = None,
        *,
        notebook: Mapping[str, Any] | None = None,
        known: Mapping[str, EndpointSchema | None] | None = None,
    ) -> tuple[SweepPlan, dict[str, EndpointSchema | None]]:
        """Return the plan of a text and the schemas of its endpoints; blocks for those that are not known yet.

        Raises as `read_plan`.
        """
        schemas = dict(known or {})
        for name in read_endpoints(text, endpoint, notebook):
            if name not in schemas:
                schemas[name] = session.preflight.schema_to_send(name)
        return read_plan(text, endpoint, Surroundings(schemas=schemas, notebook=notebook or {})), schemas

    @classmethod
    def new(
        cls,
        session: Session,
        plan: SweepPlan,
        schemas: Mapping[str, EndpointSchema | None],
        *,
        name: str | None = None,
        budget: float | None = None,
        window: int = _WINDOW,
        allow_unpriced: bool = False,
    ) -> Sweep:
        """Check every cell and write the sweep down; sends nothing.

        A name that is there already is the same sweep where its plan is the same, so that a cell may be run again; a
        sweep of which nothing has begun is replaced.

        Raises
        ------
        ArgumentsError
            With every problem of any cell.
        JobError
            Where the name or the window is none.
        HistoryError
            Where there is a sweep of that name with another plan.
        """
        if name is not None and not _NAME.match(name):
            raise JobError(f"{name[:60]!r} is no name of a sweep: letters, digits, '.', '_' and '-', at most 60.")
        if window < 1:
            raise JobError(f"A window of {window} lets nothing through: give 1 or more.")
        check_cells(Cells(plan, dict(schemas))).raise_for_problems()
        sweeps = session.history.sweeps
        row = SweepRow(
            name or sweeps.new_name(),
            plan.text(),
            time.time(),
            budget,
            allow_unpriced,
            window,
            schemas=schemas_text(schemas),
        )
        known = None if name is None else sweeps.find(name)
        if known is None:
            sweeps.add(row)
        elif known.text == row.text:
            return cls._again(session, known, row)
        elif known.owner is None and not sweeps.cells(known.name):
            session.notify(f"The sweep {name} has another plan now: nothing of the one before was sent.")
            sweeps.change(row)
        else:
            raise HistoryError(
                f"There is a sweep called {name} already, with another plan: `%%fal sweep refine {name}` adds to it, "
                "else give another --name."
            )
        return cls(session, row, plan, schemas)

    @classmethod
    def _again(cls, session: Session, known: SweepRow, row: SweepRow) -> Sweep:
        """Return the sweep that there is, in the window that is asked for now, under a new budget or its own."""
        sweep = cls.find(session, known.name)
        budget = known.budget if row.budget is None else row.budget
        sweep._write(budget=budget, window=row.window, allow_unpriced=row.allow_unpriced)  # noqa: SLF001 - its own
        return sweep

    @classmethod
    def outlook_of(
        cls, session: Session, plan: SweepPlan, schemas: Mapping[str, EndpointSchema | None], window: int = _WINDOW
    ) -> Outlook:
        """Return what a plan comes to; every cell is checked, and nothing of it is kept or sent.

        Raises
        ------
        ArgumentsError
            With every problem of any cell.
        """
        check_cells(Cells(plan, dict(schemas))).raise_for_problems()
        sweep = cls(session, SweepRow("", plan.text(), time.time(), None, False, window), plan, schemas)
        del _open[session.owner, ""]
        return sweep.outlook()

    @classmethod
    def find(cls, session: Session, name: str | None = None) -> Sweep:
        """Return a sweep of the history, the newest where none is named; runs nothing.

        Raises
        ------
        JobError
            Where there is none.
        """
        row = session.history.sweeps.find(name)
        if row is not None and (known_here := _open.get((session.owner, row.name))) is not None:
            return known_here
        if row is None:
            raise unknown_sweep(name or "", [one.name for one in session.history.sweeps.all()])
        plan, schemas = cls.plan_text(session, row.text, known=read_schemas(row.schemas))
        return cls(session, row, plan, schemas)

    # -- what it is --------------------------------------------------------------------------------------

    @property
    def name(self) -> str:
        """Its name, also the column ``sweep`` of its records."""
        return self._row.name

    @property
    def budget(self) -> float | None:
        """What all its calls may cost together, over all its runs, in US dollars."""
        return self._row.budget

    @property
    def text(self) -> str:
        """Its plan as a text that can be kept and run again."""
        return self._row.text

    @property
    def stopped(self) -> Stopped | None:
        """Why it ended before its time, or None."""
        return self._row.stopped  # type: ignore[return-value]

    @property
    def allows_unpriced(self) -> bool:
        """Whether calls go under a budget although nothing bounds what they cost."""
        return self._row.allow_unpriced

    @property
    def to_call(self) -> int:
        """Cells that `run` would call or carry on; those that failed are left to `retry`."""
        return sum(self._is_to_call(key) for key in self._by_key)

    def __len__(self) -> int:
        """Return how many cells there are."""
        return len(self._by_key)

    def __iter__(self) -> Iterator[CellView]:
        """Yield every cell as it is now, in the order of the plan."""
        return (self[key] for key in list(self._by_key))

    def __getitem__(self, key: str) -> CellView:
        """Return a cell as it is now."""
        found = self.peek(key)
        if found is not None:
            return found
        cell = self._by_key[key]
        history = self._session.history
        known = self._records[key]
        record, artifacts = history.get(known.record_id), history.artifacts(known.record_id)
        return CellView.of_record(cell, record, artifacts, is_from_memo=known.is_from_memo)

    def peek(self, key: str) -> CellView | None:
        """Return a cell as this kernel knows it without asking the history, or None."""
        cell = self._by_key[key]
        job = self._jobs.get(key)
        if job is not None:
            return CellView.of_snapshot(cell, job.snapshot, is_from_memo=key in self._from_memo)
        failures = self._failures if self._runner is None else self._failures | self._runner.failures
        if key in failures:
            is_kept_back = self._runner is not None and self._runner.stopped in {"budget", "lock"}
            return CellView(cell, "SKIPPED" if is_kept_back else "FAILED", failures[key])
        if key in self._records:
            return None
        stopped = self._row.stopped or ""
        return CellView(
            cell, "SKIPPED" if stopped in {"budget", "lock"} else "PREPARED", _WHY.get(stopped, "not run yet")
        )

    def record_of(self, key: str) -> int | None:
        """Return the number of the record whose output a cell has, without asking the history, or None."""
        job = self._jobs.get(key)
        if job is not None:
            return job.record_id
        known = self._records.get(key)
        return None if known is None else known.record_id

    @property
    def window(self) -> int:
        """Calls at once."""
        return self._row.window

    @property
    def session(self) -> Session:
        """The session it runs in."""
        return self._session

    def table(self) -> CellTable:
        """Return every combination of the plan with its cell's key, for boards."""
        return CellTable(self.cells)

    def outlook(self) -> Outlook:
        """Return what is still to be called, what it will cost and how long it will take; sends nothing."""
        session = self._session
        done = {key for key in self._by_key if self._is_done(key)}
        known: dict[str, bool] = {}

        backend = session.settings.backend
        # Where an endpoint never succeeded nothing of it can be known, and nothing needs to be looked up.
        called = {one for one in self.plan.endpoints if session.history.past_durations(one, 1, backend=backend)}
        units = {one: _unit_price(session, one) for one in self.plan.endpoints}
        past = {one: session.history.past_units(one, backend=backend) for one in self.plan.endpoints}

        def is_known(cell: Cell) -> bool:
            if cell.key not in known:
                known[cell.key] = cell.key in done or (
                    cell.endpoint in called and session.has_equal(cell.endpoint, cell.arguments)
                )
            return known[cell.key]

        def price(endpoint: str, arguments: Mapping[str, Any]) -> tuple[float, float | None]:
            found = price_of(endpoint, units[endpoint], self._schemas.get(endpoint), arguments, past[endpoint])
            return found.low, found.high

        return look_ahead(
            self.cells,
            price=price,
            is_known=is_known,
            seconds=lambda endpoint: session.history.past_durations(endpoint, backend=backend),
            window=self._row.window,
            notes=check_cells(self.cells).notes,
        )

    # -- what it does ------------------------------------------------------------------------------------

    def refine(
        self, axes: Mapping[str, Sequence[Any]], *, budget: float | None = None, allow_unpriced: bool | None = None
    ) -> Sweep:
        """Add values or axes; cells that were there keep their results. Run it to call the new ones.

        Parameters
        ----------
        budget
            For the whole sweep from now on; None leaves it.
        """
        with self._lock:
            if self.is_running:
                raise JobError(f"The sweep {self.name} is running: wait for it, then refine it.")
            schemas = self._schemas | {
                name: self._session.preflight.schema_to_send(name)
                for name in _listed(axes.get(ENDPOINT, ()))
                if name not in self._schemas
            }
            plan = self.plan.refined(axes, Surroundings(schemas=schemas))
            check_cells(Cells(plan, schemas)).raise_for_problems()
            self.plan, self._schemas = plan, schemas
            self.cells = Cells(plan, schemas)
            self._by_key = {cell.key: cell for cell in self.cells}
            unpriced = self._row.allow_unpriced if allow_unpriced is None else allow_unpriced
            kept = schemas_text(schemas)
            self._row = replace(self._row, text=plan.text(), allow_unpriced=unpriced, schemas=kept)
            self._write(budget=self._row.budget if budget is None else budget)
        self.tell(set(self._by_key))
        return self

    def refine_text(
        self, text: str, *, notebook: Mapping[str, Any] | None = None, budget: float | None = None
    ) -> Sweep:
        """Do the same by a text with a name and its new values a line, as in a plan. Raises as `read_plan`."""
        schemas = self._schemas | {
            name: self._session.preflight.known_schema(name)
            for name in read_endpoints(text, None, notebook)
            if name not in self._schemas
        }
        added = read_additions(text, self.plan, Surroundings(schemas=schemas, notebook=notebook or {}))
        return self.refine(added, budget=budget)

    def set_budget(self, budget: float | None) -> None:
        """Change what all its calls may cost together; what was kept back is called by the next `run`."""
        self._write(budget=budget)

    # -- numbers -----------------------------------------------------------------------------------------

    def counts(self) -> dict[str, int]:
        """Return how many cells are in each state."""
        found: dict[str, int] = {}
        for view in self:
            found[view.state] = found.get(view.state, 0) + 1
        return found

    def spending(self) -> Any:
        """Return what its calls have cost, what is reserved, and what its budget leaves."""
        return self._session.money.spending(self.name, self._row.budget)[self.name]

    def _ipython_display_(self) -> None:
        self._session.show_sweep(self)

    def __repr__(self) -> str:
        told = ", ".join(f"{count} {state.lower()}" for state, count in sorted(self.counts().items()))
        stopped = f", stopped: {self.stopped}" if self.stopped else ""
        return f"<Sweep {self.name}: {len(self)} cells, {told}{stopped}>"

    # -- inside ------------------------------------------------------------------------------------------

    def _is_done(self, key: str) -> bool:
        job = self._jobs.get(key)
        if job is not None:
            return job.state == "SUCCEEDED"
        known = self._records.get(key)
        return known is not None and known.state == "SUCCEEDED"

    def _write(self, **changes: Any) -> None:
        self._row = replace(self._row, **changes)
        self._session.history.sweeps.change(self._row)


def _listed(values: str | Sequence[Any]) -> list[str]:
    return [values] if isinstance(values, str) else [str(value) for value in values]


def _unit_price(session: Session, endpoint: str) -> UnitPrice | None:
    """Return what a unit costs, or None where the list cannot be had: the call is then unpriced."""
    try:
        return session.unit_price(endpoint)
    except (FalError, TimeoutError):
        return None
