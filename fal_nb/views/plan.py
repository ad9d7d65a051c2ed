"""The plan of a sweep: what it would come to, and a button that runs it. Nothing is sent before a person says so."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from html import escape as escape_html
from typing import Any, ClassVar, Literal, Protocol

from fal_nb.plain import one_line, plain_text
from fal_nb.views.format import marked
from fal_nb.views.view import View

__all__ = ["PlanLook", "PlanView", "PlannedSweep"]

_LINES = 40
_LABEL_CHARS = 20
_TEXT_CHARS = 600
_NAME_CHARS = 200
_LINE = "rgba(128,128,128,.32)"
_FRAME = (
    f"border:1px solid {_LINE};border-radius:8px;padding:10px 14px;margin:2px 0;max-width:760px;"
    "box-sizing:border-box;font-size:13px;line-height:1.5"
)
_QUIET = "opacity:.68"
_TABLE = "border-collapse:collapse;border:none;margin:6px 0 0;table-layout:auto;font-size:13px;width:auto"
_ROW = "background:transparent"
_LABEL = (
    f"padding:1px 14px 1px 0;border:none;text-align:left;vertical-align:top;font-weight:normal;{_QUIET};"
    "white-space:nowrap"
)
_FIGURES = "margin-top:4px;font-size:16px;overflow-wrap:anywhere"
_WORDS = "padding:1px 0;border:none;text-align:left;vertical-align:top;white-space:normal;overflow-wrap:anywhere"


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanLook:
    """A plan as it is shown.

    Attributes
    ----------
    calls
        What would be sent.
    figures
        What matters most, each in a few words: calls, price, time.
    lines
        (Label, what there is to say), in order.
    step
        Whether it waits for a person, has been told to begin, or has begun.
    error
        Why it did not begin.
    """

    name: str
    endpoint_text: str
    backend: str
    calls: int
    figures: tuple[str, ...]
    lines: tuple[tuple[str, str], ...]
    step: Literal["planned", "starting", "started"] = "planned"
    error: str | None = None


class PlannedSweep(Protocol):
    """What the view needs of a plan."""

    @property
    def look(self) -> PlanLook:
        """The plan as it is now."""

    def observe(self, observer: Callable[[], None]) -> None:
        """Call the observer after every change, on the loop's thread."""

    def unobserve(self, observer: Callable[[], None]) -> None:
        """Stop calling the observer."""

    def start(self) -> None:
        """Run it, once; returns at once."""


class PlanView(View):
    """A plan as it is seen in a cell. Its button only starts the sweep, and starts it once."""

    name: ClassVar[str] = "plan"

    def __init__(self, plan: PlannedSweep) -> None:
        super().__init__()
        self._plan = plan
        plan.observe(self._observe)

    @property
    def is_settled(self) -> bool:
        """Whether the sweep has begun, so that there is nothing to decide any more."""
        return self._plan.look.step == "started"

    def close(self) -> None:
        """Stop following the plan."""
        super().close()
        self._plan.unobserve(self._observe)

    def state(self) -> dict[str, Any]:
        """Return what the page needs."""
        look = self._plan.look
        return {
            "view": self.id,
            "name": plain_text(look.name, _NAME_CHARS),
            "endpoint": plain_text(look.endpoint_text, _TEXT_CHARS),
            "backend": look.backend,
            "calls": look.calls,
            "figures": [plain_text(each, _TEXT_CHARS) for each in look.figures],
            "lines": [
                [plain_text(label, _LABEL_CHARS), plain_text(words, _TEXT_CHARS)] for label, words in _shown(look)
            ],
            "step": look.step,
            "error": None if look.error is None else plain_text(look.error, _TEXT_CHARS),
            "command": plain_text(_command(look), _NAME_CHARS),
        }

    def twin(self) -> str:
        """Return the plan as static HTML: without a button, it says how the sweep is run."""
        look = self._plan.look
        rows = "".join(
            f'<tr style="{_ROW}"><th style="{_LABEL}">{_escape(label)}</th>'
            f'<td style="{_WORDS}">{_escape(words)}</td></tr>'
            for label, words in _shown(look)
        )
        simulated = " · simulated, nothing is billed" if look.backend == "simulator" else ""
        error = ""
        if look.error is not None:
            style = f"margin-top:6px;{marked('FAILED')};overflow-wrap:anywhere"
            error = f'<div style="{style}">{_escape(look.error)}</div>'
        return (
            f'<div style="{_FRAME}"><div><b>{_escape(look.name, _NAME_CHARS)}</b>&ensp;'
            f'<span>{_escape(look.endpoint_text)}</span><span style="{_QUIET}">{simulated}</span></div>'
            f'<div style="{_FIGURES}">{_escape(" · ".join(look.figures))}</div>'
            f'<table style="{_TABLE}">{rows}</table>{error}'
            f'<div style="margin-top:6px;{_QUIET}">{_escape(_next(look))}</div></div>'
        )

    def text(self) -> str:
        """Return the plan as a few aligned lines."""
        look = self._plan.look
        head = f"{'sweep':<6} {one_line(look.name, _NAME_CHARS)}  {one_line(look.endpoint_text, _TEXT_CHARS)}"
        lines = [
            head,
            *(f"{one_line(label, _LABEL_CHARS):<6} {one_line(words, _TEXT_CHARS)}" for label, words in _shown(look)),
        ]
        lines += [f"error  {one_line(look.error, _TEXT_CHARS)}"] if look.error is not None else []
        return plain_text("\n".join([*lines, _next(look)]))

    def receive(self, content: Mapping[str, Any]) -> None:
        """Take in a click; one that comes late, or again, does nothing."""
        if content.get("kind") == "run" and self._plan.look.step == "planned":
            self._plan.start()

    def _observe(self) -> None:
        self._changed(settled=True)


def _shown(look: PlanLook) -> list[tuple[str, str]]:
    lines = [(one_line(label, _LABEL_CHARS), one_line(words, _TEXT_CHARS)) for label, words in look.lines[:_LINES]]
    left = len(look.lines) - _LINES
    return [*lines, *([("", f"and {left} more")] if left > 0 else [])]


def _command(look: PlanLook, action: str = "resume") -> str:
    return f"%fal sweep {action} {one_line(look.name, _NAME_CHARS)}"


def _next(look: PlanLook) -> str:
    """Return what has been sent, and how it is gone on with."""
    if look.step == "started":
        return f"It has begun: `{_command(look).replace(' resume ', ' show ', 1)}` shows its board."
    if look.step == "starting":
        return "It begins."
    return f"Nothing was sent yet: `{_command(look)}` runs it, or --yes at once."


def _escape(text: str, most: int = _TEXT_CHARS) -> str:
    return escape_html(one_line(text, most), quote=True)
