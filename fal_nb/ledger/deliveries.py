"""Webhook deliveries in the ledger: each request's is one row, however often it comes and whoever takes it.

Its invariants: what was delivered is on disk before anybody is told so; of any number of receivers and kernels one
gives it to a record; a job that a living kernel follows is left to it, with the delivery beside it should it need one.
"""

from __future__ import annotations

import time
from collections.abc import Container, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

from fal_nb.ledger.leases import Holder
from fal_nb.ledger.rows import change_record, from_json, seed_in, to_sql
from fal_nb.protocol.status import JSON
from fal_nb.states import OPEN_STATES

if TYPE_CHECKING:
    import sqlite3

    from fal_nb.ledger.database import Database
    from fal_nb.protocol.webhooks import Delivery

__all__ = ["Deliveries", "Fate", "KeptDelivery", "Taken"]

Fate: TypeAlias = Literal["taken", "held", "known", "foreign"]
"""What became of a delivery: a record has it now and this session goes on with it; a living kernel follows its job;
its record had ended already, or goes on without it; no record has its request."""

_MOST_FOREIGN = 1_000
_MOST_FOREIGN_BYTES = 64 * 1024 * 1024
_AT_ONCE = 400
_COLUMNS = (
    "request_id", "gateway_request_id", "base_url", "user_id", "sent", "received", "last_received", "count", "is_ok",
    "error", "payload_error", "payload", "billable_units", "record_id",
)  # fmt: skip
_SELECT = f"SELECT {', '.join(f'd.{name}' for name in _COLUMNS)} FROM deliveries d"  # noqa: S608 - our names
_NOTE = (
    f"INSERT INTO deliveries ({', '.join(_COLUMNS)}) VALUES ({', '.join('?' * len(_COLUMNS))}) "  # noqa: S608 - ours
    "ON CONFLICT (request_id) DO UPDATE SET count = count + 1, last_received = excluded.last_received"
)
_RECORD = (
    "SELECT r.id, r.state, r.ended, r.submitted, r.created, r.owner, s.machine, s.pid, s.lease_until FROM records r "
    "LEFT JOIN sessions s ON s.owner = r.owner WHERE r.request_id IN (?, ?) AND r.base_url IS ? AND r.kind = 'queue' "
    "ORDER BY r.request_id = ? DESC, r.id DESC LIMIT 1"
)
_OWN = "FROM records r WHERE r.request_id IN (d.request_id, d.gateway_request_id) AND r.base_url IS d.base_url"
_JOINED = "JOIN records r ON r.request_id IN (d.request_id, d.gateway_request_id) AND r.base_url IS d.base_url"
_TELL = "INSERT INTO steps (record_id, at, state, note) SELECT id, ?, state, ? FROM records WHERE id = ?"
_SETTLED = (
    "UPDATE deliveries SET payload = NULL WHERE payload IS NOT NULL AND EXISTS (SELECT 1 FROM records r WHERE "
    "r.request_id IN (deliveries.request_id, deliveries.gateway_request_id) AND r.base_url IS deliveries.base_url "
    "AND r.ended IS NOT NULL AND r.state != 'UNKNOWN')"
)
# Of accounts that have made none of this ledger's requests first, then the oldest.
_SURPLUS = (
    "DELETE FROM deliveries WHERE request_id IN (SELECT request_id FROM (SELECT request_id, "
    "row_number() OVER newest AS place, sum(COALESCE(length(payload), 0)) OVER newest AS size FROM deliveries "
    "WHERE record_id IS NULL WINDOW newest AS (ORDER BY user_id IN "
    "(SELECT user_id FROM deliveries WHERE record_id IS NOT NULL) DESC, received DESC, request_id)) "
    "WHERE place > ? OR size > ?)"
)


