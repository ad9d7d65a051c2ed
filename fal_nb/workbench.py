"""``Workbench``: the session and the display of one kernel, joined, so that whatever is shown shows itself right."""

from __future__ import annotations

import atexit
import contextlib
import functools
import logging
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, cast

from fal_nb.engine.session import Session
from fal_nb.errors import FalError
from fal_nb.plain import one_line
from fal_nb.views.card import CardView
from fal_nb.views.display import Display
from fal_nb.views.progress_line import ProgressLine, Watch
from fal_nb.views.twin import artifacts_html, text_html

if TYPE_CHECKING:
    from fal_nb.catalogue.search import ModelQuery
    from fal_nb.client.model_cache import Listing
    from fal_nb.engine.catalogue import Catalogue
    from fal_nb.engine.job import Job
    from fal_nb.engine.open_work import OpenWork
    from fal_nb.filled_form import Form
    from fal_nb.live_canvas import Canvas
    from fal_nb.magics.copy_forms import Form as CopyForm
    from fal_nb.results import Result
    from fal_nb.sweeps.sweep import Sweep
    from fal_nb.views.board import BoardView
    from fal_nb.views.board_look import BoardSweep
    from fal_nb.views.canvas import CanvasView
    from fal_nb.views.form import FormView
    from fal_nb.views.gallery import GalleryView
    from fal_nb.views.models import ModelsView
    from fal_nb.views.monitor import MonitorView
    from fal_nb.views.plan import PlanView
    from fal_nb.views.view import View

__all__ = ["Workbench", "current"]

_NAMES_CHARS = 100
_UNWATCHED = (
    "Nobody watches this notebook (nbconvert, papermill or the like): what a job shows after the last cell is not in "
    "it. `%fal wait` waits for the jobs, and their cards then tell the end."
)
_log = logging.getLogger("fal_nb")


