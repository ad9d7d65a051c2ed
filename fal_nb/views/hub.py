"""The hub: one undisplayed widget a kernel that makes static twins live, and the one door to the front end.

Its invariant: only the loop's thread sends, one message a tick, at most ten a second for the whole kernel,
none over 512 kB. Frames of a live picture are the one exception to the tick: they are no state, and ten a second is
too few of them. They go out at once, are counted apart, and whoever sends them waits for the page to say that it has
shown them (`fal_nb.views.frame_window`), so that a slow page is sent few rather than late ones.
"""

from __future__ import annotations

import asyncio
import functools
import hashlib
import json
import secrets
import time
from collections import OrderedDict, deque
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from fal_nb.views.modules import send_module
from fal_nb.views.view import View, bundle_text

if TYPE_CHECKING:
    from anywidget import AnyWidget

    from fal_nb.runtime import Runtime

__all__ = ["MESSAGE_BYTES", "TICK_S", "Hub"]

TICK_S = 0.1
MESSAGE_BYTES = 480_000
"""Of content and buffers, so that with its envelope no message is over 512 kB."""

_BUNDLE_CHARS = 400_000
_PUSH_AGAIN_S = (0.4, 1.2, 3.0)
"""Until the page has said hello, what it needs is sent again: a blocking cell on ipykernel 6 never hears it ask,
and messages that arrive while the loader is being imported are lost."""


