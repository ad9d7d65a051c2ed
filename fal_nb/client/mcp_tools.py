"""Questions to fal's MCP servers, by whichever of their tools answers them; the SDK is loaded when one is asked.

Its one invariant: what a server says is text, bounded, and never holds the key that went there.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from importlib import import_module
from types import ModuleType
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

from fal_nb.client.redaction import KeyFilter
from fal_nb.errors import ConfigError, FalError, TransferError
from fal_nb.plain import one_line, plain_text

if TYPE_CHECKING:
    from fal_nb.client.http import Http

__all__ = ["McpTools", "Question", "Said"]

Question: TypeAlias = Literal["docs", "recommend"]

_LIMIT_S = 30.0
_MOST_TEXTS = 50
_TEXT_CHARS = 20_000
_MOST_TOOLS = 200
_MOST_TOOL_PAGES = 5
_REASON_CHARS = 160
_TOOLS: Mapping[Question, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "docs": (("search_docs", "search_fal", "searchfal", "search_fal_docs"), ("search", "doc")),
    "recommend": (("recommend_model", "recommend_models"), ("recommend",)),
}
"""Question → the names of tools that answer it, and what such a name holds where it is another."""
_ARGUMENTS = ("query", "task", "question", "prompt", "text", "q")


@dataclass(frozen=True, slots=True)
class Said:
    """What a tool said.

    Attributes
    ----------
    server, tool
        Who said it.
    texts
        Plain text, one for each part of the answer.
    links
        (title, URL) of resources that the answer names beside its texts.
    """

    server: str
    tool: str
    texts: tuple[str, ...]
    links: tuple[tuple[str, str], ...] = ()


class McpTools:
    """Asks the servers in turn, until one answers; used on an event loop."""

    def __init__(self, http: Http, *, limit_s: float = _LIMIT_S) -> None:
        self._http = http
        self._limit_s = limit_s

    async def ask(self, question: Question, words: str) -> Said:
        """Return what the first server says that can be reached and has a tool for it.

        Parameters
        ----------
        words
            What is asked: words to search the documentation for, or a task to recommend a model for.

        Raises
        ------
        ConfigError
            Where the ``mcp`` package is not installed.
        TransferError
            Where no server answers; it says why, of each.
        """
        sdk = await asyncio.to_thread(_loaded)
        hosts = self._http.settings.hosts
        troubles = []
        servers = [(url, False) for url in hosts.docs_servers()] if question == "docs" else []
        servers += [(url, True) for url in hosts.mcp_servers()]
        for url, bears_key in servers:
            said = await self._ask_one(sdk, url, question, words, bears_key=bears_key)
            if isinstance(said, Said):
                return said
            troubles.append(f"{url}: {said}")
        instead = (
            "`%fal models WORD …` searches the catalogue" if question == "recommend" else "fal.ai/docs has them all"
        )
        raise TransferError(f"No MCP server of fal answers ({'; '.join(troubles)}); {instead}.")

    async def _ask_one(self, sdk: _Sdk, url: str, question: Question, words: str, *, bears_key: bool) -> Said | str:
        """Return what a server says, or why it says nothing."""
        refusals: list[int] = []
        try:
            async with (
                asyncio.timeout(self._limit_s),
                sdk.session(url, self._authorization(bears_key=bears_key), refusals) as session,
            ):
                return self._clean(await _asked(session, url, question, words))
        except TimeoutError:
            return f"no answer within {self._limit_s:g} s"
        except FalError as error:
            return one_line(str(error), _REASON_CHARS)
        except Exception as error:  # noqa: BLE001 - the SDK raises groups of anything its layers raise
            status = f" (HTTP {refusals[-1]})" if refusals else ""
            return self._without_key(one_line(_reason(error), _REASON_CHARS).rstrip(".")) + status

    def _authorization(self, *, bears_key: bool) -> dict[str, str]:
        key = self._http.settings.key
        return {"authorization": f"Bearer {key}"} if bears_key and key else {}

    def _clean(self, said: Said) -> Said:
        links = tuple((self._without_key(title), self._without_key(link)) for title, link in said.links)
        return Said(said.server, said.tool, tuple(self._without_key(text) for text in said.texts), links)

    def _without_key(self, text: str) -> str:
        key = self._http.settings.key
        if not key:
            return text
        key_filter = KeyFilter(key)
        cleaned = key_filter.feed(text.encode("utf-8", "replace")) + key_filter.rest()
        return cleaned.decode("utf-8", "replace")


class _Sdk:
    """The modules of the SDK that are used, under names of ours."""

    def __init__(self, mcp: ModuleType, transport: ModuleType, http: ModuleType) -> None:
        self._mcp, self._transport, self._http = mcp, transport, http

    @asynccontextmanager
    async def session(self, url: str, headers: Mapping[str, str], refusals: list[int]) -> AsyncGenerator[Any, None]:
        """Open a session with a server; no redirect is followed, as nobody knows what the key is for where it leads.

        Parameters
        ----------
        refusals
            Receives the status of every answer that is an error; the SDK keeps it to itself.
        """

        async def note(response: Any) -> None:
            if response.is_error:
                refusals.append(int(response.status_code))

        hooks = {"response": [note]}
        timeout = self._http.Timeout(_LIMIT_S)
        connect = self._transport.streamable_http_client
        async with (
            self._http.AsyncClient(
                headers=dict(headers), timeout=timeout, follow_redirects=False, event_hooks=hooks
            ) as http,
            connect(url, http_client=http, terminate_on_close=False) as (read, write, *_),
            self._mcp.ClientSession(read, write) as session,
        ):
            await session.initialize()
            yield session


async def _asked(session: Any, url: str, question: Question, words: str) -> Said:
    """Return what the tool for a question says.

    Raises
    ------
    TransferError
        Where there is no such tool, or it says that it cannot.
    """
    tools = await _listed(session)
    name = _chosen(question, tools)
    if name is None:
        there_are = ", ".join(one_line(tool, 40) for tool in list(tools)[:12]) or "none"
        raise TransferError(f"it has no tool for that, only {there_are}")
    result = await session.call_tool(name, {_argument(tools[name]): words})
    content = list(getattr(result, "content", None) or ())[:_MOST_TEXTS]
    texts = [plain_text(text, _TEXT_CHARS) for part in content if (text := _text(part))]
    if getattr(result, "is_error", False):
        raise TransferError(f"{name} could not: {one_line(' '.join(texts), _REASON_CHARS) or 'it does not say why'}")
    links = [
        (one_line(str(getattr(part, "title", None) or part.name), 200), one_line(str(part.uri), 2_000))
        for part in content
        if getattr(part, "type", "") == "resource_link"
    ]
    return Said(url, name, tuple(texts), tuple(links))


async def _listed(session: Any) -> dict[str, Any]:
    """Return name → input schema of a server's tools, at most 200."""
    found: dict[str, Any] = {}
    cursor: str | None = None
    for _ in range(_MOST_TOOL_PAGES):
        parameters = None if cursor is None else import_module("mcp.types").PaginatedRequestParams(cursor=cursor)
        page = await session.list_tools(params=parameters)
        found |= {tool.name: tool.input_schema for tool in page.tools[:_MOST_TOOLS]}
        following = page.next_cursor
        if not following or following == cursor or len(found) >= _MOST_TOOLS:
            break
        cursor = following
    return found