class Workbench:
    """What one kernel holds: settings, client, runtime, history, open jobs, and the way to the front end.

    Attributes
    ----------
    embed_media
        Whether outputs hold the media themselves; only for exports, it makes notebooks large.
    aliases
        Short names of endpoints → the endpoint, and inputs that are sent along.
    kept
        Name → arguments of a call, to build others on.
    """

    def __init__(self, get_shell: Callable[[], Any]) -> None:
        self._get_shell = get_shell
        self.embed_media = False
        self.aliases: dict[str, str] = {}
        self.kept: dict[str, dict[str, Any]] = {}
        self.session = Session(show=self.show_job_once, show_result=self.show_result, notify=self.line)
        self.display = Display(self.session.runtime, get_shell)
        self.session.place = self.display.place
        self.session.watch = self.watch
        self.session.show_sweep = self.show_sweep_once
        self.session.result_html = _result_html
        self._watch: Watch | None = None
        self._has_said_unwatched = False
        self._open_work: OpenWork | None = None
        self._catalogue: Catalogue | None = None
        self._shown_in_cell: tuple[int, set[int | str]] = (0, set())

    @property
    def catalogue(self) -> Catalogue:
        """The models of the server that calls go to."""
        if self._catalogue is None:
            from fal_nb.engine.catalogue import Catalogue  # noqa: PLC0415 - loaded with the first look

            self._catalogue = Catalogue(self.session)
        return self._catalogue

    def card(self, job: Job) -> CardView:
        """Return a card of a job that is not shown yet; `card.widget` goes into other layouts."""
        session = self.session
        path, runtime = session.artifacts.path, session.runtime
        copied = functools.partial(self._copied, job.record_id)
        view = CardView(job, path, embed=self.embed_media, recall=session.job, runtime=runtime, copied=copied)
        view.outlet = self.display.hub
        return view

    def _copied(self, record_id: int, form: str) -> str:
        """Return a call as source to be pasted, from what is on this machine. Raises as `fal_nb.copy_as`."""
        from fal_nb.engine.dry_run import prepared_from  # noqa: PLC0415 - loaded when first asked for
        from fal_nb.magics.completion.known import Known  # noqa: PLC0415
        from fal_nb.magics.copy_forms import copy_form  # noqa: PLC0415

        call = prepared_from(self.session, self.session.job(record_id))
        return copy_form(call, cast("CopyForm", form), Known(lambda: self).schema(call.endpoint))

    @contextlib.contextmanager
    def watch(self, jobs: Sequence[Job], card: CardView | None = None) -> Iterator[Callable[[], object] | None]:
        """Show how jobs come on while the caller waits for them, where there is no page that does; give its tick.

        Within another watch it is that one's tick: one line for all.

        Parameters
        ----------
        card
            Shown by the caller once the one job has ended. Without it the end is told here.
        """
        out = self.display.progress_output
        if self._watch is not None or out is None:
            yield None if out is None or self._watch is None else self._watch.tick
            return
        watch = self._watch = Watch(jobs, out)
        try:
            with watch:
                yield watch.tick
            for job in jobs if card is None else ():
                ended = self.card(job)
                ended.is_text_told = watch.told_text
                ProgressLine(out).say(ended.text())
        finally:
            self._watch = None
            if card is not None:
                card.is_text_told = watch.told_text

    @contextlib.contextmanager
    def watch_board(self, board: BoardView) -> Iterator[Callable[[], object]]:
        """Show how a board's cells come on while the caller waits for them, where there is no page that does."""
        out = self.display.progress_output
        if out is None:
            yield lambda: None
            return
        line = ProgressLine(out)
        try:
            yield lambda: line.draw(board.heading())
        finally:
            line.clear()

    def show_job(self, job: Job, *, is_watched: bool = False) -> CardView:
        """Show a job's card in the cell that runs now, and return it; `is_watched` where `watch` follows at once."""
        view = self.card(job)
        self.display.show(view, is_watched=is_watched)
        self._shown_here().add(job.record_id)
        return view

    @contextlib.contextmanager
    def carded(self, job: Job) -> Iterator[None]:
        """Show a job's card while a Python function waits for the job, where there is a page; else do nothing.

        In threads there is none: which cell they belong to is not known, and there may be many.
        """
        is_main = threading.current_thread() is threading.main_thread()
        if not is_main or self.display.rendering in {"terminal", "script"}:
            yield
            return
        card = self.show_job(job)
        try:
            yield
        finally:
            self.settle(card)

    def show_job_once(self, job: Job) -> None:
        """Show a job's card, unless the cell that runs now shows it already."""
        if job.record_id not in self._shown_here():
            self.show_job(job)
        elif self.display.rendering == "terminal":  # which has written "Out[3]: " already
            self.line(repr(job))

    def show_plan(self, sweep: Sweep, *, is_told: bool = False) -> PlanView:
        """Show what a sweep would come to in the cell that runs now, with a button that runs it.

        Parameters
        ----------
        is_told
            Whether it is run at once, so that there is nothing to click.
        """
        from fal_nb.shown_plan import ShownPlan  # noqa: PLC0415 - loaded with the first sweep
        from fal_nb.shown_sweep import ShownSweep  # noqa: PLC0415
        from fal_nb.views.plan import PlanView  # noqa: PLC0415

        def show_the_board() -> None:
            self.display.replace(view, self._board(ShownSweep(sweep)))

        view = PlanView(ShownPlan(sweep, is_told=is_told, when_started=show_the_board))
        view.outlet = self.display.hub
        self.display.show(view)
        self._shown_here().add(sweep.name)
        return view

    def show_sweep(self, sweep: Sweep, *, is_watched: bool = False) -> BoardView:
        """Show a sweep's board in the cell that runs now, and return it; `is_watched` where `watch_board` follows."""
        from fal_nb.shown_sweep import ShownSweep  # noqa: PLC0415 - loaded with the first sweep

        self._shown_here().add(sweep.name)
        return self.show_board(ShownSweep(sweep), is_watched=is_watched)

    def show_sweep_once(self, sweep: Sweep) -> None:
        """Show a sweep's plan, or its board once it has begun, unless the cell that runs now shows it already."""
        if self.display.rendering in {"terminal", "script"}:
            self.line(repr(sweep))
        elif sweep.name not in self._shown_here():
            view: View = self.show_sweep(sweep) if sweep.has_begun else self.show_plan(sweep)
            self.settle(view)

    def show_board(self, shown: BoardSweep, *, is_watched: bool = False) -> BoardView:
        """Show cells along axes in the cell that runs now, and return the board; `is_watched` as for `show_sweep`."""
        view = self._board(shown)
        self.display.show(view, is_watched=is_watched)
        return view

    def _board(self, shown: BoardSweep) -> BoardView:
        from fal_nb.views.board import BoardView  # noqa: PLC0415 - loaded with the first board

        view = BoardView(shown, self.session.artifacts.path, self.session.history.thumbnail)
        view.outlet = self.display.hub
        return view

    def form(self, endpoint: str, arguments: Mapping[str, Any] | None = None) -> Form:
        """Return a form of an endpoint that is not shown yet, with some arguments filled in; blocks the first time.

        Raises
        ------
        EndpointError
            Where it is no endpoint id.
        FalError
            Where its schema cannot be had.
        """
        from fal_nb.filled_form import Form  # noqa: PLC0415 - loaded with the first form

        return Form(self, self.session.schema(endpoint), arguments or {})

    def show_form(self, form: Form) -> FormView:
        """Show a form in the cell that runs now, and return its view."""
        view = form.new_view()
        view.prepare()
        self.display.show(view)
        return view

    def models_view(self, listing: Listing, note: str, query: ModelQuery) -> ModelsView:
        """Return a view of the catalogue that is not shown yet."""
        from fal_nb.shown_models import ShownModels  # noqa: PLC0415 - loaded with the first look
        from fal_nb.views.models import ModelsView  # noqa: PLC0415

        session = self.session
        is_simulated = session.settings.backend == "simulator"
        shown = ShownModels(session, self.catalogue, listing.models, note=note, is_simulated=is_simulated)
        view = ModelsView(shown, query, session.runtime.post)
        view.outlet = self.display.hub
        return view

    def canvas(self, endpoint: str, arguments: Mapping[str, Any] | None = None, **line: Any) -> Canvas:
        """Return a live canvas of an endpoint that is not shown yet; blocks the first time.

        Parameters
        ----------
        line
            ``in_flight`` and ``idle_s``, as for `fal_nb.canvas`.

        Raises
        ------
        EndpointError, FileError, ConfigError
            Where it is no endpoint id, or one of the rest cannot be meant.
        FalError
            Where its schema cannot be had.
        """
        from fal_nb.live_canvas import Canvas  # noqa: PLC0415 - loaded with the first canvas

        return Canvas(self, self.session.schema(endpoint), arguments or {}, **line)

    def show_canvas(self, canvas: Canvas) -> CanvasView:
        """Show a canvas in the cell that runs now, and return its view. Raises as `Canvas.prepare`."""
        canvas.prepare()
        view = canvas.new_view()
        self.display.show(view)
        return view

    def gallery(self, record_ids: Sequence[int] | None, name: str) -> GalleryView:
        """Return a gallery of the outputs of some records, or of the whole history, that is not shown yet."""
        from fal_nb.magics.completion.known import Known  # noqa: PLC0415 - loaded with the first gallery
        from fal_nb.shown_outputs import ShownOutputs  # noqa: PLC0415
        from fal_nb.views.gallery import GalleryView  # noqa: PLC0415

        session = self.session
        view = GalleryView(
            ShownOutputs(session, record_ids, name, Known(lambda: self)),
            session.artifacts.path,
            lambda records: session.frame(where={"record": list(records)}),
            session.runtime.post,
            say=self.line,
        )
        view.outlet = self.display.hub
        session.observe_marks(view.marked)
        return view

    def show_gallery(self, record_ids: Sequence[int] | None, name: str) -> GalleryView:
        """Show the outputs of some records, or of the whole history, in the cell that runs now; return the gallery."""
        view = self.gallery(record_ids, name)
        self.display.show(view)
        return view

    def selected_records(self, filters: Mapping[str, Any]) -> list[int]:
        """Return the records that pass the filters of `Session.frame`."""
        return [int(number) for number in self.session.frame(**filters).index]

    def monitor(self, limit: int | None = None) -> MonitorView:
        """Return a monitor of all open work that is not shown yet, as of now; `limit` is the most rows."""
        from fal_nb.views.monitor import MonitorView  # noqa: PLC0415 - loaded with the first monitor

        if self._open_work is None:
            from fal_nb.engine.open_work import OpenWork  # noqa: PLC0415

            self._open_work = OpenWork(self.session)
        self._open_work.look()
        view = MonitorView(self._open_work, self.session.runtime.post, limit)
        view.outlet = self.display.hub
        return view

    def show_monitor(self, limit: int | None = None) -> MonitorView:
        """Show all open work in the cell that runs now, live where somebody looks on, and return the view."""
        view = self.monitor(limit)
        self.display.show(view)
        if self.display.rendering in {"live", "widget"}:
            view.follow()
        return view

    def save_when_done(self, job: Job, pattern: str) -> None:
        """Save a job's files by a pattern once it has succeeded; what goes wrong is logged."""
        threading.Thread(target=_save, args=(job, pattern), daemon=True).start()

    def settle(self, view: View) -> None:
        """Bring a view's output up to date before the cell returns."""
        self.display.settle(view)

    def say_if_unwatched(self) -> None:
        """Say once that this notebook keeps nothing of a job that ends after its last cell, where that is so."""
        if self.display.rendering == "static" and not self._has_said_unwatched:
            self._has_said_unwatched = True
            self.line(_UNWATCHED)

    def line(self, text: str) -> None:
        """Show one plain line."""
        self.display.line(text)

    def show_result(self, result: Result) -> None:
        """Show a result's outputs; silent in the cell whose card has shown them already."""
        if result.record_id in self._shown_here():
            if self.display.rendering == "terminal":  # which has written "Out[3]: " already
                names = one_line(", ".join(map(str, result)), _NAMES_CHARS)
                self.line(f"the result of #{result.record_id}: {names or 'empty'}")
            return
        if self.display.rendering in {"terminal", "script"}:
            self.line(repr(result))
            return
        from IPython.display import display  # noqa: PLC0415 - only inside IPython

        display({"text/html": _result_html(result), "text/plain": repr(result)}, raw=True)

    def close(self) -> None:
        """Close the session and the hub; requests at fal go on. Safe to call twice."""
        with contextlib.suppress(FalError):
            self.display.hub.close()
        self.session.close()

    def _shown_here(self) -> set[int | str]:
        """Return the records whose cards, and the sweeps whose boards, the cell that runs now has shown."""
        number = int(getattr(self._get_shell(), "execution_count", 0) or 0)
        if number != self._shown_in_cell[0]:
            self._shown_in_cell = number, set()
        return self._shown_in_cell[1]


