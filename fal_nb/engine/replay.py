"""An earlier call, made ready to be made once more: its body as it was sent, its inputs still there, its price said.

Nothing here sends the call.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fal_nb.client.options import DEFAULTS, CallOptions
from fal_nb.engine.inputs import LocalFile, local_file
from fal_nb.engine.intent import read_options
from fal_nb.engine.memo import digest_of, urls_in
from fal_nb.engine.schema_changes import changes_between, schema_rows
from fal_nb.engine.send_again import again_question, ask_person
from fal_nb.errors import FalError, FileError, JobError
from fal_nb.protocol.headers import LIFECYCLE

if TYPE_CHECKING:
    from fal_nb.client.async_client import AsyncClient
    from fal_nb.engine.session import Session
    from fal_nb.ledger.known_files import KnownFile
    from fal_nb.ledger.records import Record
    from fal_nb.schemas.endpoint_schema import EndpointSchema
    from fal_nb.states import Kind

__all__ = ["Replay", "prepare_replay"]

_NOT_AGAIN = frozenset({"headers", "webhook", "lifecycle", "files"})
"""Options that are not taken as they are: of headers the names alone are kept, and a webhook would tell twice."""
_MOST_LOOKS = 64
_PARALLEL = 8
_SHOWN_CHARS = 120


@dataclass(frozen=True, slots=True)
class Replay:
    """A call ready to be made.

    Attributes
    ----------
    called
        The endpoint with its path.
    arguments
        As they were sent; a gone input is the file that goes up again.
    schema
        As it is now, or None.
    """

    record_id: int
    endpoint: str
    called: str
    kind: Kind
    options: CallOptions
    arguments: dict[str, Any]
    schema: EndpointSchema | None


def prepare_replay(
    session: Session, record: Record, *, yes: bool, confirm: Callable[[str], bool] | None = None
) -> Replay:
    """Return an earlier call ready to be made again; blocks.

    Raises
    ------
    JobError
        Where it cannot be made again, came from outside and `yes` is not said, or may have been charged already and
        the person does not want it sent.
    FileError
        Where an input is gone and its bytes are not here either.
    """
    _check_repeatable(record)
    options = _options_of(record)
    path = options.path.strip("/")
    called = "/".join(filter(None, (record.endpoint, "" if path == "stream" else path)))
    if record.origin and not yes:
        raise JobError(_question(session, record, called))
    if record.state == "UNKNOWN" and not yes and not (confirm or ask_person)(again_question(session, record)):
        raise JobError(f"Nothing was sent: what became of #{record.id} is not known, `%fal reconcile` looks it up.")
    schema = session.preflight.known_schema(called)
    _tell_changes(session, record, schema)
    arguments = _with_inputs_back(session, record)
    return Replay(record.id, record.endpoint, called, record.kind, options, arguments, schema)


def _options_of(record: Record) -> CallOptions:
    """Return the options a record holds; those of a newer version that are not known here are left out."""
    kept = record.options or {}
    options = read_options({name: value for name, value in kept.items() if name not in _NOT_AGAIN}) or DEFAULTS
    lifecycle = kept.get("lifecycle")
    return replace(options, headers={LIFECYCLE: lifecycle}) if isinstance(lifecycle, str) else options


def _check_repeatable(record: Record) -> None:
    if record.kind == "realtime":
        raise JobError(f"#{record.id} was a realtime session, which has no one call to make again.")
    if not isinstance(record.arguments, dict) or (record.request_id and not record.arguments and not record.memo_key):
        raise JobError(f"#{record.id} was made elsewhere and only followed here: its arguments are not known.")
    if (record.options or {}).get("files"):
        raise JobError(f"#{record.id} was never sent, and of its local files only the names are known: make it anew.")


def _question(session: Session, record: Record, called: str) -> str:
    prompt = " ".join((record.prompt or "").split())[:_SHOWN_CHARS]
    what = f"{called} {prompt!r}" if prompt else called
    return (
        f"#{record.id} came from outside ({' '.join(str(record.origin).split())[:_SHOWN_CHARS]}): {what}, "
        f"{_price_words(session, called, record.arguments)}. Send it with --yes, or yes=True."
    )


def _price_words(session: Session, called: str, arguments: dict[str, Any]) -> str:
    if session.settings.backend == "simulator":
        return "simulated, nothing is billed"
    try:
        return str(session.price(called, arguments))
    except (FalError, TimeoutError):
        return "its price is not known"


def _tell_changes(session: Session, record: Record, schema: EndpointSchema | None) -> None:
    if schema is None or record.schema_digest in {None, schema.digest}:
        return
    changes = changes_between(session.history.schema_inputs(str(record.schema_digest)), schema_rows(schema))
    session.notify(f"The schema of {schema.endpoint} has changed since #{record.id}: {changes}.")


def _with_inputs_back(session: Session, record: Record) -> dict[str, Any]:
    """Return the arguments with a local file for each known input that is no longer behind its URL."""
    known = session.history.known_files(dict.fromkeys(urls_in(record.arguments)))
    gone = session.ask(lambda client: _gone(client, list(known)[:_MOST_LOOKS])) if known else set()
    if gone:
        session.forget_uploads(gone)
    back = {url: _bytes_of(session, known[url], (record.input_digests or {}).get(url)) for url in gone}
    return dict(_replaced(record.arguments, back))


async def _gone(client: AsyncClient, urls: list[str]) -> set[str]:
    """Return those of the URLs that have nothing behind them any more; a few are asked for at one time."""
    from fal_nb.client.gone import is_gone  # noqa: PLC0415 - imports httpx

    gate = asyncio.Semaphore(_PARALLEL)

    async def look(url: str) -> bool:
        async with gate:
            return await is_gone(client.http, url)

    found = await asyncio.gather(*map(look, urls))
    return {url for url, is_not_there in zip(urls, found, strict=True) if is_not_there}


def _bytes_of(session: Session, file: KnownFile, noted: str | None) -> LocalFile:
    """Return the bytes that were behind a URL: from the store, or from where they were uploaded, if unchanged."""
    digest = noted or digest_of(session.history, file)
    if digest is not None and session.artifacts.is_intact(digest):
        return LocalFile(file.file_name, file.content_type, path=session.artifacts.path(digest))
    if digest is not None and file.path is not None:
        try:
            local = local_file(Path(file.path), file_name=file.file_name)
            if local.content_digest() == digest:
                return local
        except FileError:
            pass
    where = f" {file.path} is gone or has changed." if file.path else ""
    raise FileError(f"The input {file.file_name} is no longer behind its URL, and its bytes are not here.{where}")


def _replaced(value: Any, back: Mapping[str, LocalFile]) -> Any:
    if isinstance(value, str):
        return back.get(value, value)
    if isinstance(value, dict):
        return {name: _replaced(inner, back) for name, inner in value.items()}
    return [_replaced(inner, back) for inner in value] if isinstance(value, list) else value