def _chosen(question: Question, tools: Iterable[str]) -> str | None:
    names, parts = _TOOLS[question]
    plain = {name.lower().replace("-", "_"): name for name in tools}
    known = next((plain[name] for name in names if name in plain), None)
    return known or next((name for low, name in plain.items() if all(part in low for part in parts)), None)


def _argument(schema: Any) -> str:
    """Return the argument of a tool that takes what is asked."""
    properties = schema.get("properties") if isinstance(schema, Mapping) else None
    names: Sequence[str] = list(properties) if isinstance(properties, Mapping) else []
    required = schema.get("required") if isinstance(schema, Mapping) else None
    wanted = [name for name in required if isinstance(name, str)] if isinstance(required, list) else []
    known = next((name for name in _ARGUMENTS if name in names), None)
    return known or next(iter([*wanted, *names]), _ARGUMENTS[0])


def _text(part: Any) -> str:
    """Return the text of one part of an answer; of an embedded resource, its own."""
    if getattr(part, "type", "") == "text":
        return str(part.text)
    resource = getattr(part, "resource", None)
    text = getattr(resource, "text", None)
    return text if isinstance(text, str) else ""


def _reason(error: BaseException) -> str:
    """Return what is at the bottom of an error of several layers."""
    while isinstance(error, BaseExceptionGroup) and error.exceptions:
        error = error.exceptions[0]
    return str(error) or type(error).__name__


def _loaded() -> _Sdk:
    """Return the SDK; loading it takes a good second, so that no loop waits for it."""
    try:
        return _Sdk(import_module("mcp"), import_module("mcp.client.streamable_http"), import_module("httpx2"))
    except ImportError as error:
        missing = error.name
    raise ConfigError(
        f"fal's MCP servers are asked through the package mcp (2 or newer), and {missing or 'it'} is not installed: "
        "pip install 'fal_nb[mcp]'."
    )
