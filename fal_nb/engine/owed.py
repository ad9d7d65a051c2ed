"""What the history could not take yet: a full disk costs no step of a call, only time.

Its invariant: a step is owed from before it is tried until it is written, whoever cancels or fails in between.
"""

from __future__ import annotations

import asyncio
import contextlib
import functools
import logging
from collections.abc import Awaitable, Callable, Mapping
from typing import TYPE_CHECKING, Any

from fal_nb.errors import FalError, LeaseLost

if TYPE_CHECKING:
    from fal_nb.artifacts import Artifact
    from fal_nb.ledger.store import HistoryStore

__all__ = ["Owed"]

_FIRST_WAIT_S = 1.0
_LONGEST_WAIT_S = 60.0
_LAST_FAILURES = 3
_log = logging.getLogger("fal_nb")


class _Debt:
    """What is owed to one record."""

    def __init__(self) -> None:
        self.fields: dict[str, Any] = {}
        self.artifacts: tuple[Artifact, ...] = ()
        self.when_paid: Callable[[], None] | None = None
        self.is_late = False
        self.is_held = True

    def pay(self, fields: Mapping[str, Any], artifacts: tuple[Artifact, ...]) -> bool:
        """Strike off what was written, unless something newer has come meanwhile; return whether nothing is left."""
        for name, value in fields.items():
            if self.fields.get(name) is value:
                del self.fields[name]
        if self.artifacts is artifacts:
            self.artifacts = ()
        return not self.fields and not self.artifacts


class Owed:
    """Writes the steps of calls, and again later what could not be written. Lives on the loop's thread.

    Parameters
    ----------
    owner
        The session that writes: what another one follows by now is owed no more.
    do
        Runs a function on the ledger's thread, in the order of the calls.
    """

    def __init__(self, store: HistoryStore, owner: str, do: Callable[[Callable[[], None]], Awaitable[None]]) -> None:
        self._store = store
        self._owner = owner
        self._do = do
        self._debts: dict[int, _Debt] = {}
        self._again: asyncio.Task[None] | None = None
        self._works_again = asyncio.Event()

    def __len__(self) -> int:
        """Return how many records have steps that are not written."""
        return len(self._debts)

    async def write(
        self,
        record_id: int,
        fields: Mapping[str, Any],
        artifacts: tuple[Artifact, ...] = (),
        when_paid: Callable[[], None] | None = None,
        *,
        is_held: bool = True,
    ) -> FalError | None:
        """Write a step together with what is owed to the record; return why it could not be written, or None.

        Parameters
        ----------
        artifacts
            Replace those of the record; none leave them.
        when_paid
            Called on the loop's thread when what could not be written at first has been.
        is_held
            Whether it may be written only as long as this session follows the job; what is added to one that has
            ended is anybody's.
        """
        debt = self._debts.setdefault(record_id, _Debt())
        debt.fields.update(fields)
        debt.artifacts = artifacts or debt.artifacts
        debt.when_paid = when_paid
        debt.is_held = is_held
        error = await self._pay(record_id)
        if error is None:
            self._works_again.set()
        elif self._again is None or self._again.done():
            self._again = asyncio.ensure_future(self._keep_trying())
        return error

    def pay_at_last(self) -> None:
        """Try once more, when loop and ledger's thread have ended, and log what stays unwritten. Blocks."""
        failures = 0
        debts, self._debts = self._debts, {}
        for record_id, debt in debts.items():
            try:
                if failures < _LAST_FAILURES:
                    self._write(record_id, debt.fields, debt.artifacts, self._owner if debt.is_held else None)
                    continue
            except FalError as error:
                failures += 1
                _log.warning("%s", error)
            _log.error(
                "The last steps of job #%s are not in the history%s.",
                record_id,
                f" (request {debt.fields['request_id']})" if debt.fields.get("request_id") else "",
            )

    async def _pay(self, record_id: int) -> FalError | None:
        debt = self._debts.get(record_id)
        if debt is None:
            return None
        fields, artifacts = dict(debt.fields), debt.artifacts
        try:
            holder = self._owner if debt.is_held else None
            await self._do(functools.partial(self._write, record_id, fields, artifacts, holder))
        except LeaseLost as error:
            self._debts.pop(record_id, None)
            return error
        except FalError as error:
            debt.is_late = True
            return error
        if debt.pay(fields, artifacts) and self._debts.get(record_id) is debt:
            del self._debts[record_id]
            if debt.is_late and debt.when_paid is not None:
                debt.when_paid()
        return None

    def _write(
        self, record_id: int, fields: Mapping[str, Any], artifacts: tuple[Artifact, ...], holder: str | None
    ) -> None:
        if artifacts:
            self._store.set_artifacts(record_id, artifacts, fields, held_by=holder)
        elif fields:
            self._store.update_many([(record_id, fields)], held_by=holder)

    async def _keep_trying(self) -> None:
        """Try until nothing is owed: slowly, and at once when any other step got through."""
        wait_s = _FIRST_WAIT_S
        while self._debts:
            self._works_again.clear()
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._works_again.wait(), wait_s)
            wait_s = min(wait_s * 2, _LONGEST_WAIT_S)
            for record_id in list(self._debts):
                if await self._pay(record_id) is not None:
                    # Most likely it is not this record's fault, so the rest would fail, too; if it is, it goes last.
                    self._debts[record_id] = self._debts.pop(record_id)
                    break
