"""A lost call sent once more: only by a person's word, with the same body, as a record of its own."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

from fal_nb.engine.intent import Intent, read_options
from fal_nb.engine.resume import check_backend
from fal_nb.errors import FalError, JobError

if TYPE_CHECKING:
    from fal_nb.client.options import CallOptions
    from fal_nb.engine.job import Job
    from fal_nb.engine.session import Session
    from fal_nb.ledger.records import Record

__all__ = ["again_question", "ask_person", "send_again"]

_YES = frozenset({"y", "yes"})


def send_again(session: Session, job: Job, *, yes: bool, confirm: Callable[[str], bool] | None) -> Job | None:
    """Send a lost call once more; see `Session.send_again`."""
    record = session.history.get(job.record_id)
    if record.state != "UNKNOWN":
        raise JobError(
            f"Job #{record.id} is {record.state.lower()}, not unknown: only a lost call is sent again by this.",
            request_id=record.request_id,
        )
    if record.kind == "realtime":
        raise JobError(f"Job #{record.id} was a realtime session, which cannot be sent again: open a new one.")
    check_backend(record, session.settings)
    options = _options(record)
    if not yes and not (confirm or ask_person)(again_question(session, record)):
        return None
    # It takes the other's place: in its sweep, and as the answer to equal calls.
    same = ("sweep", "sweep_cell", "memo_key", "schema_digest", "input_digests")
    more = {"replay_of": record.id, **{name: getattr(record, name) for name in same}}
    intent = Intent(record.endpoint, record.arguments, record.kind, options, more=more)
    return session.start(intent, lambda again: session.history.settling.sent_again(record.id, again))


def _options(record: Record) -> CallOptions:
    """Return the options a call was made with.

    Raises
    ------
    JobError
        Where its record does not hold everything that was sent.
    """
    kept = dict(record.options or {})
    lifecycle = kept.pop("lifecycle", None)
    options = read_options(kept)
    if options is None:
        what = "the values of its headers" if "headers" in kept else "all of its options"
        raise JobError(f"Job #{record.id} cannot be sent from its record, which does not keep {what}: call it anew.")
    return replace(options, lifecycle=json.loads(lifecycle)) if isinstance(lifecycle, str) else options


def again_question(session: Session, record: Record) -> str:
    """Return what the person is asked."""
    lines = [f"Send #{record.id} ({record.endpoint}) again? fal may have accepted it, so that this may pay twice."]
    if record.note:
        lines.append(f"Its note: {record.note[:200]}.")
    if record.backend == "simulator":
        lines.append("The simulator bills nothing.")
    else:
        try:
            lines.append(f"Price of a call: {session.price(record.endpoint, record.arguments)}.")
        except (FalError, TimeoutError):
            lines.append("What a call costs is not known.")
    return " ".join(lines)


def ask_person(question: str) -> bool:
    """Ask where the person can answer.

    Raises
    ------
    JobError
        Where nobody can: no input, or a notebook that nobody watches.
    """
    try:
        return input(f"{question} [y/N] ").strip().lower() in _YES
    except (EOFError, OSError, NotImplementedError):
        message = "Nobody can be asked here, so nothing was sent: `--yes` (in Python yes=True) sends it without asking."
        raise JobError(message) from None
