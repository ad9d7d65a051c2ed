"""The module's functions about what was spent, by the history here and by the account's own numbers."""

from __future__ import annotations

import datetime as dt
import math
import time
from typing import TYPE_CHECKING

from fal_nb.errors import AuthenticationError, ConfigError, FalError, PermissionDeniedError
from fal_nb.workbench import current

if TYPE_CHECKING:
    from fal_nb.client.usage import Balance, UsageRow
    from fal_nb.usage_report import UsageReport

__all__ = ["balance", "usage"]

_MOST_DAYS = 366
_USUAL_DAYS = 30
_NEEDS_ADMIN = (
    "fal's own numbers and the balance are for keys of scope ADMIN (fal.ai/dashboard/keys), and this one was refused"
)


def usage(days: int | dt.timedelta = _USUAL_DAYS) -> UsageReport:
    """Return what was spent by day and endpoint; as the last line of a cell it shows itself, with a plot.

    What calls of this machine's history cost stands beside what the account came to at fal, with what the two differ
    by. The second needs a key of scope ADMIN; without one the first is shown alone, and says so. Blocks; sends no call.

    Parameters
    ----------
    days
        How many local days back, today among them; at most 366.

    Raises
    ------
    ConfigError
        Where that is no number of days.
    """
    from fal_nb.client.usage import AccountUsage  # noqa: PLC0415 - loaded when first asked for
    from fal_nb.usage_report import UsageReport, account_costs  # noqa: PLC0415

    count = _days(days)
    session = current().session
    settings = session.settings
    today = dt.datetime.now().astimezone().date()
    dates = tuple((today - dt.timedelta(days=back)).isoformat() for back in range(count - 1, -1, -1))
    start = dt.datetime.combine(today - dt.timedelta(days=count - 1), dt.time()).astimezone()
    ledger = _ledger(start.timestamp(), settings.backend, settings.hosts.base)

    async def asking(client: object) -> tuple[list[UsageRow], Balance]:
        account = AccountUsage(client.http)  # type: ignore[attr-defined]
        rows = await account.rows(start.timestamp(), time.time() + 1, timeframe="hour")
        return rows, await account.balance()

    try:
        rows, left = session.ask(asking)
    except (PermissionDeniedError, AuthenticationError) as error:
        return UsageReport(dates, ledger, trouble=f"{_NEEDS_ADMIN}: {error}", is_simulated=not settings.is_billed)
    except (FalError, TimeoutError) as error:
        trouble = f"The account's own numbers could not be had: {error}"
        return UsageReport(dates, ledger, trouble=trouble, is_simulated=not settings.is_billed)
    return UsageReport(dates, ledger, account_costs(rows), left, is_simulated=not settings.is_billed)


def balance() -> Balance:
    """Return what the account has left; needs a key of scope ADMIN. Blocks; sends no call.

    Raises
    ------
    PermissionDeniedError, AuthenticationError
        Where the key is not of that scope.
    FalError
        Where fal cannot be asked.
    """
    from fal_nb.client.usage import AccountUsage  # noqa: PLC0415 - loaded when first asked for

    return current().session.ask(lambda client: AccountUsage(client.http).balance())


def _days(days: int | dt.timedelta) -> int:
    count = math.ceil(days.total_seconds() / 86_400) if isinstance(days, dt.timedelta) else days
    if type(count) is not int or not 1 <= count <= _MOST_DAYS:
        raise ConfigError(f"Usage is of a number of days from 1 to {_MOST_DAYS}, not {str(days)[:40]!r}.")
    return count


def _ledger(start: float, backend: str, base: str | None) -> dict[tuple[str, str], float]:
    """Return (local date, endpoint) → what its calls cost, of those that went where calls go now."""
    from fal_nb.ledger.queries import Selection  # noqa: PLC0415 - with the history

    where = {"backend": backend} | ({"base_url": base} if base is not None and backend != "simulator" else {})
    selection = Selection(where=where, since=dt.datetime.fromtimestamp(start, tz=dt.UTC))
    found: dict[tuple[str, str], float] = {}
    for endpoint, created, cost, currency in current().session.history.select_rows(
        ("endpoint", "created", "cost", "currency"), selection
    ):
        if cost is not None and currency in {None, "USD"}:
            day = dt.datetime.fromtimestamp(created).astimezone().date().isoformat()
            found[day, endpoint] = found.get((day, endpoint), 0.0) + cost
    return found