@dataclass(frozen=True, slots=True)
class KeptDelivery:
    """A delivery as the ledger has it; times are Unix seconds.

    Attributes
    ----------
    base_url
        The server it is from, None for fal.ai.
    user_id
        The account that made the request.
    sent
        As the first delivery said.
    count
        How often it came.
    payload
        None also where a record has it by now.
    record_id
        The record of its request, None where no record has that.
    """

    request_id: str
    gateway_request_id: str | None
    base_url: str | None
    user_id: str
    sent: float
    received: float
    last_received: float
    count: int
    is_ok: bool
    error: str | None
    payload_error: str | None
    payload: JSON
    billable_units: float | None
    record_id: int | None = None

    @classmethod
    def of(cls, delivery: Delivery, base_url: str | None, now: float, units: float | None = None) -> KeptDelivery:
        """Return a delivery that has just come, at a Unix time, from a server."""
        return cls(
            delivery.request_id,
            delivery.gateway_request_id,
            base_url,
            delivery.user_id,
            float(delivery.timestamp),
            now,
            now,
            1,
            delivery.is_ok,
            delivery.error,
            delivery.payload_error,
            delivery.payload,
            units,
        )

    @property
    def tells_the_end(self) -> bool:
        """Whether a record can end by it: fal could put the output into it, or there is none."""
        return not (self.is_ok and self.payload is None and self.payload_error is not None)


@dataclass(frozen=True, slots=True)
class Taken:
    """What became of a delivery.

    Attributes
    ----------
    record_id
        Its record, None of a foreign one.
    owner
        The session that follows the job now.
    """

    fate: Fate
    record_id: int | None = None
    owner: str | None = None


class Deliveries:
    """The deliveries in one history file; every method blocks, as those of ``HistoryStore``."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def take(
        self, delivery: KeptDelivery, changes: Mapping[str, Any], owner: str, followed: Container[int] = ()
    ) -> Taken:
        """Write down a delivery that came, and give it to its record where nobody living follows that; one commit.

        Parameters
        ----------
        changes
            What the record has to say then.
        owner
            The session that goes on with it: files are still to be fetched. Its lease must hold.
        followed
            Records whose jobs it follows just now.
        """
        with self._database.writing() as connection:
            connection.execute(_NOTE, _row(delivery))
            taken = _give(connection, delivery, changes, owner, followed)
            if taken.fate == "foreign":
                connection.execute(_SURPLUS, (_MOST_FOREIGN, _MOST_FOREIGN_BYTES))
        return taken

    def give(
        self, delivery: KeptDelivery, changes: Mapping[str, Any], owner: str, followed: Container[int] = ()
    ) -> Taken:
        """Give a delivery that is there already to its record, where nobody living follows that any more."""
        with self._database.writing() as connection:
            return _give(connection, delivery, changes, owner, followed)

    def give_to(self, request_id: str, record_id: int) -> None:
        """Say which record a delivery belonged to, which has all of it by now."""
        with self._database.writing() as connection:
            connection.execute(
                "UPDATE deliveries SET record_id = ?, payload = NULL WHERE request_id = ?", (record_id, request_id)
            )

    def waiting(self, limit: int = 100) -> list[KeptDelivery]:
        """Return deliveries that no record has taken in yet and whose request some record has, the oldest first.

        What became of their jobs without them is tidied up on the way.
        """
        with self._database.writing() as connection:
            connection.execute(_SETTLED)
            rows = connection.execute(
                f"{_SELECT} {_JOINED} WHERE d.payload IS NOT NULL ORDER BY d.received LIMIT ?", (limit,)
            ).fetchall()
        return [_read(row) for row in rows]

    def unfinished(self, now: float) -> list[int]:
        """Return records that a delivery told the end of, whose files nobody fetches any more."""
        marks = ", ".join("?" * len(OPEN_STATES))
        with self._database.reading() as connection:
            rows = connection.execute(
                "SELECT r.id, r.owner, s.machine, s.pid, s.lease_until FROM deliveries d "  # noqa: S608 - marks only
                "JOIN records r ON r.id = d.record_id LEFT JOIN sessions s ON s.owner = r.owner "
                f"WHERE r.state IN ({marks}) AND r.ended IS NOT NULL",
                OPEN_STATES,
            ).fetchall()
        return [int(record_id) for record_id, *holder in rows if Holder(*holder).is_gone(now)]

    def of_records(self, record_ids: Iterable[int]) -> dict[int, KeptDelivery]:
        """Return record → the delivery of its request, for those open records that wait and have one."""
        wanted = list(record_ids)
        found: dict[int, KeptDelivery] = {}
        with self._database.reading() as connection:
            # The usual case, at the price of one look into an index that is empty.
            if connection.execute("SELECT 1 FROM deliveries WHERE payload IS NOT NULL LIMIT 1").fetchone() is None:
                return {}
            for first in range(0, len(wanted), _AT_ONCE):
                some = wanted[first : first + _AT_ONCE]
                rows = connection.execute(
                    f"{_SELECT.replace('SELECT ', 'SELECT r.id, ', 1)} {_JOINED} WHERE d.payload IS NOT NULL "
                    f"AND r.id IN ({', '.join('?' * len(some))})",
                    some,
                )
                found |= {int(record_id): _read(row) for record_id, *row in rows}
        return found

    def get(self, request_id: str) -> KeptDelivery | None:
        """Return a request's delivery, None where none came."""
        with self._database.reading() as connection:
            row = connection.execute(f"{_SELECT} WHERE d.request_id = ?", (request_id,)).fetchone()
        return None if row is None else _read(row)

    def newest(self, limit: int = 100, *, foreign: bool = False) -> list[KeptDelivery]:
        """Return the deliveries that came last, the newest first; `foreign` leaves out those that a record has."""
        where = f"WHERE d.record_id IS NULL AND NOT EXISTS (SELECT 1 {_OWN})" if foreign else ""
        with self._database.reading() as connection:
            rows = connection.execute(f"{_SELECT} {where} ORDER BY d.received DESC, d.request_id LIMIT ?", (limit,))
            return [_read(row) for row in rows]


