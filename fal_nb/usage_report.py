"""``UsageReport``: spending by day and endpoint, by the ledger here and by the account's own numbers at fal."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from fal_nb.plain import one_line, plain_text
from fal_nb.views.format import money
from fal_nb.views.twin import escape

if TYPE_CHECKING:
    import pandas as pd

    from fal_nb.client.usage import Balance, UsageRow

__all__ = ["UsageReport", "account_costs"]

_SMALLEST = 0.00005
_MOST_DAYS = 62
_MOST_ENDPOINTS = 30
_COLOURED = 7
_HEIGHT = 120
_COLOURS = ("#3b7de0", "#2f9e5b", "#c05621", "#8a5fc7", "#b7791f", "#c2477f", "#2b93a0", "#8a8f98")
"""Readable on white and on near-black; the last is for all that has none of its own."""
_LINE = "rgba(128,128,128,.32)"
_FRAME = (
    f"border:1px solid {_LINE};border-radius:8px;padding:10px 14px;margin:2px 0;max-width:860px;"
    "box-sizing:border-box;font-size:13px;line-height:1.5;overflow-x:auto"
)
_QUIET = "opacity:.75"
_HEADS = ("endpoint", "by this history", "by the account", "difference")
_CELL = f"padding:3px 14px 3px 0;border:none;border-top:1px solid {_LINE};text-align:left;white-space:nowrap"
_NAME = _CELL.replace("nowrap", "normal;overflow-wrap:anywhere;min-width:9em")
"""What gives way where there is little room, so that the amounts are seen."""


@dataclass(frozen=True)
class UsageReport:
    """What was spent in a stretch of days.

    Attributes
    ----------
    days
        Local dates, oldest first.
    ledger
        (date, endpoint) → what calls of this machine's history cost.
    account
        What the account came to at fal, the same way; None where it could not be asked.
    balance
        What the account has left; None where it could not be asked.
    trouble
        Why the account's own numbers are missing; or empty.
    is_simulated
        Whether all of it is the simulator's, which bills nothing.
    """

    days: tuple[str, ...]
    ledger: Mapping[tuple[str, str], float]
    account: Mapping[tuple[str, str], float] | None = None
    balance: Balance | None = None
    trouble: str = ""
    is_simulated: bool = False

    @property
    def frame(self) -> pd.DataFrame:
        """The same as a DataFrame: ``day endpoint ledger account``, in US dollars."""
        import pandas as pd  # noqa: PLC0415 - takes a while, and only who asks for it waits

        keys = sorted({*self.ledger, *(self.account or {})})
        account = self.account
        rows = [(*key, self.ledger.get(key, 0.0), None if account is None else account.get(key, 0.0)) for key in keys]
        return pd.DataFrame(rows, columns=["day", "endpoint", "ledger", "account"])

    @property
    def endpoints(self) -> list[tuple[str, float, float | None]]:
        """(endpoint, cost by the ledger, cost by the account), the dearest first."""
        here, there = _by_endpoint(self.ledger), None if self.account is None else _by_endpoint(self.account)
        names = {*here, *(there or {})}
        rows = [(name, here.get(name, 0.0), None if there is None else there.get(name, 0.0)) for name in names]
        return sorted(rows, key=lambda row: (-max(row[1], row[2] or 0.0), row[0]))

    def __repr__(self) -> str:
        rows = [_words(*row) for row in self.endpoints[:_MOST_ENDPOINTS]]
        widths = [max(map(len, column)) for column in zip(_HEADS, *rows, strict=True)]
        lines = [*self._head(), ""]
        table = (_HEADS, *rows) if rows else ()
        padded = ([cell.ljust(width) for cell, width in zip(row, widths, strict=True)] for row in table)
        lines += ["  ".join(row).rstrip() for row in padded]
        shown = self._shown
        days = [(day, sum(cost for (at, _), cost in shown.items() if at == day)) for day in self.days[-_MOST_DAYS:]]
        most = max((cost for _, cost in days), default=0.0)
        if most > 0:
            lines.append("")
            lines += [
                f"{day}  {money(cost, 'USD'):>12}  {'█' * round(30 * cost / most)}".rstrip()
                for day, cost in days
                if cost
            ]
        return plain_text("\n".join(lines))

    def _repr_html_(self) -> str:
        head, *notes = self._head()
        shown = [(row[0], *_words(*row)[1:]) for row in self.endpoints[:_MOST_ENDPOINTS]]
        wide = _HEADS if any(words[-1] for words in shown) else _HEADS[:-1]
        rows = "".join(
            f'<tr><td style="{_NAME}">{self._key(name)}{escape(name, 80)}</td>'
            + "".join(f'<td style="{_CELL}">{escape(word, 80)}</td>' for word in words[: len(wide) - 1])
            + "</tr>"
            for name, *words in shown
        )
        heads = "".join(f'<td style="{_CELL};border-top:none;{_QUIET}">{name}</td>' for name in wide)
        table = f'<table style="border-collapse:collapse;font-size:12px;margin-top:8px"><tr>{heads}</tr>{rows}</table>'
        said = "".join(f'<div style="{_QUIET};overflow-wrap:anywhere">{escape(note, 700)}</div>' for note in notes)
        return f'<div style="{_FRAME}"><b>{escape(head)}</b>{said}{self._plot()}{table if rows else ""}</div>'

    @property
    def _shown(self) -> Mapping[tuple[str, str], float]:
        """What is drawn: the account's numbers where there are any, they hold all its calls."""
        return self.ledger if self.account is None else self.account

    def _head(self) -> list[str]:
        total = money(sum(self.ledger.values()), "USD")
        billed = ", by the simulator, which bills nothing" if self.is_simulated else ""
        lines = [f"{total} in {len(self.days)} {'day' if len(self.days) == 1 else 'days'} by this history{billed}"]
        if self.account is not None:
            lines.append(f"{money(sum(self.account.values()), 'USD')} by the account. {self._why()}".strip())
        if self.balance is not None and self.balance.amount is not None:
            lines.append(f"left: {money(self.balance.amount, one_line(self.balance.currency, 8))}")
        if self.trouble:
            lines.append(self.trouble)
        return lines

    def _why(self) -> str:
        """Say where the two differ, and what that comes from."""
        elsewhere = sum(max(0.0, (there or 0.0) - here) for _, here, there in self.endpoints)
        not_there = sum(max(0.0, here - (there or 0.0)) for _, here, there in self.endpoints)
        parts = []
        if elsewhere > _SMALLEST:
            parts.append(
                f"{money(elsewhere, 'USD')} more there: calls made elsewhere, or whose cost this history does not know"
            )
        if not_there > _SMALLEST:
            parts.append(
                f"{money(not_there, 'USD')} more here: not billed yet, discounts, or calls with another account's key"
            )
        return "; ".join(parts) or "Both agree."

    def _colour(self, endpoint: str) -> str:
        names = [name for name, *_ in self.endpoints[:_COLOURED]]
        return _COLOURS[names.index(endpoint)] if endpoint in names else _COLOURS[-1]

    def _key(self, endpoint: str) -> str:
        return f'<span style="color:{self._colour(endpoint)}">■</span> '

    def _plot(self) -> str:
        """Return a bar a day, made of its endpoints; of elements that a stranger's notebook keeps."""
        shown, days = self._shown, self.days[-_MOST_DAYS:]
        sums = {day: sum(cost for (at, _), cost in shown.items() if at == day) for day in days}
        most = max(sums.values(), default=0.0)
        if most <= 0:
            return ""
        bars = "".join(self._bar(day, shown, most, sums[day]) for day in days)
        ends = f"display:flex;justify-content:space-between;font-size:11px;{_QUIET}"
        axis = f'<div style="{ends}"><span>{days[0]}</span><span>{days[-1]}</span></div>'
        top = f'<div style="font-size:11px;{_QUIET}">{escape(money(most, "USD"))}</div>'
        frame = f"display:flex;align-items:flex-end;gap:2px;height:{_HEIGHT}px;border-bottom:1px solid {_LINE}"
        return f'<div style="margin-top:8px">{top}<div style="{frame}">{bars}</div>{axis}</div>'

    def _bar(self, day: str, shown: Mapping[tuple[str, str], float], most: float, total: float) -> str:
        parts = sorted(((cost, name) for (at, name), cost in shown.items() if at == day and cost > 0), reverse=True)
        merged: dict[str, float] = {}
        for cost, name in parts:
            merged[self._colour(name)] = merged.get(self._colour(name), 0.0) + cost
        blocks = "".join(
            f'<div style="height:{max(1.0, _HEIGHT * cost / most):.1f}px;background:{colour}"></div>'
            for colour, cost in merged.items()
        )
        words = escape(f"{day}: {money(total, 'USD')}")
        return f'<div style="flex:1 1 0;min-width:3px;max-width:36px" title="{words}">{blocks}</div>'


def account_costs(rows: Iterable[UsageRow]) -> dict[tuple[str, str], float]:
    """Return (local date, endpoint) → cost; what is not in US dollars is left out."""
    found: dict[tuple[str, str], float] = {}
    for row in rows:
        try:
            day = datetime.fromisoformat(row.at).astimezone().date().isoformat()
        except (ValueError, OverflowError):
            continue
        if row.currency == "USD":
            found[day, row.endpoint] = found.get((day, row.endpoint), 0.0) + row.cost
    return found


def _by_endpoint(costs: Mapping[tuple[str, str], float]) -> dict[str, float]:
    sums: dict[str, float] = {}
    for (_, endpoint), cost in costs.items():
        sums[endpoint] = sums.get(endpoint, 0.0) + cost
    return sums


def _words(endpoint: str, here: float, there: float | None) -> Sequence[str]:
    if there is None:
        return (one_line(endpoint, 60), money(here, "USD"), "not known", "")
    difference = there - here
    words = "" if abs(difference) < _SMALLEST else f"{'+' if difference > 0 else '-'}{money(abs(difference), 'USD')}"
    return (one_line(endpoint, 60), money(here, "USD"), money(there, "USD"), words)
