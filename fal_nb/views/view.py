"""``View``: owns state and messages, knows neither the hub nor a widget; both are handed to it as an outlet."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, ClassVar, Protocol

from fal_nb.plain import plain_text
from fal_nb.views.twin import frame_html

if TYPE_CHECKING:
    from anywidget import AnyWidget

__all__ = ["Outlet", "Post", "View", "bundle_text"]

Post = Callable[[Mapping[str, Any], bytes | None], None]
"""Queues one custom message (JSON content, one binary buffer or None) for the front end."""


class Outlet(Protocol):
    """Where a view says that it has changed; every call is on the loop's thread."""

    def changed(self, view: View, *, settled: bool) -> None:
        """Send the view's new state soon; `settled` asks for its twin to be brought up to date, too."""

    def post(self, view: View, content: Mapping[str, Any], buffer: bytes | None) -> None:
        """Send a custom message to the view in the page."""

    def frame(self, view: View, content: Mapping[str, Any], buffer: bytes) -> None:
        """Send a frame of a live picture to the view in the page, at once and beside the ticks."""

    def widget(self, view: View) -> AnyWidget:
        """Return the view as a widget of its own."""


class View:
    """What is seen of one thing, in three renderings: live, twin, plain text.

    Attributes
    ----------
    id
        Key into Python's table of views; it gives no authority and may occur many times in a page.
    """

    name: ClassVar[str]
    """Name of its bundle in ``fal_nb/static``."""
    sends_deltas: ClassVar[bool] = False
    """Whether also once it has settled only what has changed is sent: for long states that go on to change a little."""

    def __init__(self) -> None:
        self.id = f"v{secrets.token_hex(6)}"
        self.outlet: Outlet | None = None
        self.show_again: Callable[[View], None] | None = None
        """Shows it in the cell whose value it is, unless that cell has shown it already; set by whoever shows it."""

    @property
    def is_settled(self) -> bool:
        """Whether it will not change by itself any more."""
        raise NotImplementedError

    def state(self) -> dict[str, Any]:
        """Return everything the page needs to draw it, as JSON without image bytes."""
        raise NotImplementedError

    def twin(self) -> str:
        """Return its static HTML, without the frame that the hub looks for."""
        raise NotImplementedError

    def text(self) -> str:
        """Return it as plain text."""
        raise NotImplementedError

    def receive(self, content: Mapping[str, Any]) -> None:
        """Take in what the page sent, which is hostile until checked; on the loop's thread."""
        raise NotImplementedError

    def receive_bytes(self, content: Mapping[str, Any], data: bytes) -> None:
        """Take in what the page sent with bytes beside it; ignored, but by views that draw."""

    def left(self) -> None:
        """Take notice that a page shows it no more; another one may still, and it may come back."""

    @property
    def widget(self) -> AnyWidget:
        """The view as a widget: for ``VBox``, ``Tab``, ``observe``, ``link``, Voilà and marimo."""
        if self.outlet is None:
            raise RuntimeError("This view belongs to no session.")
        return self.outlet.widget(self)

    def close(self) -> None:
        """Stop following what it shows; its output has left the page."""
        self.outlet = None

    def __repr__(self) -> str:
        return f"<{self.name} {self.id}>"

    def _ipython_display_(self) -> None:
        if self.show_again is not None:
            self.show_again(self)
        else:
            print(plain_text(self.text()))  # noqa: T201 - it belongs to no front end

    def mimebundle(self, token: str | None) -> dict[str, str]:
        """Return what a cell's output holds: the twin and its text, nothing else.

        Parameters
        ----------
        token
            The hub's session token, or None where no hub will ever look for it.
        """
        element_id = None if token is None else f"{token}-{self.id}"
        return {"text/html": frame_html(self.twin(), element_id, self.name), "text/plain": plain_text(self.text())}

    def _changed(self, *, settled: bool = False) -> None:
        if self.outlet is not None:
            self.outlet.changed(self, settled=settled)

    def _post(self, content: Mapping[str, Any], buffer: bytes | None = None) -> None:
        if self.outlet is not None:
            self.outlet.post(self, content, buffer)


def bundle_text(name: str) -> str:
    """Return the JavaScript of a built bundle.

    Raises
    ------
    ConfigError
        Where the bundles were not built (a source checkout before ``make build``).
    """
    from importlib.resources import files  # noqa: PLC0415 - only where something is shown live

    from fal_nb.errors import ConfigError  # noqa: PLC0415

    try:
        return (files("fal_nb") / "static" / f"{name}.js").read_text("utf-8")
    except FileNotFoundError as error:
        raise ConfigError(f"The view bundle {name}.js is not built: run `make build` in the checkout.") from error