def _give(
    connection: sqlite3.Connection,
    delivery: KeptDelivery,
    changes: Mapping[str, Any],
    owner: str,
    followed: Container[int],
) -> Taken:
    ids = (delivery.request_id, delivery.gateway_request_id or delivery.request_id)
    row = connection.execute(_RECORD, (*ids, delivery.base_url, delivery.request_id)).fetchone()
    if row is None:
        return Taken("foreign")
    record_id, state, ended, submitted, created, *holder = row
    now = time.time()
    is_followed = record_id in followed if holder[0] == owner else not Holder(*holder).is_gone(now)
    is_open = state in OPEN_STATES
    if is_open and ended is None and is_followed and delivery.tells_the_end:
        connection.execute("UPDATE deliveries SET record_id = ? WHERE request_id = ?", (record_id, delivery.request_id))
        return Taken("held", record_id, holder[0])
    connection.execute(
        "UPDATE deliveries SET record_id = ?, payload = NULL WHERE request_id = ?", (record_id, delivery.request_id)
    )
    if not delivery.tells_the_end or not (state == "UNKNOWN" or (is_open and ended is None)):
        return Taken("known", record_id, holder[0])
    fields = {"submitted": submitted or created, **changes, "owner": owner, "updated": now}
    if "result" in fields:
        fields.setdefault("result_seed", seed_in(fields["result"]))
    change_record(connection, record_id, fields)
    connection.execute(_TELL, (now, to_sql("note", "A webhook's delivery told how it ended."), record_id))
    return Taken("taken", record_id, owner)


def _row(delivery: KeptDelivery) -> tuple[Any, ...]:
    kept = replace(delivery, payload=to_sql("result", delivery.payload) if delivery.payload is not None else "null")
    return tuple(to_sql(name, getattr(kept, name)) if name != "payload" else kept.payload for name in _COLUMNS)


def _read(row: Iterable[Any]) -> KeptDelivery:
    values = dict(zip(_COLUMNS, row, strict=True))
    text = values["payload"]
    values["payload"] = None if text is None else from_json(text, f"delivery of request {values['request_id']}")
    return KeptDelivery(**{**values, "is_ok": bool(values["is_ok"])})