class Hub:
    """Feeds all views of a kernel. `open`, `add` and `widget` belong to the cell's thread, the rest to the loop's."""

    def __init__(self, runtime: Runtime) -> None:
        self.token = f"falnb-{secrets.token_hex(12)}"
        self.sent = 0
        self.frames_sent = 0
        self._runtime = runtime
        self._widget: AnyWidget | None = None
        self._views: dict[str, View] = {}
        self._known: dict[str, dict[str, Any]] = {}
        self._handles: dict[str, Any] = {}
        self._widgets: dict[str, AnyWidget] = {}
        self._dirty: OrderedDict[str, None] = OrderedDict()
        self._posts: deque[tuple[str, Mapping[str, Any], bytes | None]] = deque()
        self._parts: deque[dict[str, Any]] = deque()
        self._others: OrderedDict[tuple[str, str], None] = OrderedDict()
        self._leaving: set[str] = set()
        self._bundles: dict[str, str] = {}
        self._greeted = False
        self._turn = 0
        self._last_send = 0.0
        self._timer: asyncio.TimerHandle | None = None

    # -- from the cell's thread --------------------------------------------------------------------------

    @property
    def is_open(self) -> bool:
        """Whether a front end was offered the hub."""
        return self._widget is not None

    def open(self) -> None:
        """Offer the hub to the front end: one comm, no output. Call it only where a front end answers."""
        if self._widget is not None:
            return
        self._widget = _hub_widget(self.token)
        self._last_send = time.monotonic() + TICK_S  # a widget and its layout: two messages, so two ticks
        self._widget.on_msg(lambda _widget, content, data: self._runtime.post(self._receive, content, data))
        _unpin(self._widget)
        for delay in _PUSH_AGAIN_S:
            self._runtime.post(self._push_later, delay)

    def add(self, view: View, handle: Any = None) -> None:
        """Take a view into the table; `handle` is its display handle, by which the twin is kept true."""
        view.outlet = self
        self._views[view.id] = view
        if handle is not None:
            self._handles[view.id] = handle
            self._runtime.post(self._catch_up, view)
        self._runtime.post(self._introduce, view)

    def forget(self, view: View, *, is_shown: bool) -> None:
        """Let a view go once it has settled, because no page will ask for it any more.

        Parameters
        ----------
        is_shown
            Whether its output is still there, so that its twin is to say how it ended.
        """
        self._runtime.post(self._leave, view.id, is_shown)

    def replace(self, view: View, by: View) -> None:
        """Show another view in the output of one that has had its say; any thread."""
        self._runtime.post(self._replace, view, by)

    def widget(self, view: View) -> AnyWidget:
        """Return the view as a widget of its own, fed under the same budget."""
        if view.id not in self._widgets:
            widget = _view_widget(view)
            widget.on_msg(lambda _widget, content, data: self._runtime.post(self._event, view.id, content, data))
            _unpin(widget)
            self._views[view.id] = view
            view.outlet = self
            self._widgets[view.id] = widget
        return self._widgets[view.id]

    def close(self) -> None:
        """Close every comm; the twins stay what they are."""
        for widget in (*self._widgets.values(), self._widget):
            if widget is not None:
                widget.close()
        self._widget = None
        self._widgets.clear()

    # -- from the loop's thread --------------------------------------------------------------------------

    def changed(self, view: View, *, settled: bool) -> None:
        """Send the view's new state with the next tick; where `settled` its twin is brought up to date, too."""
        if view.id not in self._views:
            return
        if self._widget is not None:
            self._dirty[view.id] = None
        if view.id in self._widgets:
            self._others[("widget", view.id)] = None
        if view.id in self._handles and (settled or self._widget is None):
            self._others[("twin", view.id)] = None
        self._schedule()

    def post(self, view: View, content: Mapping[str, Any], buffer: bytes | None) -> None:
        """Send a custom message to the view with one of the next ticks."""
        self._posts.append((view.id, content, buffer))
        self._schedule()

    def frame(self, view: View, content: Mapping[str, Any], buffer: bytes) -> None:
        """Send one frame of a live picture at once, beside the ticks; the view sees to it that few are on the way."""
        widget = self._widgets.get(view.id)
        if widget is None and self._widget is not None:
            widget, content = self._widget, {"kind": "frame", "view": view.id, "content": content}
        if widget is not None:
            widget.send(content, [buffer])
            _unpin(widget)
            self.frames_sent += 1

    async def flush(self, view: View) -> None:
        """Bring the view's twin up to date at once, for cells whose output nobody collects afterwards."""
        self._others.pop(("twin", view.id), None)
        self._update_twin(view.id)
        self._sweep()  # what a later cell does to the same thing belongs to that cell's output

    # -- messages ----------------------------------------------------------------------------------------

    def _receive(self, content: Any, buffers: Sequence[Any] = ()) -> None:
        """Take in one message of a page; anything malformed is ignored."""
        if not isinstance(content, dict):
            return
        kind = content.get("kind")
        if kind == "hello":
            self._greeted = True
            self._known.clear()
        elif kind == "need" and isinstance(content.get("bundle"), str) and content["bundle"] in self._bundles:
            self._push_bundle(content["bundle"])
        elif kind == "mount" and isinstance(content.get("view"), str):
            self._mount(content["view"])
        elif kind == "event" and isinstance(content.get("view"), str):
            self._event(content["view"], content.get("content"), buffers)
        elif kind == "unmount" and isinstance(content.get("view"), str) and content["view"] in self._views:
            self._views[content["view"]].left()

    def _mount(self, view_id: str) -> None:
        view = self._views.get(view_id)
        if view is None:
            if view_id.startswith("v") and len(view_id) < 40:
                self._parts.append({"kind": "gone", "view": view_id})
        else:
            self._introduce(view)
        self._schedule()

    def _event(self, view_id: str, content: Any, buffers: Sequence[Any] = ()) -> None:
        view = self._views.get(view_id)
        if view is None or not isinstance(content, dict):
            return
        if content.get("kind") == "module":
            send_module(content, functools.partial(self.post, view))
        elif buffers:
            view.receive_bytes(content, bytes(buffers[0]))
        else:
            view.receive(content)

    def _introduce(self, view: View) -> None:
        """See that the page has the view's bundle and its whole state."""
        if self._widget is None:
            return
        if view.name not in self._bundles:
            self._bundles[view.name] = bundle_text(view.name)
            self._push_bundle(view.name)
        self._known.pop(view.id, None)
        self._dirty[view.id] = None
        self._schedule()

    def _catch_up(self, view: View) -> None:
        """Bring a twin up to date whose view has settled between being drawn and being known here."""
        if view.is_settled and view.id in self._handles:
            self._others[("twin", view.id)] = None
            self._schedule()

    def _push_later(self, delay: float) -> None:
        asyncio.get_running_loop().call_later(delay, self._push_again)

    def _push_again(self) -> None:
        if self._greeted or self._widget is None:
            return
        for name in self._bundles:
            self._push_bundle(name)
        for view in list(self._views.values())[-20:]:
            self._introduce(view)

    def _push_bundle(self, name: str) -> None:
        if any(part.get("name") == name for part in self._parts):
            return
        text = self._bundles[name]
        pieces = [text[at : at + _BUNDLE_CHARS] for at in range(0, len(text), _BUNDLE_CHARS)]
        digest = hashlib.sha256(text.encode()).hexdigest()[:16]
        for part, piece in enumerate(pieces):
            self._parts.append(
                {"kind": "bundle", "name": name, "digest": digest, "part": part, "parts": len(pieces), "text": piece}
            )
        self._schedule()

    def _replace(self, view: View, by: View) -> None:
        by.outlet = self
        self._views[by.id] = by
        handle = self._handles.get(view.id)
        if handle is not None:
            self._handles[by.id] = handle
            self._others[("twin", by.id)] = None
        self._introduce(by)
        self._leave(view.id, is_shown=False)
        self._schedule()

    def _leave(self, view_id: str, is_shown: bool) -> None:  # noqa: FBT001 - posted
        if not is_shown:
            self._handles.pop(view_id, None)
            self._others.pop(("twin", view_id), None)
        self._leaving.add(view_id)
        self._sweep()

    def _sweep(self) -> None:
        """Drop the views that are leaving and have nothing left to say."""
        for view_id in tuple(self._leaving):
            view = self._views.get(view_id)
            is_due = {("twin", view_id), ("widget", view_id)} & self._others.keys()
            if view is not None and (not view.is_settled or view_id in self._dirty or is_due):
                continue
            self._leaving.discard(view_id)
            self._views.pop(view_id, None)
            self._known.pop(view_id, None)
            self._handles.pop(view_id, None)
            if view is not None:
                view.close()
            if view_id in self._widgets:
                self._others[("close", view_id)] = None
                self._schedule()

    # -- the tick ----------------------------------------------------------------------------------------

    def _schedule(self) -> None:
        if self._timer is None:
            wait = max(0.0, self._last_send + TICK_S - time.monotonic())
            self._timer = asyncio.get_running_loop().call_later(wait, self._tick)

    def _tick(self) -> None:
        """Send exactly one message, then rest for a tick if there is more."""
        self._timer = None
        self._turn += 1
        can_tick = self._widget is not None and bool(self._dirty or self._posts)
        if self._widget is not None and self._parts:
            self._send(self._widget, self._parts.popleft(), [])
        elif can_tick and not (self._others and self._turn % 2):
            self._send_tick()
        elif self._others:
            (kind, view_id), _ = self._others.popitem(last=False)
            if kind == "twin":
                self._update_twin(view_id)
            elif kind == "widget":
                self._update_widget(view_id)
            else:
                self._widgets.pop(view_id).close()
                self._sent()
        elif self._posts:
            self._drop_stray_posts()
        self._sweep()
        if self._dirty or self._posts or self._parts or self._others:
            self._schedule()

    def _send_tick(self) -> None:
        views, room = self._take_patches(MESSAGE_BYTES)
        messages, buffers = self._take_posts(room)
        if views or messages:
            assert self._widget is not None  # noqa: S101 - the caller looked
            content = {"kind": "tick", "now": time.time(), "views": views, "messages": messages}
            self._send(self._widget, content, buffers)

    def _take_patches(self, room: int) -> tuple[dict[str, Any], int]:
        """Return the patches that fit into `room` bytes; a view's first one is its whole state."""
        views: dict[str, Any] = {}
        while self._dirty and room > 0:
            view_id, _ = self._dirty.popitem(last=False)
            view = self._views.get(view_id)
            if view is None:
                continue
            state = view.state()
            known = self._known.get(view_id, {})
            patch = {key: value for key, value in state.items() if key not in known or known[key] != value}
            weight = _weight(patch)
            if views and weight > room:
                self._put_back(view_id)
                break
            if weight > MESSAGE_BYTES:
                patch = _first_of(patch, room)
                self._known[view_id] = known | patch
                self._put_back(view_id)
                views[view_id] = patch
                break
            if patch:
                views[view_id] = patch
                room -= weight
            if view.is_settled and not view.sends_deltas:
                self._known.pop(view_id, None)  # it hardly changes any more, and its state can be long
            else:
                self._known[view_id] = state
        return views, room

    def _put_back(self, view_id: str) -> None:
        self._dirty[view_id] = None
        self._dirty.move_to_end(view_id, last=False)

    def _take_posts(self, room: int) -> tuple[list[dict[str, Any]], list[bytes]]:
        """Return the custom messages that fit, and their buffers; those of widgets go out as updates of theirs."""
        messages: list[dict[str, Any]] = []
        buffers: list[bytes] = []
        while self._posts:
            view_id, content, buffer = self._posts[0]
            weight = len(buffer or b"") + 300
            if weight > room and (messages or room < MESSAGE_BYTES):
                break
            self._posts.popleft()
            if view_id in self._widgets:
                self._send(self._widgets[view_id], content, [] if buffer is None else [buffer])
                break
            indexes = [] if buffer is None else [len(buffers)]
            if buffer is not None:
                buffers.append(buffer)
            messages.append({"view": view_id, "content": content, "buffers": indexes})
            room -= weight
        return messages, buffers

    def _drop_stray_posts(self) -> None:
        """Without a hub, only views that are widgets of their own can be reached."""
        view_id, content, buffer = self._posts.popleft()
        if view_id in self._widgets:
            self._send(self._widgets[view_id], content, [] if buffer is None else [buffer])

    def _update_twin(self, view_id: str) -> None:
        view, handle = self._views.get(view_id), self._handles.get(view_id)
        if view is None or handle is None:
            return
        token = self.token if self._widget is not None else None
        handle.update(view.mimebundle(token), raw=True)
        self._sent()

    def _update_widget(self, view_id: str) -> None:
        widget = self._widgets[view_id]
        widget.state = self._views[view_id].state()
        _unpin(widget)
        self._sent()

    def _send(self, widget: AnyWidget, content: Mapping[str, Any], buffers: list[bytes]) -> None:
        widget.send(content, buffers)
        _unpin(widget)
        self._sent()

    def _sent(self) -> None:
        self.sent += 1
        self._last_send = time.monotonic()


