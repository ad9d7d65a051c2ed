"""A notebook in the browser, with what a person does and sees, and what the kernel sends."""

import functools
import itertools
import json
import struct
import time
from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple

from .lab_server import PATIENCE_S, until

SHOTS = Path(__file__).parents[2] / "build" / "screenshots"
PANEL = ".jp-NotebookPanel:not(.lm-mod-hidden)"
OF_OTHERS = {("notebook", "Cannot read properties of undefined (reading 'schema')")}
"""Page errors by application that come without us: Notebook 7.6 while it loads its settings."""


class Message(NamedTuple):
    """One message from the kernel; `sent` is when the kernel made it, in seconds."""

    sent: float
    kind: str
    content: str


class Click(NamedTuple):
    """What a click brought about, and the seconds from the page's click event until then."""

    value: Any
    waited_s: float


class NotebookPage:
    """A notebook open in the browser; its methods are what a person does."""

    until = staticmethod(until)

    def __init__(self, page, server, name):
        self.page, self.server, self.name = page, server, name
        self.problems = []
        self._frames = []
        self._listeners = {"pageerror": self._page_error, "console": self._console, "websocket": self._websocket}
        for event, listener in self._listeners.items():
            page.on(event, listener)

    def open(self, *, kernel=True):
        """Load the front end with this notebook and nothing else."""
        where = "lab/tree" if self.server.application == "lab" else "notebooks"
        query = "?reset" if self.server.application == "lab" else ""
        self.page.goto(f"{self.server.url}/{where}/{self.name}{query}")
        self.page.wait_for_selector(".jp-Notebook .jp-Cell", timeout=60_000)
        if kernel:
            self.ready()

    def open_beside(self, name, *, kernel=True):
        """Open a notebook in the page as it is, in front of what is open."""
        self.name = name
        self.command("docmanager:open", {"path": name})
        self.page.wait_for_function("(name) => window.jupyterapp.shell.currentWidget?.context?.path === name", arg=name)
        self.page.wait_for_selector(f"{PANEL} .jp-Cell")
        if kernel:
            self.ready()

    def reopen(self):
        """Close the notebook, end its kernel and open it again with another."""
        self.close_all()
        self.server.end_kernels()
        self.open_beside(self.name)

    def ready(self):
        """Wait until the notebook has its kernel and nothing runs."""
        self.page.evaluate("() => window.jupyterapp.restored")
        self.page.wait_for_function(
            "() => window.jupyterapp.shell.currentWidget?.sessionContext?.session?.kernel", timeout=60_000
        )
        self.idle()

    def close_all(self):
        """Close every document of the page without saving."""
        self.page.evaluate(
            """() => { for (const each of [...window.jupyterapp.shell.widgets('main')]) {
                if (each.context) each.context.model.dirty = false;
                each.close() } }"""
        )
        self.page.locator(".jp-NotebookPanel").first.wait_for(state="detached")

    def leave(self):
        """Close every document and listen no more, so that another test may use the page."""
        for event, listener in self._listeners.items():
            self.page.remove_listener(event, listener)
        self.close_all()

    def reload(self):
        """Load the page anew, the kernel living on."""
        self.page.reload()
        self.page.wait_for_selector(".jp-Notebook .jp-Cell", timeout=60_000)
        self.ready()

    def command(self, name, arguments=None):
        """Start a command of the front end without waiting for its end."""
        self.page.evaluate(
            "([name, given]) => { window.jupyterapp.commands.execute(name, given) }", [name, arguments or {}]
        )

    def run_all(self):
        self.command("notebook:run-all-cells")

    def select(self, index):
        self.page.evaluate(
            """(i) => { const content = window.jupyterapp.shell.currentWidget.content;
                content.activeCellIndex = i; content.deselectAll() }""",
            index,
        )

    def start(self, index):
        """Run a cell, without waiting."""
        self.select(index)
        self.command("notebook:run-cell")

    def run(self, *indexes):
        """Run cells and wait until all have ended."""
        for index in indexes:
            self.start(index)
        self.idle()

    def stop(self, effect=None):
        """Click the notebook's Stop; see `click`."""
        button = self.page.locator(f'{PANEL} .jp-NotebookPanel-toolbar [data-command="notebook:interrupt-kernel"]')
        return self.click(button, effect)

    def click(self, button, effect=None):
        """Click a button; with `effect`, return its first truthy value and how long it took to come."""
        self.page.evaluate(
            "() => addEventListener('click', () => { window.clickedAt = Date.now() }, { capture: true, once: true })"
        )
        button.click()
        if effect is None:
            return None
        value = until(effect, interval_s=0.005, what="the effect of a click")
        seen = time.time()
        return Click(value, seen - self.page.evaluate("() => window.clickedAt") / 1000)

    def save(self):
        self.page.evaluate("() => window.jupyterapp.commands.execute('docmanager:save')")

    def restart_kernel(self):
        self.page.evaluate("() => window.jupyterapp.shell.currentWidget.sessionContext.session.kernel.restart()")
        self.idle()

    def is_idle(self):
        return self.page.evaluate(
            """() => window.jupyterapp.shell.currentWidget.sessionContext.session?.kernel?.status === 'idle'
                && ![...document.querySelectorAll('.jp-InputPrompt')].some(p => p.textContent.includes('*'))"""
        )

    def idle(self, timeout_s=90):
        def quiet():
            if not self.is_idle():
                return False
            self.page.wait_for_timeout(150)
            return self.is_idle()

        until(quiet, timeout_s, what=lambda: f"the kernel to be idle; the cells say {self._all_text()}")

    def is_running(self, index):
        return "*" in self.cell(index).locator(".jp-InputPrompt").inner_text()

    def ends(self, index, timeout_s=PATIENCE_S):
        """Wait until a cell has ended, and return the seconds it took from now."""
        began = time.monotonic()
        until(lambda: not self.is_running(index), timeout_s, what=f"cell {index} to end")
        return time.monotonic() - began

    def outputs(self, index):
        return self.page.evaluate(
            "(i) => window.jupyterapp.shell.currentWidget.content.widgets[i].model.outputs.toJSON()", index
        )

    def cell(self, index):
        return self.page.locator(f"{PANEL} .jp-CodeCell").nth(index)

    def text(self, index):
        return self.cell(index).locator(".jp-OutputArea").first.inner_text()

    def shows(self, index, *words, timeout_s=PATIENCE_S):
        """Wait until a cell's output shows all the words, and return its text."""

        def text():
            shown = self.text(index)
            return shown if all(word in shown for word in words) else None

        return until(text, timeout_s, what=lambda: f"{words} in cell {index}, which shows {self.text(index)!r}")

    def card(self, index=0, nth=0):
        """A live card in a cell's output."""
        return self.cell(index).locator(".fal-nb-card").nth(nth)

    def cards(self, index=0):
        return self.cell(index).locator(".fal-nb-card")

    def request_id(self, index=0, nth=0):
        """Return the request id that a card tells, once its request is accepted."""

        def read():
            title = self.card(index, nth).locator(".fal-nb-record").get_attribute("title", timeout=PATIENCE_S * 1000)
            return title.removeprefix("request ") if title and title.startswith("request ") else None

        return until(read, what="the card to tell its request id")

    def state(self, state, index=0, nth=0, timeout_s=PATIENCE_S):
        """Wait until a card is in a state."""
        self.card(index, nth).locator(f'.fal-nb-state[data-state="{state}"]').wait_for(timeout=timeout_s * 1000)

    def original(self, index=0, nth=0):
        """Wait until a card shows a picture in its own size, and return (width, height)."""
        image = self.card(index, nth).locator("img.fal-nb-original").first
        image.wait_for(timeout=PATIENCE_S * 1000)
        read = "(e) => e.complete && e.naturalWidth > 0 && [e.naturalWidth, e.naturalHeight]"
        return tuple(until(lambda: image.evaluate(read), what="the picture to be loaded"))

    def pictures(self, index):
        """Return (natural width, natural height) of each picture that is seen in a cell's output."""
        return (
            self.cell(index)
            .locator(".jp-OutputArea img")
            .evaluate_all(
                """(all) => all.filter(e => e.getClientRects().length && e.complete && e.naturalWidth)
                .map(e => [e.naturalWidth, e.naturalHeight])"""
            )
        )

    def messages(self):
        """Return every message from the kernel so far, oldest first."""
        self.page.wait_for_timeout(0)
        return [message for message in map(_read_frame, self._frames) if message]

    def theme(self, name):
        self.page.evaluate("(name) => window.jupyterapp.commands.execute('apputils:change-theme', {theme: name})", name)
        light = "true" if "Light" in name else "false"
        self.page.wait_for_selector(f'body[data-jp-theme-light="{light}"]', state="attached")

    def shot(self, name):
        """Keep a picture of the page in ``build/screenshots``."""
        SHOTS.mkdir(parents=True, exist_ok=True)
        path = SHOTS / f"{name}.png"
        self.page.screenshot(path=str(path))
        return path

    def _page_error(self, error):
        if (self.server.application, error.message) not in OF_OTHERS:
            self.problems.append(f"page error: {error.stack or error}")

    def _websocket(self, socket):
        socket.on("framereceived", self._frame)

    def _frame(self, frame):
        self._frames.append(frame)

    def _console(self, line):
        # JupyterLab's own, where a page is closed while it asks the debugger.
        if line.type == "error" and "restore the debugger state" not in line.text:
            self.problems.append(f"console: {line.text} ({line.location.get('url')})")

    def _all_text(self):
        return self.page.locator(f"{PANEL} .jp-Notebook").inner_text()[-2000:]


@functools.cache
def _read_frame(frame):
    """Return a frame of the kernel's websocket as a message, or None.

    Source: jupyter_server documentation, "WebSocket kernel wire protocols", v1.kernel.websocket.jupyter.org.
    """
    if isinstance(frame, str):
        message = json.loads(frame)
        parts = [json.dumps(message.get(name, {})) for name in ("header", "content")]
    else:
        (count,) = struct.unpack_from("<Q", frame)
        if count > 100:
            return None
        places = struct.unpack_from(f"<{count}Q", frame, 8)
        pieces = [frame[a:b] for a, b in itertools.pairwise(places)]
        parts = [pieces[1].decode(), pieces[4].decode()]
    header = json.loads(parts[0])
    if not header.get("msg_type"):
        return None
    sent = datetime.fromisoformat(header["date"]).timestamp()
    return Message(sent, header["msg_type"], parts[1])
