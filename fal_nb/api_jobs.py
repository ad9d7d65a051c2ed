"""The module's functions about open work: which jobs there are, waiting for them, carrying on, settling lost ones."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from fal_nb.api import job_of, session
from fal_nb.workbench import current

if TYPE_CHECKING:
    from anywidget import AnyWidget

    from fal_nb.engine.job import Job
    from fal_nb.engine.reconcile import Choices
    from fal_nb.engine.reconciliation import Reconciliation
    from fal_nb.engine.resume import Resumed

__all__ = ["attach", "jobs", "reconcile", "resume", "send_again", "wait"]


class OpenJobs(list["Job"]):
    """A list of jobs that shows itself as all open work of all kernels, live where a front end looks on."""

    @property
    def widget(self) -> AnyWidget:
        """The same as a widget, for layouts of your own."""
        return current().monitor().widget

    def _ipython_display_(self) -> None:
        bench = current()
        if bench.display.rendering == "terminal":  # which has written "Out[3]: " already
            bench.line("")
        bench.show_monitor()


def jobs() -> OpenJobs:
    """Return this kernel's open jobs, oldest first.

    In a cell the list shows itself as a monitor of all open work of all kernels of this history: state, place in the
    queue, progress, age and estimate of each call, what was spent and is reserved, with a button that cancels.
    """
    return OpenJobs(session().jobs())


def wait(jobs: Iterable[str | int | Job] | None = None, *, timeout: float | None = None) -> list[Job]:
    """Block until the given jobs (default: all open ones) have ended, and return them in the given order.

    Realtime sessions end when they are closed, so that without `jobs` they are not waited for. Interrupting it stops
    the waiting, not the jobs.

    Raises
    ------
    FalClientTimeoutError
        After `timeout` seconds in all.
    """
    import time  # noqa: PLC0415

    chosen = session().jobs_to_end() if jobs is None else [job_of(job) for job in jobs]
    deadline = None if timeout is None else time.monotonic() + timeout
    with session().watching(chosen):
        for job in chosen:
            job.wait(None if deadline is None else max(0.0, deadline - time.monotonic()))
    return chosen


def resume() -> Resumed:
    """Carry on with everything an earlier kernel left open, and return what was done with each call.

    Requests that fal accepted are followed, results that were had get their files, calls that never left are sent.
    A call that was on its way when its kernel ended becomes ``UNKNOWN``: it is never sent again by itself. What
    another living kernel follows is only watched.

    Raises
    ------
    HistoryError
        Where the history cannot be read or written.
    """
    return session().resume()


def attach(endpoint: str, request_id: str) -> Job:
    """Follow a request that was made elsewhere and return its job; it gets a record, and nothing is sent again.

    Raises
    ------
    EndpointError
        Where it is no endpoint id.
    """
    return session().attach(endpoint, request_id)


def reconcile(choose: Choices | None = None) -> Reconciliation:
    """Settle calls whose answer was lost, by fal's list of ended requests; blocks, and sends no call.

    A call gets a request only where nothing else can be meant: same endpoint, equal arguments, the right time. The
    result shows itself as a table: what was found, what needs a choice, what is still unknown, and the next step. What
    is not listed stays ``UNKNOWN``, because only ended requests are listed.

    Parameters
    ----------
    choose
        A job or the number of its record → the id of the request it is.

    Raises
    ------
    JobError
        Where a choice cannot be; nothing was settled then.
    """
    return session().reconcile(choose)


def send_again(job: str | int | Job, *, yes: bool = False) -> Job | None:
    """Send a lost call once more, as a new record, and return its job; None where the answer to the question is no.

    It may pay twice, so that it asks first, unless `yes`. The lost call stays ``UNKNOWN``.

    Raises
    ------
    JobError
        Where the call is not ``UNKNOWN``, cannot be sent from its record, or nobody can be asked.
    """
    return session().send_again(job, yes=yes)
