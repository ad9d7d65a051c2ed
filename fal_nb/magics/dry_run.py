"""``DryRun``: a call that was not sent, shown as it would be, with its price and to be copied in four forms."""

from __future__ import annotations

from dataclasses import dataclass
from html import escape

from fal_nb.engine.dry_run import PreparedCall
from fal_nb.errors import FalError
from fal_nb.magics.copy_forms import FORMS, Form, copy_form
from fal_nb.plain import one_line, plain_text
from fal_nb.schemas.endpoint_schema import EndpointSchema
from fal_nb.schemas.words import show_value

__all__ = ["DryRun"]

_MOST_CHARS = 4_000
_TITLES = {"magic": "Magic", "python": "Python", "javascript": "JavaScript", "curl": "curl"}
_SOURCE = (
    "margin:4px 0 0;padding:8px 10px;border:1px solid rgba(128,128,128,.32);border-radius:6px;overflow:auto;"
    "max-height:320px;font-family:ui-monospace,Menlo,Consolas,monospace;font-size:12px;line-height:1.45;"
    "white-space:pre-wrap;overflow-wrap:anywhere;background:transparent;color:inherit"
)
_CELL = "padding:2px 14px 2px 0;text-align:left;vertical-align:top;border:0;overflow-wrap:anywhere"
_BOX = "font-size:13px;line-height:1.5;max-width:760px"


@dataclass(frozen=True)
class DryRun:
    """A call that was prepared, checked and priced, and not sent.

    Attributes
    ----------
    call
        The request: ``call.url``, ``call.headers``, ``call.body``, ``call.files``, ``call.price``.
    """

    call: PreparedCall
    schema: EndpointSchema | None = None

    def copy_as(self, form: Form) -> str:
        """Return the call as ``magic``, ``python``, ``javascript`` or ``curl``; raises as ``fal.copy_as``."""
        return copy_form(self.call, form, self.schema)

    def __repr__(self) -> str:
        rows = [*self._rows(), ("body", plain_text(self._body(), _MOST_CHARS))]
        told = "\n".join(f"{name:<10} {value}" for name, value in rows)
        forms = "\n\n".join(
            f"as {_TITLES[form]}\n{plain_text(self._form(form), _MOST_CHARS).rstrip()}" for form in FORMS
        )
        return f"Nothing was sent.\n{told}\n\n{forms}"

    def _repr_html_(self) -> str:
        rows = "".join(
            f'<tr style="background:transparent"><th style="{_CELL};font-weight:600">{escape(name)}</th>'
            f'<td style="{_CELL}">{escape(value)}</td></tr>'
            for name, value in self._rows()
        )
        body = plain_text(self._body(), _MOST_CHARS)
        parts = [("Body", body), *((f"Copy as {_TITLES[form]}", self._form(form)) for form in FORMS)]
        folded = "".join(
            f'<details style="margin:4px 0"><summary style="cursor:pointer">{escape(title)}</summary>'
            f'<div style="{_SOURCE}">{escape(plain_text(text, _MOST_CHARS))}</div></details>'
            for title, text in parts
        )
        head = '<div style="font-weight:600;margin-bottom:4px">Nothing was sent</div>'
        table = f'<table style="border-collapse:collapse;margin:0 0 6px;font-size:13px"><tbody>{rows}</tbody></table>'
        return f'<div style="{_BOX}">{head}{table}{folded}</div>'

    def _rows(self) -> list[tuple[str, str]]:
        call = self.call
        price = str(call.price) if call.price is not None else f"not known: {call.price_problem}"
        headers = ", ".join(f"{name}: {value}" for name, value in call.headers.items())
        rows = [("request", f"{call.method} {call.url}"), ("headers", headers), ("price", price)]
        if call.files:
            rows.insert(2, ("uploads", ", ".join(f"{file.name} ({_size(file.size_bytes())})" for file in call.files)))
        return [(name, one_line(value, 600)) for name, value in rows]

    def _body(self) -> str:
        return show_value(self.call.body, _MOST_CHARS)

    def _form(self, form: Form) -> str:
        try:
            return self.copy_as(form)
        except FalError as error:
            return str(error)


def _size(count: int) -> str:
    return (
        f"{count} bytes" if count < 1_000 else f"{count / 1_000:.0f} kB" if count < 10**6 else f"{count / 10**6:.1f} MB"
    )
