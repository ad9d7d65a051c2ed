"""The tools that fal's MCP servers offer, each done by the simulator's own HTTP interface.

Two generations: the nine tools of the first, and the eleven of the one after it. Source: fal docs "AI Tools", "fal
MCP server".
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, TypeAlias

import httpx

from fal_nb.simulator.guides import find_pages
from fal_nb.simulator.simulation import Simulation

__all__ = ["Generation", "Tool", "ToolFailure", "Tools"]

Generation: TypeAlias = Literal["first", "current", "docs"]
_WAIT_S = 45.0
_POLL_S = 0.1
_MOST = 100
_MOST_PAGES = 50
_TEXT = {"type": "string"}
_CALL = {"endpoint_id": _TEXT, "input": {"type": "object"}}
_REQUEST = {"endpoint_id": _TEXT, "request_id": _TEXT}


class ToolFailure(Exception):  # noqa: N818 - it is an answer
    """A tool says that it could not do what it was asked to."""


@dataclass(frozen=True, slots=True)
class Tool:
    """One tool as ``tools/list`` shows it."""

    name: str
    description: str
    properties: Mapping[str, Any]
    required: tuple[str, ...] = field(default=())

    def listed(self) -> dict[str, Any]:
        """Return it as the protocol writes it."""
        schema = {"type": "object", "properties": dict(self.properties), "required": list(self.required)}
        return {"name": self.name, "description": self.description, "inputSchema": schema}


_SEARCH = Tool(
    "search_models",
    "Search the models of fal.",
    {"query": _TEXT, "category": _TEXT, "limit": {"type": "integer"}, "cursor": _TEXT},
)
_SHARED = (
    _SEARCH,
    Tool("get_model_schema", "Input and output schema of a model.", {"endpoint_id": _TEXT}, ("endpoint_id",)),
    Tool("get_pricing", "Price of one model, or of up to 50.", {"endpoint_id": _TEXT}, ("endpoint_id",)),
    Tool("search_docs", "Search fal's documentation.", {"query": _TEXT}, ("query",)),
    Tool("recommend_model", "Recommend models for a task.", {"task": _TEXT}, ("task",)),
    Tool("run_model", "Run a model and wait for its result.", _CALL, ("endpoint_id", "input")),
    Tool("submit_job", "Queue a request and return at once.", _CALL, ("endpoint_id", "input")),
)
_TOOLS: Mapping[Generation, tuple[Tool, ...]] = {
    "first": (
        *_SHARED,
        Tool(
            "check_job",
            "Status or result of a request, or cancel it.",
            {**_REQUEST, "action": {"type": "string", "enum": ["status", "result", "cancel"]}},
            ("endpoint_id", "request_id"),
        ),
        Tool("upload_file", "Put a file on fal's CDN.", {"url": _TEXT, "file_name": _TEXT}, ("url",)),
    ),
    "current": (
        *_SHARED,
        Tool("check_job", "Status of a request.", _REQUEST, ("endpoint_id", "request_id")),
        Tool("get_job_result", "Result of a request.", _REQUEST, ("endpoint_id", "request_id")),
        Tool("cancel_job", "Cancel a request.", _REQUEST, ("endpoint_id", "request_id")),
        Tool("upload_file", "Put a file on fal's CDN.", {"url": _TEXT, "data": _TEXT, "file_name": _TEXT}),
    ),
    "docs": (Tool("search_fal", "Search fal's documentation.", {"query": _TEXT}, ("query",)),),
}


class Tools:
    """The tools of one generation; a caller's key goes along with every request they make."""

    failure = ToolFailure

    def __init__(self, simulation: Simulation, app: Any, generation: Generation, authorization: str = "") -> None:
        self._simulation = simulation
        self._generation = generation
        self._http = httpx.AsyncClient(
            transport=httpx.ASGITransport(app),
            base_url=simulation.base_url,
            headers={"authorization": authorization.replace("Bearer ", "Key ")} if authorization else {},
        )
        self._do: dict[str, Callable[[Mapping[str, Any]], Awaitable[Any]]] = {
            "search_models": self._search_models,
            "get_model_schema": self._schema,
            "get_pricing": self._pricing,
            "search_docs": self._search_docs,
            "search_fal": self._search_docs,
            "recommend_model": self._recommend,
            "run_model": self._run,
            "submit_job": self._submit,
            "check_job": self._check,
            "get_job_result": self._result,
            "cancel_job": self._cancel,
            "upload_file": self._upload,
        }

    @property
    def listed(self) -> list[dict[str, Any]]:
        """The tools as ``tools/list`` shows them."""
        return [tool.listed() for tool in _TOOLS[self._generation]]

    async def call(self, name: str, arguments: Mapping[str, Any]) -> list[str]:
        """Return what a tool says, in texts.

        Raises
        ------
        KeyError
            Where there is no such tool.
        ToolFailure
            Where it could not do it.
        """
        tool = next((tool for tool in _TOOLS[self._generation] if tool.name == name), None)
        if tool is None:
            raise KeyError(name)
        missing = [each for each in tool.required if each not in arguments]
        if missing:
            raise ToolFailure(f"{name} needs {', '.join(missing)}")
        async with self._http:
            said = await self._do[name](arguments)
        return said if isinstance(said, list) else [json.dumps(said, ensure_ascii=False)]

    async def _ask(self, method: str, path: str, **options: Any) -> Any:
        answer = await self._http.request(method, path, **options)
        if answer.is_error:
            raise ToolFailure(f"HTTP {answer.status_code}: {answer.text[:500]}")
        return answer.json()

    async def _search_models(self, given: Mapping[str, Any]) -> Any:
        limit = given.get("limit", 20)
        query = {
            "q": given.get("query"),
            "category": given.get("category"),
            "limit": limit if isinstance(limit, int) and 1 <= limit <= _MOST else 20,
            "cursor": given.get("cursor") if self._generation == "current" else None,
        }
        page = await self._ask("GET", "/api/v1/models", params={key: value for key, value in query.items() if value})
        found = [_short(record) for record in page["models"]]
        body = {"models": found, "total_shown": len(found), "has_more": page["has_more"]}
        return body | ({"next_cursor": page["next_cursor"]} if self._generation == "current" else {})

    async def _schema(self, given: Mapping[str, Any]) -> Any:
        document = await self._ask("GET", "/api/openapi/queue/openapi.json", params=_only(given, "endpoint_id"))
        schemas = document["components"]["schemas"]
        name = next(name for name in schemas if name.endswith("Input"))
        output = schemas[name.removesuffix("Input") + "Output"]
        return {"endpoint_id": given["endpoint_id"], "input_schema": schemas[name], "output_schema": output}

    async def _pricing(self, given: Mapping[str, Any]) -> Any:
        return await self._ask(
            "GET", "/api/v1/models/pricing", params={"endpoint_id": str(given["endpoint_id"]).split(",")}
        )

    async def _search_docs(self, given: Mapping[str, Any]) -> Any:
        pages = find_pages(str(given["query"]), await self._simulation.all_endpoints())
        return [f"Title: {page.title}\nLink: {page.link}\nContent: {page.content}" for page in pages] or [
            "Nothing was found."
        ]

    async def _recommend(self, given: Mapping[str, Any]) -> Any:
        """Rank by how many words of the task a model's own words hold; what no word speaks for is left out."""
        words = {word.strip(".,!?") for word in str(given["task"]).lower().split() if len(word) > 3}
        found, cursor = [], None
        for _ in range(_MOST_PAGES):
            query = {"limit": _MOST, "status": "active", **({"cursor": cursor} if cursor else {})}
            page = await self._ask("GET", "/api/v1/models", params=query)
            found += [_short(record) for record in page["models"]]
            cursor = page["next_cursor"]
            if cursor is None:
                break
        scored = [(sum(word in " ".join(map(str, model.values())).lower() for word in words), model) for model in found]
        chosen = [model for score, model in sorted(scored, key=lambda pair: -pair[0]) if score][:5]
        return {
            "task": str(given["task"])[:500],
            "recommendations": chosen,
            "hint": "get_model_schema shows the inputs",
        }

    async def _run(self, given: Mapping[str, Any]) -> Any:
        submitted = await self._submit(given)
        path = f"/queue/{given['endpoint_id']}/requests/{submitted['request_id']}"
        waited_s = 0.0
        while (await self._ask("GET", f"{path}/status"))["status"] != "COMPLETED":
            if waited_s >= _WAIT_S and self._generation == "current":
                return {"status": "processing", **submitted}
            await asyncio.sleep(_POLL_S)
            waited_s += _POLL_S
        result = await self._ask("GET", path)
        return result if self._generation == "first" else {"status": "completed", "result": result}

    async def _submit(self, given: Mapping[str, Any]) -> Any:
        return await self._ask("POST", f"/queue/{given['endpoint_id']}", json=given["input"])

    async def _check(self, given: Mapping[str, Any]) -> Any:
        action = given.get("action", "status") if self._generation == "first" else "status"
        if action == "result":
            return await self._result(given)
        if action == "cancel":
            return await self._cancel(given)
        return await self._ask("GET", f"{_path(given)}/status", params={"logs": 1})

    async def _result(self, given: Mapping[str, Any]) -> Any:
        return await self._ask("GET", _path(given))

    async def _cancel(self, given: Mapping[str, Any]) -> Any:
        return await self._ask("PUT", f"{_path(given)}/cancel")

    async def _upload(self, given: Mapping[str, Any]) -> Any:
        """Copy a file of this simulator; it fetches nothing from elsewhere."""
        url = str(given.get("url", ""))
        if not url.startswith(f"{self._simulation.base_url}/cdn/"):
            raise ToolFailure("The simulator fetches nothing from elsewhere: give the URL of a file of its own")
        file = await self._http.get(url)
        if file.is_error:
            raise ToolFailure(f"HTTP {file.status_code}: {url[:200]} cannot be read")
        token = await self._ask("POST", "/rest/storage/auth/token")
        headers = {
            "authorization": f"Bearer {token['token']}",
            "content-type": file.headers.get("content-type", "application/octet-stream"),
            "x-fal-file-name": str(given.get("file_name", "")),
        }
        stored = await self._ask("POST", "/cdn/files/upload", content=file.content, headers=headers)
        return {"cdn_url": stored["access_url"]}


def _short(record: Mapping[str, Any]) -> dict[str, Any]:
    metadata = record["metadata"]
    return {
        "endpoint_id": record["endpoint_id"],
        "name": metadata["display_name"],
        "category": metadata["category"],
        "description": metadata["description"],
    }


def _only(given: Mapping[str, Any], name: str) -> dict[str, str]:
    return {name: str(given[name])}


def _path(given: Mapping[str, Any]) -> str:
    return f"/queue/{given['endpoint_id']}/requests/{given['request_id']}"
