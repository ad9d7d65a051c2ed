"""``Form``: an endpoint's inputs as a form, and what is filled in as arguments, as a cell, as a call."""

from __future__ import annotations

import threading
import weakref
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fal_nb.errors import FalError, FileError
from fal_nb.forms.values import arguments_of, values_of
from fal_nb.magics.format import format_line
from fal_nb.protocol.status import JSON
from fal_nb.schemas.endpoint_schema import EndpointSchema
from fal_nb.schemas.scalars import Problem
from fal_nb.views.form import FormView
from fal_nb.views.form_look import FormLook
from fal_nb.views.form_state import VALUES_CHARS, exact

if TYPE_CHECKING:
    from anywidget import AnyWidget

    from fal_nb.engine.job import Job
    from fal_nb.schemas.check import Checked
    from fal_nb.views.card import CardView
    from fal_nb.workbench import Workbench

__all__ = ["Form", "filled_in"]


class Form:
    """A form of one endpoint; showing it shows the live one. May be used from any thread.

    Made by ``fal.form(endpoint)`` or ``%fal form ENDPOINT``.

    Attributes
    ----------
    endpoint
        Its id.
    schema
        What it takes.
    """

    def __init__(self, bench: Workbench, schema: EndpointSchema, arguments: Mapping[str, Any]) -> None:
        self.endpoint = schema.endpoint
        self.schema = schema
        self._bench = bench
        self._values = filled_in(schema, arguments)
        self._lock = threading.Lock()
        self._views: weakref.WeakSet[FormView] = weakref.WeakSet()
        self._view: FormView | None = None

    # -- for the person ----------------------------------------------------------------------------------

    @property
    def arguments(self) -> dict[str, Any]:
        """What is filled in, as the arguments of the call: only what differs from the defaults; files are paths."""
        return arguments_of(self.schema, self.values)

    @arguments.setter
    def arguments(self, arguments: Mapping[str, Any]) -> None:
        self.fill(filled_in(self.schema, arguments))

    @property
    def cell(self) -> str:
        """The source of the cell that makes the same call.

        Raises
        ------
        GrammarError
            Where a value cannot be written into one.
        """
        return format_line("run", self.endpoint, self.arguments, self.schema)

    def check(self) -> Checked:
        """Return what a check of what is filled in comes to; sends no call.

        Raises
        ------
        FileError
            Where a local file cannot be read.
        """
        return self._bench.session.check(self.endpoint, self.arguments)

    def submit(self) -> Job:
        """Start the call with what is filled in and return its job.

        Raises
        ------
        FalError
            Before anything is sent, as `fal_nb.submit` says.
        """
        return self._bench.session.submit(self.endpoint, self.arguments)

    @property
    def widget(self) -> AnyWidget:
        """The form as a widget: for ``VBox``, ``Tab``, ``observe``, ``link``, Voilà and marimo."""
        if self._view is None:
            self._view = self.new_view()
            self._view.prepare()
        return self._view.widget

    def _ipython_display_(self) -> None:
        self._bench.show_form(self)

    def __repr__(self) -> str:
        return f"<Form of {self.endpoint}, {len(self.arguments)} filled in>"

    # -- for its view ------------------------------------------------------------------------------------

    @property
    def backend(self) -> str:
        """Where its calls go."""
        return self._bench.session.settings.backend

    @property
    def values(self) -> dict[str, JSON]:
        """What the fields hold; a local file is ``@path``."""
        with self._lock:
            return self._values

    def new_view(self) -> FormView:
        """Return one more view of this form: each output has its own, and all show the same values."""
        view = FormView(self)
        view.outlet = self._bench.display.hub
        with self._lock:
            self._views.add(view)
        return view

    def fill(self, values: Mapping[str, JSON], by: FormView | None = None) -> None:
        """Fill in all fields anew; the views other than the one that did it are told."""
        with self._lock:
            self._values = dict(values)
            others = [view for view in self._views if view is not by]
        for view in others:
            self._bench.session.runtime.post(view.filled)

    def look(self) -> FormLook:
        """Return what is filled in comes to: problems, the cell, what it will cost; blocks, never raises."""
        session, arguments = self._bench.session, self.arguments
        problems: tuple[Problem, ...] = ()
        cell = price = error = ""
        try:
            problems = session.check(self.endpoint, arguments).problems
            cell = format_line("run", self.endpoint, arguments, self.schema)
        except FalError as found:
            error = str(found)
        try:
            price = "" if problems or error else str(session.price(self.endpoint, arguments))
        except (FalError, TimeoutError):
            price = ""
        return FormLook(cell, problems, price, error)

    def start(self) -> CardView:
        """Start the call and return its card; blocks."""
        return self._bench.card(self.submit())

    @property
    def input_folder(self) -> Path:
        """Where files that come from the page are kept."""
        return self._bench.session.home / "inputs"


def filled_in(schema: EndpointSchema, arguments: Mapping[str, Any]) -> dict[str, JSON]:
    """Return what fields hold for some arguments.

    Raises
    ------
    FileError
        Where one is neither JSON nor a path, or all are too long.
    """
    values, room = values_of(schema, arguments), VALUES_CHARS
    for name, value in values.items():
        try:
            room -= len(exact(value))
        except (TypeError, ValueError, RecursionError):
            raise FileError(
                f"A form takes JSON and the paths of files; {name} is neither ({type(arguments[name]).__name__})."
            ) from None
    if room < 0:
        raise FileError(
            f"The arguments are too long for a form ({VALUES_CHARS:,} characters): give the paths of files."
        )
    return values
