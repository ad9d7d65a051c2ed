"""Arguments and options of a call, as bytes and headers."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Literal, TypeAlias, get_args
from urllib.parse import urlencode

from fal_nb.client.lifecycle import Lifecycle, lifecycle_header
from fal_nb.client.withdrawal import Withdrawal
from fal_nb.errors import ConfigError, FalError
from fal_nb.protocol import headers as names
from fal_nb.protocol.status import JSON

__all__ = [
    "DEFAULTS",
    "NO_HEADERS",
    "QUEUE_LIMIT",
    "SHORTEST_START_S",
    "CallOptions",
    "Priority",
    "call_headers",
    "json_body",
    "with_query",
]

Priority: TypeAlias = Literal["normal", "low"]

NO_HEADERS: Mapping[str, str] = MappingProxyType({})

QUEUE_LIMIT = "fal_max_queue_length"
"""In the query of a submission: refuse it where more requests wait. Source: fal docs "Submit"."""

SHORTEST_START_S = 0.1
"""A start timeout must be longer, in seconds. Source: fal docs "Platform Headers"."""
_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+\Z")
_TAG_KEY = re.compile(r"[a-z0-9._-]{1,64}\Z")
_TAG_VALUE = re.compile(r"[ -+\--~]{1,256}\Z")
_MOST_TAGS = 10
_MOST_TAG_BYTES = 1024
_OURS = frozenset({"authorization", "connection", "content-length", "host", "transfer-encoding"})


def json_body(arguments: JSON, endpoint: str) -> bytes:
    """Return arguments as JSON.

    Raises
    ------
    FalError
        Where a value has no JSON form; the message names its place.
    """
    try:
        return json.dumps(arguments, ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode("utf-8")
    except (TypeError, ValueError, RecursionError):
        place = _unwritable(arguments, "arguments") or "the arguments"
    raise FalError(f"{place} cannot be sent to {endpoint} as JSON.", endpoint=endpoint)


@dataclass(frozen=True, slots=True)
class CallOptions:
    """How a call is to be made, besides its arguments; checked as it is made.

    Raises
    ------
    ConfigError
        Where an option has a value that the service does not take.

    Attributes
    ----------
    path
        Subpath of the endpoint.
    hint
        Asks for the runner that served the same hint before.
    headers
        The caller's own; the options win where both name one.
    start_timeout
        Seconds until a runner must have begun.
    webhook_url
        Where the queue reports the end; no use in direct calls.
    lifecycle
        How long the outputs live at fal and who may read them.
    store_io
        Whether fal keeps input and output in the account's list; None leaves it to the account.
    no_retry
        Whether fal is not to try again where a runner is lost.
    disable_fallback
        Whether no other model may take the place of one that fails.
    tags
        At most ten, for the account's usage: keys of 1 to 64 characters ``a-z 0-9 . _ -``, values of up to 256.
    max_queue_length
        fal refuses with 429 where more requests than this wait already.
    withdrawal
        Takes the call back where it waits for another try.
    """

    path: str = ""
    hint: str | None = None
    priority: Priority | None = None
    headers: Mapping[str, str] = field(default_factory=lambda: NO_HEADERS)
    start_timeout: float | None = None
    webhook_url: str | None = None
    lifecycle: Lifecycle | None = None
    store_io: bool | None = None
    no_retry: bool = False
    disable_fallback: bool = False
    tags: Mapping[str, str] = field(default_factory=lambda: NO_HEADERS)
    max_queue_length: int | None = None
    withdrawal: Withdrawal | None = None

    def __post_init__(self) -> None:
        self._check()
        self.wire_headers()

    def _check(self) -> None:
        """Refuse what would be sent as something else than it says, or not at all."""
        length, url = self.max_queue_length, self.webhook_url
        if length is not None and (type(length) is not int or length < 0):
            raise ConfigError(f"max_queue_length must be a whole number of at least 0, not {length!r}.")
        if url is not None and not (_is_plain(url) and url.startswith(("https://", "http://"))):
            raise ConfigError(f"webhook_url must be an address that begins with https://, not {url!r:.60}.")
        if self.hint is not None and not _is_plain(self.hint):
            raise ConfigError(f"hint must be a text of printable ASCII characters, not {self.hint!r:.60}.")
        if self.store_io not in (None, True, False):
            raise ConfigError(f"store_io must be True, False or None, not {self.store_io!r:.60}.")
        for name in ("no_retry", "disable_fallback"):
            if not isinstance(getattr(self, name), bool):
                raise ConfigError(f"{name} must be True or False, not {getattr(self, name)!r:.60}.")
        for name in ("tags", "headers"):
            if not isinstance(getattr(self, name), Mapping):
                raise ConfigError(f"{name} must be a dict of texts, not {getattr(self, name)!r:.60}.")

    def query(self) -> dict[str, str | None]:
        """Return the query of a submission.

        Source: fal docs "Submit", "Webhooks".
        """
        length = self.max_queue_length
        return {"fal_webhook": self.webhook_url, QUEUE_LIMIT: None if length is None else str(length)}

    def wire_headers(self, accept: str = "application/json") -> dict[str, str]:
        """Return the headers of the call; the start timeout under its documented and its older name.

        Source: fal docs "Platform Headers"; fal-client 1.0.3 ``_headers.py``.
        """
        sent: dict[str, str] = {}
        if self.hint is not None:
            sent[names.HINT] = self.hint
        if self.priority is not None:
            if self.priority not in get_args(Priority):
                raise ConfigError(f"priority must be 'normal' or 'low', not {self.priority!r}.")
            sent[names.PRIORITY] = self.priority
        if self.start_timeout is not None:
            seconds = str(_start_timeout_s(self.start_timeout))
            sent |= {names.START_TIMEOUT: seconds, names.START_TIMEOUT_OLD: seconds}
        own = {name.lower(): str(value) for name, value in self.headers.items()}
        return call_headers({**own, **sent, **self._platform_headers()}, accept)

    def _platform_headers(self) -> dict[str, str]:
        sent: dict[str, str] = {}
        lifecycle = lifecycle_header(self.lifecycle)
        if lifecycle is not None:
            sent[names.LIFECYCLE] = lifecycle
        if self.store_io is not None:
            sent[names.STORE_IO] = str(int(self.store_io))
        if self.no_retry:
            sent[names.NO_RETRY] = "1"
        if self.disable_fallback:
            sent[names.DISABLE_FALLBACK] = "true"
        if self.tags:
            sent[names.TAGS] = _packed_tags(self.tags)
        return sent


def call_headers(headers: Mapping[str, str] = NO_HEADERS, accept: str = "application/json") -> dict[str, str]:
    """Return headers, names in lower case, ready to be sent.

    Raises
    ------
    ConfigError
        Where one cannot be sent, or belongs to the connection.
    """
    sent = {**headers, "accept": accept}
    for name, value in sent.items():
        if name in _OURS or not _NAME.match(name) or not (value.isascii() and value.isprintable()):
            raise ConfigError(f"{name[:60]!r} cannot be sent as a header: check its name and its value.")
    return sent


def with_query(url: str, **parameters: str | None) -> str:
    """Return the URL with those parameters that are not None."""
    given = {name: value for name, value in parameters.items() if value is not None}
    return f"{url}?{urlencode(given)}" if given else url


def _is_plain(value: object) -> bool:
    return isinstance(value, str) and value.isascii() and value.isprintable()


def _start_timeout_s(value: float) -> float:
    try:
        seconds = float(value)
    except (TypeError, ValueError):
        seconds = 0.0
    if not SHORTEST_START_S < seconds < float("inf"):
        raise ConfigError(f"start_timeout must be a number of seconds above {SHORTEST_START_S}, not {value!r}.")
    return seconds


def _packed_tags(tags: Mapping[str, str]) -> str:
    """Return tags as one header, every rule checked: fal drops what breaks one without a word.

    Source: fal docs "Platform Headers"; fal-js ``headers.ts``.
    """
    if len(tags) > _MOST_TAGS:
        raise ConfigError(f"At most {_MOST_TAGS} tags go with a call, not {len(tags)}.")
    for key, value in tags.items():
        if not _TAG_KEY.match(str(key)) or str(key).startswith("fal."):
            raise ConfigError(f"{str(key)[:40]!r} is no tag: 1 to 64 of a-z 0-9 . _ -, not beginning with 'fal.'.")
        if not _TAG_VALUE.match(str(value)):
            raise ConfigError(f"The tag {key} takes up to 256 printable characters without a comma, not {value!r:.60}.")
    packed = ",".join(f"{key}={value}" for key, value in tags.items())
    if len(packed.encode()) > _MOST_TAG_BYTES:
        raise ConfigError(f"The tags take {len(packed.encode())} bytes together; {_MOST_TAG_BYTES} are allowed.")
    return packed


def _unwritable(value: JSON, where: str, depth: int = 0) -> str | None:
    """Return, in words, the first place in `value` that JSON cannot hold."""
    if depth > 100:
        return f"{where[:60]}… (nested too deeply)"
    if isinstance(value, Mapping):
        inner = ((f"{where}.{key}", entry) for key, entry in value.items())
    elif isinstance(value, (list, tuple)):
        inner = ((f"{where}[{index}]", entry) for index, entry in enumerate(value))
    else:
        try:
            json.dumps(value, ensure_ascii=False, allow_nan=False).encode("utf-8")
        except (TypeError, ValueError):
            return f"{where} ({value if isinstance(value, float) else type(value).__name__})"
        return None
    return next(filter(None, (_unwritable(entry, place, depth + 1) for place, entry in inner)), None)


DEFAULTS = CallOptions()
