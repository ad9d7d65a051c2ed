"""Equal calls: the key by which a call is known, and the earlier call that can answer it.

Two calls are equal where they go to the same server and endpoint, under the same schema, with arguments of the same
normal form, and the bytes of their input files are the same. Without a seed they are equal, too: what is asked is
the same, and an answer is on hand.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, TypeAlias, get_args

from fal_nb.engine.inputs import LocalFile, local_file
from fal_nb.errors import ConfigError, FileError
from fal_nb.schemas.normal import normal_arguments

if TYPE_CHECKING:
    from fal_nb.artifacts import Artifact
    from fal_nb.artifacts.store import ArtifactStore
    from fal_nb.ledger.known_files import KnownFile
    from fal_nb.ledger.records import Record
    from fal_nb.ledger.store import HistoryStore
    from fal_nb.schemas.endpoint_schema import EndpointSchema
    from fal_nb.settings import Settings

__all__ = [
    "MEMO_MODES",
    "CallKey",
    "EqualCall",
    "MemoMode",
    "checked_mode",
    "find_answer",
    "key_of",
    "sealed",
    "urls_in",
]

MemoMode: TypeAlias = Literal["off", "reuse", "refresh"]
"""``off`` calls and says where an equal call is; ``reuse`` answers from the history; ``refresh`` calls in any case."""

MEMO_MODES: tuple[MemoMode, ...] = get_args(MemoMode)
_FORM = "fal_nb memo 1"
_URL_CHARS = 4_000
_MOST_URLS = 500


@dataclass(frozen=True, slots=True)
class EqualCall:
    """An earlier successful call that asked for the same.

    Attributes
    ----------
    cost
        What it came to, in `currency`, where that is known.
    is_answer
        Whether this job is that call, shown again, and nothing was sent.
    """

    record_id: int
    cost: float | None = None
    currency: str | None = None
    is_answer: bool = False


@dataclass(frozen=True, slots=True)
class CallKey:
    """What tells a call from others.

    Attributes
    ----------
    schema_digest
        Of the schema its arguments were checked by; None where there was none.
    input_digests
        Of those files behind URLs in its arguments that are known, by URL.
    """

    memo_key: str
    schema_digest: str | None = None
    input_digests: Mapping[str, str] = field(default_factory=dict)

    def columns(self) -> dict[str, Any]:
        """Return the columns of its record."""
        return {
            "memo_key": self.memo_key,
            "schema_digest": self.schema_digest,
            "input_digests": self.input_digests or None,
        }


def checked_mode(mode: str) -> MemoMode:
    """Return a mode that is one.

    Raises
    ------
    ConfigError
        Where it is none.
    """
    for known in MEMO_MODES:
        if mode == known:
            return known
    raise ConfigError(f"memo is 'off', 'reuse' or 'refresh', not {mode!r:.80}.")


def sealed(inputs: Any) -> Any:
    """Return read inputs with the digest of each local file's bytes; reads the files.

    Raises
    ------
    FileError
        Where one cannot be read.
    """
    if isinstance(inputs, LocalFile):
        return replace(inputs, sha256=inputs.content_digest())
    if isinstance(inputs, dict):
        return {name: sealed(inner) for name, inner in inputs.items()}
    return [sealed(inner) for inner in inputs] if isinstance(inputs, list) else inputs


def key_of(
    settings: Settings,
    endpoint: str,
    inputs: Mapping[str, Any],
    schema: EndpointSchema | None,
    digests: Mapping[str, str],
) -> CallKey:
    """Return the key of a call.

    Parameters
    ----------
    endpoint
        With the path of the call, if it has one.
    inputs
        As `sealed` returns them.
    digests
        Those of files behind URLs that are known, by URL; another URL stands for itself.
    """
    files: list[tuple[str, str]] = []
    normal = _without_files(normal_arguments(schema.inputs if schema else None, inputs), (), files, digests)
    # A simulator is at another port tomorrow and is the same simulator.
    base = None if settings.backend == "simulator" else settings.hosts.base
    schema_digest = schema.digest if schema else None
    whole = [_FORM, settings.backend, base, endpoint, schema_digest, normal, sorted(files)]
    text = json.dumps(whole, sort_keys=True, separators=(",", ":"))
    return CallKey(hashlib.sha256(text.encode("ascii")).hexdigest(), schema_digest, dict(digests))


def urls_in(value: Any) -> Iterator[str]:
    """Yield the texts in arguments that are URLs."""
    if isinstance(value, str):
        if value.startswith(("https://", "http://")) and len(value) <= _URL_CHARS:
            yield value
    elif isinstance(value, dict):
        for inner in value.values():
            yield from urls_in(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from urls_in(inner)


def known_digests(history: HistoryStore, inputs: Any) -> dict[str, str]:
    """Return the digests of the files behind URLs in arguments, where they are known; blocks."""
    urls = list(dict.fromkeys(urls_in(inputs)))[:_MOST_URLS]
    if not urls:
        return {}
    known = history.known_files(urls)
    found = {url: digest_of(history, file) for url, file in known.items()}
    return {url: digest for url, digest in found.items() if digest is not None}


def digest_of(history: HistoryStore, file: KnownFile) -> str | None:
    """Return the digest of a file that was uploaded; of a large one it is worked out now, if it has not changed."""
    if file.digest is not None or file.path is None:
        return file.digest
    try:
        local = local_file(Path(file.path))
        digest = local.content_digest() if local.identity() == file.identity else None
    except FileError:
        return None
    if digest is not None:
        history.note_upload(replace(file, digest=digest))
    return digest


def find_answer(
    history: HistoryStore, store: ArtifactStore, memo_key: str, *, read: bool
) -> tuple[Record, tuple[Artifact, ...]] | None:
    """Return the newest successful call of a key whose files are all still here, with its files; blocks.

    Parameters
    ----------
    read
        Whether the files are read, to be sure that they are what they were.
    """
    for record_id in history.equal_calls(memo_key):
        artifacts = history.artifacts(record_id)
        check = store.is_intact if read else store.has
        if all(artifact.digest is not None and check(artifact.digest) for artifact in artifacts):
            return history.get(record_id), artifacts
    return None


def _without_files(value: Any, path: tuple[str, ...], files: list[tuple[str, str]], digests: Mapping[str, str]) -> Any:
    """Return a value with null for each known file, whose digest is put beside it: no text can pass for a digest."""
    if isinstance(value, dict):
        return {name: _without_files(inner, (*path, name), files, digests) for name, inner in value.items()}
    if isinstance(value, list):
        return [_without_files(inner, (*path, str(place)), files, digests) for place, inner in enumerate(value)]
    digest = value.sha256 if isinstance(value, LocalFile) else digests.get(value) if isinstance(value, str) else None
    if digest is None:
        return value
    files.append((json.dumps(path), digest))
    return None