def _weight(patch: Mapping[str, Any]) -> int:
    return len(json.dumps(patch, ensure_ascii=True, default=str))


def _first_of(patch: Mapping[str, Any], room: int) -> dict[str, Any]:
    """Return the first keys of a patch that is too long for one message; the rest follows with the next ticks."""
    part: dict[str, Any] = {}
    for key, value in patch.items():
        room -= _weight({key: value})
        if part and room < 0:
            break
        part[key] = value
    return part


def _hub_widget(token: str) -> AnyWidget:
    import traitlets  # noqa: PLC0415
    from anywidget import AnyWidget  # noqa: PLC0415 - 43 ms, paid at the first live view

    members = {"_esm": bundle_text("hub"), "token": traitlets.Unicode(token).tag(sync=True)}
    widget: AnyWidget = type("HubWidget", (AnyWidget,), members)()
    return widget


def _view_widget(view: View) -> AnyWidget:
    import traitlets  # noqa: PLC0415
    from anywidget import AnyWidget  # noqa: PLC0415

    members = {"_esm": bundle_text(view.name), "state": traitlets.Dict(view.state()).tag(sync=True)}
    widget: AnyWidget = type(f"{view.name.capitalize()}Widget", (AnyWidget,), members)()
    return widget


def _unpin(widget: AnyWidget) -> None:
    """Let clicks in while a cell blocks.

    ipykernel 7.4.0 remembers the subshell of the request under which Python last published on a comm and sends
    every later front-end message of that comm there, whatever subshell the front end named.
    """
    comm: Any = getattr(widget, "comm", None)
    if getattr(comm, "_reply_subshell_for", None) is not None:
        comm._reply_subshell_for = None  # noqa: SLF001 - no public way; guarded, and tested in a real JupyterLab
