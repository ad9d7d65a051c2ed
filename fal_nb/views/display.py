"""Shows views where they belong: one front end, one hub, one rendering a cell."""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TextIO
from weakref import WeakKeyDictionary

from fal_nb.plain import plain_text
from fal_nb.views.front_end import Rendering, choose_rendering
from fal_nb.views.hub import Hub
from fal_nb.views.outputs import Outputs

if TYPE_CHECKING:
    from fal_nb.runtime import Runtime
    from fal_nb.views.view import View

__all__ = ["Display"]


class Display:
    """The front end as the session sees it. Its methods belong to the cell's thread.

    Parameters
    ----------
    get_shell
        Returns IPython's shell, or None outside IPython.
    """

    def __init__(self, runtime: Runtime, get_shell: Callable[[], Any]) -> None:
        self.hub = Hub(runtime)
        self._runtime = runtime
        self._get_shell = get_shell
        self._printed: tuple[str, str] | None = None
        self._shown_in: tuple[int, str] = (0, "")
        self._outputs = Outputs(lambda view: self.hub.forget(view, is_shown=False))
        self._widget_handles: WeakKeyDictionary[View, Any] = WeakKeyDictionary()

    @property
    def rendering(self) -> Rendering:
        """How things are shown in the cell that runs now."""
        return choose_rendering(self._get_shell())[0]

    @property
    def reason(self) -> str:
        """Why they are shown so, in words."""
        return choose_rendering(self._get_shell())[1]

    def show(self, view: View, *, is_watched: bool = False) -> None:
        """Show a view as the output of the cell that runs now.

        Parameters
        ----------
        is_watched
            Whether `watch` follows at once, so that a terminal need not print how it begins.
        """
        self._shown_in = self._cell(), view.id
        view.show_again = self._show_again
        match self.rendering:
            case "terminal" | "script" if is_watched:
                pass
            case "live":
                self.hub.open()
                self._show_html(view, self.hub.token)
            case "static":
                self._show_html(view, None)
            case "widget":
                self._show_widget(view)
            case _:
                self._print(view)

    def _show_again(self, view: View) -> None:
        if self._shown_in != (self._cell(), view.id):
            self.show(view)
        elif self.rendering == "terminal":  # which has written "Out[3]: " already
            self.line(repr(view))

    def _cell(self) -> int:
        return int(getattr(self._get_shell(), "execution_count", 0) or 0)

    def replace(self, view: View, by: View) -> None:
        """Show another view in the output of one that has had its say; any thread, returns at once."""
        self._outputs.replace(view, by)
        self.hub.replace(view, by)
        handle = self._widget_handles.pop(view, None)
        if handle is not None:
            self._widget_handles[by] = handle
            self._runtime.post(lambda: handle.update(self.hub.widget(by)))

    def settle(self, view: View) -> None:
        """Bring the view's output up to date before the cell returns, where nobody collects output later."""
        match self.rendering:
            case "static":
                self._runtime.call(self.hub.flush(view))
            case "terminal" | "script":
                self._print(view)
            case _:
                pass

    @property
    def progress_output(self) -> TextIO | None:
        """Where a line of progress goes in the thread that asks; None where there is none.

        A terminal's cell has it in its output, a script beside it, so that ``python script.py > file`` writes what the
        script itself prints. Threads have none: they would write over each other.
        """
        if threading.current_thread() is not threading.main_thread():
            return None
        match self.rendering:
            case "terminal":
                return sys.stdout
            case "script" if os.environ.get("FAL_NB_PROGRESS", "").lower() not in {"off", "0", "no"}:
                return sys.stderr
            case _:
                return None

    def _print(self, view: View) -> None:
        """Print a view as text, unless that is what was printed of it last."""
        shown = (view.id, view.text())
        if shown != self._printed:
            self._printed = shown
            self.line(shown[1])

    def line(self, text: str) -> None:
        """Show one plain line (or block) of text; what is no plain text in it is left out."""
        print(plain_text(text))  # noqa: T201 - this is the one place that prints

    def place(self) -> tuple[str | None, str | None]:
        """Return (notebook, cell) of the cell that runs now, as far as the front end says."""
        shell = self._get_shell()
        if shell is None:
            return None, None
        parent = getattr(shell, "parent_header", None) or {}
        metadata = parent.get("metadata") or {} if isinstance(parent, dict) else {}
        cell = metadata.get("cellId") or str(getattr(shell, "execution_count", "") or "") or None
        return os.environ.get("JPY_SESSION_NAME"), cell

    def _show_html(self, view: View, token: str | None) -> None:
        from IPython.display import display  # noqa: PLC0415 - only inside IPython

        handle = display(view.mimebundle(token), raw=True, display_id=True)
        self.hub.add(view, handle)
        if token is None:
            self.hub.forget(view, is_shown=True)  # nothing will ever look for it in a page
        else:
            self._outputs.add(view, self._get_shell())

    def _show_widget(self, view: View) -> None:
        from IPython.display import display  # noqa: PLC0415

        self.hub.add(view)
        self._widget_handles[view] = display(self.hub.widget(view), display_id=True)
        self._outputs.add(view, self._get_shell())