class _Current:
    """The workbench of this process, made at first use and kept through ``%reload_ext``; from any thread.

    Two threads that are first at once must not make two: each would have a session, and know only its own jobs.
    """

    def __init__(self) -> None:
        self._lock = threading.RLock()
        self._bench: Workbench | None = None

    def __call__(self) -> Workbench:
        """Return the workbench."""
        with self._lock:
            if self._bench is None:
                self._bench = Workbench(_shell)
                # Not the hub: at a restart the front end has dropped its comms by then and reports each close as an
                # error.
                _at_exit(self._bench.session.close)
            return self._bench

    def forget(self) -> None:
        """Forget it, so that the next call makes another one."""
        with self._lock:
            self._bench = None


current = _Current()


def _at_exit(function: Callable[[], None]) -> None:
    """Have a function called while worker threads still take work, so that what is being sent can be finished.

    ``atexit`` itself comes after the threads of ``concurrent.futures`` have been ended. What is registered last is
    called first, so those threads have to be known before.
    """
    import concurrent.futures.thread  # noqa: F401, PLC0415 - registers its own end

    register = getattr(threading, "_register_atexit", atexit.register)
    register(function)


def _shell() -> Any:
    import sys  # noqa: PLC0415

    ipython = sys.modules.get("IPython")
    return ipython.get_ipython() if ipython is not None else None


def _result_html(result: Result) -> str:
    html = artifacts_html(result.artifacts, result.prompt or "") + text_html(result.text)
    return html or "<div>an empty result</div>"


def _save(job: Job, pattern: str) -> None:
    try:
        job.wait().result().save(pattern)
    except FalError as error:
        _log.warning("job #%s: its files were not saved: %s", job.record_id, error)
