"""``Advice``: what fal's documentation or its model adviser said, read out of the texts it came in."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from fal_nb.errors import EndpointError
from fal_nb.plain import one_line, plain_text
from fal_nb.protocol.endpoint import EndpointId
from fal_nb.schemas.table import html_table

__all__ = ["Advice", "Hint", "read_hints"]

_TITLE_CHARS = 200
_TEXT_CHARS = 2_000
_LINK_CHARS = 2_000
_MOST = 50
_DEPTH = 6
_FIELDS = re.compile(r"^(Title|Link|URL|Content|Text):[ \t]*", re.MULTILINE | re.IGNORECASE)
_WHY = ("hint", "hints", "reason", "why", "description", "summary", "content")


@dataclass(frozen=True, slots=True)
class Hint:
    """One page of the documentation, or one model; what it does not have is empty.

    Attributes
    ----------
    link
        An address, as text.
    endpoint
        Of a model that can be called.
    """

    title: str = ""
    text: str = ""
    link: str = ""
    endpoint: str = ""
    category: str = ""


@dataclass(frozen=True, slots=True)
class Advice(Sequence[Hint]):
    """Hints in the order they were given in.

    Attributes
    ----------
    question
        What was asked.
    server, tool
        Who answered.
    """

    question: str
    hints: tuple[Hint, ...]
    server: str = ""
    tool: str = ""

    @property
    def endpoints(self) -> list[str]:
        """The endpoints among them."""
        return [hint.endpoint for hint in self.hints if hint.endpoint]

    @property
    def text(self) -> str:
        """All of it as plain text."""
        return "\n\n".join("\n".join(_lines(hint)) for hint in self.hints) or "Nothing was found."

    def __len__(self) -> int:
        return len(self.hints)

    def __iter__(self) -> Iterator[Hint]:
        return iter(self.hints)

    def __getitem__(self, at: Any) -> Any:
        return self.hints[at]

    def __repr__(self) -> str:
        return f"{one_line(self.question, 300)}\n\n{self.text}\n\n({self.source})"

    def _repr_html_(self) -> str:
        rows = [[hint.title or hint.endpoint, hint.text, hint.endpoint or hint.link] for hint in self.hints]
        return html_table(f"{one_line(self.question, 300)} ({self.source})", ("", "", "where"), rows)

    @property
    def source(self) -> str:
        """Who answered, in words."""
        return one_line(f"{self.tool} of {self.server}", 300) if self.server else "nobody"


def read_hints(texts: Iterable[str], links: Iterable[tuple[str, str]] = ()) -> tuple[Hint, ...]:
    """Return what the texts of an answer hold: JSON with models or pages, pages as lines, or just text.

    Source: the documentation's server writes ``Title:``, ``Link:`` and ``Content:`` lines (as genmedia-cli reads them);
    the tools of the other write JSON.
    """
    found: list[Hint] = []
    for text in texts:
        value = _json(text)
        if value is None:
            found += _pages(text)
            continue
        hints = list(_hints(value, _DEPTH))
        found += hints or [Hint(text=plain_text(text, _TEXT_CHARS))]
    found += [Hint(one_line(title, _TITLE_CHARS), link=one_line(link, _LINK_CHARS)) for title, link in links]
    return tuple(found[:_MOST])


def _json(text: str) -> Any:
    if text.lstrip()[:1] not in {"{", "["}:
        return None
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None


def _hints(value: Any, depth: int) -> Iterator[Hint]:
    """Yield what in a JSON value names an endpoint or has a title, wherever it stands."""
    if depth == 0:
        return
    if isinstance(value, list):
        for each in value[:_MOST]:
            yield from _hints(each, depth - 1)
    elif isinstance(value, Mapping):
        hint = _hint(value)
        if hint is not None:
            yield hint
            return
        for each in value.values():
            if isinstance(each, (list, dict)):
                yield from _hints(each, depth - 1)


def _hint(value: Mapping[Any, Any]) -> Hint | None:
    endpoint = _endpoint(value.get("endpoint_id") or value.get("endpoint") or value.get("model_id"))
    title = _first(value, ("title", "name", "display_name"), _TITLE_CHARS)
    link = _first(value, ("link", "url", "href", "model_url"), _LINK_CHARS)
    if not endpoint and not (title and link):
        return None
    why = [value[name] for name in _WHY if name in value]
    words = [each for each in why for each in (each if isinstance(each, list) else [each]) if isinstance(each, str)]
    text = plain_text("\n".join(dict.fromkeys(words)), _TEXT_CHARS)
    return Hint(title, text, link, endpoint, _first(value, ("category",), 60))


def _first(value: Mapping[Any, Any], names: Iterable[str], limit: int) -> str:
    return next((one_line(value[name], limit) for name in names if isinstance(value.get(name), str)), "")


def _endpoint(value: Any) -> str:
    try:
        return value if isinstance(value, str) and len(value) <= 120 and str(EndpointId.parse(value)) == value else ""
    except EndpointError:
        return ""


def _pages(text: str) -> list[Hint]:
    """Return the pages of a text with ``Title:`` lines; a text without them is a hint of its own."""
    marks = list(_FIELDS.finditer(text[: 50 * _TEXT_CHARS]))
    if not any(mark[1].lower() == "title" for mark in marks):
        return [Hint(text=plain_text(text, _TEXT_CHARS))] if text.strip() else []
    pages: list[dict[str, str]] = []
    for mark, following in zip(marks, [*marks[1:], None], strict=True):
        name = {"url": "link", "text": "content"}.get(mark[1].lower(), mark[1].lower())
        if name == "title" or not pages:
            pages.append({})
        end = len(text) if following is None else following.start()
        pages[-1].setdefault(name, text[mark.end() : end].strip())
    return [
        Hint(
            one_line(page.get("title", ""), _TITLE_CHARS),
            plain_text(page.get("content", ""), _TEXT_CHARS),
            one_line(page.get("link", ""), _LINK_CHARS),
        )
        for page in pages
    ]


def _lines(hint: Hint) -> list[str]:
    head = " · ".join(filter(None, (hint.title, hint.endpoint, hint.category)))
    lines = [head, plain_text(hint.text), f"%fal run {hint.endpoint} …" if hint.endpoint else hint.link]
    return [line for line in lines if line]
