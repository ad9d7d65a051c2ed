"""The jobs monitor as static HTML and as plain text: one moment of it, which says of when it is."""

from __future__ import annotations

import time

from fal_nb.engine.open_work import OpenRow, WorkMoment
from fal_nb.ledger.budgets import Spending
from fal_nb.plain import one_line, plain_text
from fal_nb.states import FINAL_STATES
from fal_nb.views.format import STATE_COLOURS, STATE_WORDS, cancel_words, marked, money, seconds, stalled_words
from fal_nb.views.twin import escape

__all__ = ["monitor_html", "monitor_text"]

_LINE = "rgba(128,128,128,.32)"
_FRAME = (
    f"border:1px solid {_LINE};border-radius:8px;padding:10px 14px;margin:2px 0;max-width:980px;"
    "box-sizing:border-box;font-size:13px;line-height:1.5;overflow-x:auto"
)
_QUIET = "opacity:.68"
_TABLE = "border-collapse:collapse;border:none;margin:6px 0 0;font-size:12px;width:100%"
_CELL = f"padding:3px 14px 3px 0;border:none;border-top:1px solid {_LINE};text-align:left;white-space:nowrap"
_SCOPES = {"session": "this kernel", "daily": "today, all kernels"}
_WHOSE = {"here": "", "elsewhere": "another kernel", "nobody": "nobody follows it"}


def monitor_html(moment: WorkMoment, limit: int) -> str:
    """Return the table as static HTML."""
    rows = moment.rows[:limit]
    head = (
        f'<div style="display:flex;justify-content:space-between;gap:4px 24px;flex-wrap:wrap"><b>{_count(moment)}</b>'
        f'<span style="{_QUIET}">as of {time.strftime("%H:%M:%S", time.localtime(moment.at))}</span></div>'
    )
    money_line = "".join(f"<div>{escape(line)}</div>" for line in _totals(moment))
    table = f'<table style="{_TABLE}">{"".join(_html_row(row, moment.at) for row in rows)}</table>' if rows else ""
    notes = "".join(f'<div style="margin-top:6px;{_QUIET}">{escape(note)}</div>' for note in _notes(moment, limit))
    return f'<div style="{_FRAME}">{head}<div style="{_QUIET}">{money_line}</div>{table}{notes}</div>'


def monitor_text(moment: WorkMoment, limit: int) -> str:
    """Return the table as aligned plain text; one sentence where nothing is open."""
    rows = [_text_row(row, moment.at) for row in moment.rows[:limit]]
    if not moment.open_count and not rows:
        return plain_text(moment.trouble or "No job is open.")
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = [f"{_count(moment)}", *_totals(moment)]
    lines += ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]
    return plain_text("\n".join([*lines, *_notes(moment, limit)]))


def _count(moment: WorkMoment) -> str:
    if not moment.open_count:
        return "No job is open."
    states = [f"{count} {STATE_WORDS[state]}" for state, count in moment.counts.items() if count]
    return f"{moment.open_count} open: {', '.join(states)}"


def _totals(moment: WorkMoment) -> list[str]:
    lines = [_spent(spending) for spending in moment.spending.values()]
    if moment.paused_until is not None and moment.paused_until > moment.at:
        lines.append(
            f"fal's limit holds calls back for {seconds(moment.paused_until - moment.at)}; {moment.held_back} wait here"
        )
    return lines


def _spent(spending: Spending) -> str:
    words = f"{_SCOPES.get(spending.scope, spending.scope)}: spent {money(spending.spent, 'USD')}"
    words += f", reserved {money(spending.reserved, 'USD')}"
    if spending.budget is not None and spending.left is not None:
        words += f", {money(max(spending.left, 0.0), 'USD')} left of {money(spending.budget, 'USD')}"
    return words if spending.stopped_by is None else f"{words}; stopped by #{spending.stopped_by}"


def _notes(moment: WorkMoment, limit: int) -> list[str]:
    rows = moment.rows[:limit]
    more = moment.open_count - sum(row.state not in FINAL_STATES for row in rows)
    notes = [moment.trouble] if moment.trouble else []
    if more:
        notes.append(f"{more} more: `%fal history --state QUEUED` and the like list them.")
    alone = sum(row.whose == "nobody" for row in rows)
    if alone:
        notes.append(f"{alone} open, which nobody follows since their kernel ended: `%fal resume` carries them on.")
    return notes


def _html_row(row: OpenRow, now: float) -> str:
    colour = STATE_COLOURS[row.state]
    doing = escape(_doing(row, now))
    if row.stalled is not None:
        doing = f'<span style="{marked("UNKNOWN")}">{doing}</span>'
    cells = (
        f'<span style="{_QUIET}">#{row.record_id}</span>',
        f"{escape(row.endpoint, 120)}{_mark(row)}",
        f'<span style="color:{colour}">●</span> {STATE_WORDS[row.state]}',
        doing,
        escape(_age(row, now)),
        escape(_amount(row)),
    )
    columns = "".join(f'<td style="{_CELL}">{cell}</td>' for cell in cells)
    return f'<tr style="background:transparent">{columns}</tr>'


def _mark(row: OpenRow) -> str:
    return f' <span style="{_QUIET}">simulated</span>' if row.backend == "simulator" else ""


def _text_row(row: OpenRow, now: float) -> tuple[str, ...]:
    endpoint = one_line(row.endpoint, 60) + (" (simulated)" if row.backend == "simulator" else "")
    return (
        f"#{row.record_id}", endpoint, STATE_WORDS[row.state], _doing(row, now), _age(row, now), _amount(row),
    )  # fmt: skip


def _doing(row: OpenRow, now: float) -> str:
    """Return how far a call is, who follows it, and what is wrong with it."""
    parts = []
    if row.state == "QUEUED" and row.queue_position is not None:
        parts.append(f"position {row.queue_position + 1}")
    if row.state == "RUNNING" and row.steps:
        parts.append(f"step {row.steps[0]} of {row.steps[1]}")
    elif row.state == "RUNNING" and row.progress is not None:
        parts.append(f"{min(max(row.progress, 0.0), 1.0):.0%}")
    parts += [_WHOSE[row.whose], cancel_words(row.cancel), stalled_words(row.stalled, now)]
    return one_line(" · ".join(filter(None, parts)), 200)


def _age(row: OpenRow, now: float) -> str:
    since = row.submitted or row.created
    return seconds(max(0.0, (row.ended or now) - since))


def _amount(row: OpenRow) -> str:
    currency = one_line(row.currency or "USD", 10)
    if row.cost is None and row.estimate is not None:
        return f"est. ≤ {money(row.estimate, currency)}"
    return money(row.cost, currency)
