"""Questions to MCP servers of either generation, to servers that have other tools, and to servers that are none."""

import asyncio
import json

import pytest

from fal_nb.client import mcp_tools
from fal_nb.client.async_client import AsyncClient
from fal_nb.client.mcp_tools import McpTools
from fal_nb.errors import ConfigError, TransferError
from fal_nb.simulator.server import SimulatorServer

KEY = "11112222-id:33334444secretsecret"


def answering(kit, tools, say, *, seen=None, next_cursor=None):
    """Return a handler that is an MCP server with these tools; ``say(name, arguments)`` is the result of a call."""

    async def answer(request, writer):
        message = request.json() if request.body else {}
        if seen is not None:
            seen.append((message.get("method"), message.get("params"), request.headers))
        if "id" not in message:
            return kit.Reply(202)
        result = {
            "protocolVersion": "2025-06-18",
            "capabilities": {"tools": {}},
            "serverInfo": {"name": "x", "version": "1"},
        }
        if message["method"] == "tools/list":
            result = {"tools": tools, **({"nextCursor": next_cursor} if next_cursor else {})}
        elif message["method"] == "tools/call":
            result = say(message["params"]["name"], message["params"]["arguments"])
        return kit.Reply(200, {"jsonrpc": "2.0", "id": message["id"], "result": result})

    return answer


def tool(name, *arguments, required=()):
    schema = {
        "type": "object",
        "properties": {each: {"type": "string"} for each in arguments},
        "required": list(required),
    }
    return {"name": name, "inputSchema": schema}


def text(*texts, is_error=False):
    return {"content": [{"type": "text", "text": each} for each in texts], "isError": is_error}


@pytest.fixture
def ask():
    async def asked(base, question="recommend", words="a logo", **options):
        async with AsyncClient(KEY, base_url=base) as client:
            return await McpTools(client.http, **options).ask(question, words)

    return asked


@pytest.mark.parametrize(
    ("generation", "place"), [("first", "/mcp/mcp"), ("current", "/mcp/mcp-relay"), ("both", "/mcp/mcp")]
)
async def test_either_generation_is_found_by_its_list_of_tools(ask, generation, place):
    with SimulatorServer(speed=20, mcp=generation) as server:
        advice = await ask(server.base_url, words="a picture from text")
        docs = await ask(server.base_url, "docs", "webhook signature")
    assert advice.server == server.base_url + place
    assert advice.tool == "recommend_model"
    assert "fal-ai/flux" in advice.texts[0]
    assert (docs.tool, docs.server) == ("search_fal", f"{server.base_url}/mcp/docs")
    assert docs.texts[0].startswith("Title: Webhooks")


async def test_where_no_server_is_there_the_reasons_of_each_are_said(ask):
    with SimulatorServer(mcp="none") as server, pytest.raises(TransferError) as caught:
        await ask(server.base_url)
    assert str(caught.value).count("HTTP 404") == 2
    assert "%fal models" in str(caught.value)
    with pytest.raises(TransferError, match=r"fal\.ai/docs"):
        await ask("http://127.0.0.1:9", "docs")


async def test_a_key_that_is_refused_is_said_and_the_documentation_wants_none(ask):
    with SimulatorServer(require_key="another:key") as server:
        with pytest.raises(TransferError, match="HTTP 401"):
            await ask(server.base_url)
        assert (await ask(server.base_url, "docs", "errors")).texts


async def test_the_key_goes_to_the_tools_and_not_to_the_documentation(ask, make_wire, kit):
    seen = []
    wire = await make_wire(answering(kit, [tool("recommend_model", "task")], lambda *_: text("x"), seen=seen))
    await ask(wire.base)
    assert {headers["authorization"] for *_, headers in seen} == {f"Bearer {KEY}"}
    seen.clear()
    with pytest.raises(TransferError):  # none of them has a tool for it
        await ask(wire.base, "docs")
    assert [headers.get("authorization") for *_, headers in seen][:2] == [None, None]


@pytest.mark.parametrize(
    ("question", "tools", "name", "argument"),
    [
        ("recommend", [tool("recommend_model", "task", "limit")], "recommend_model", "task"),
        ("recommend", [tool("x"), tool("Fal-Recommend", "needs", required=["needs"])], "Fal-Recommend", "needs"),
        ("docs", [tool("SearchFalDocumentation", "limit", "q", required=["q"])], "SearchFalDocumentation", "q"),
        ("docs", [tool("search_models", "query"), tool("search_docs", "query")], "search_docs", "query"),
        ("recommend", [{"name": "recommend_models", "inputSchema": {"type": "object"}}], "recommend_models", "query"),
    ],
)
async def test_a_tool_is_chosen_by_its_name_and_asked_by_its_own_argument(
    ask, make_wire, kit, question, tools, name, argument
):
    called = []

    def say(*call):
        called.append(call)
        return text("said")

    wire = await make_wire(answering(kit, tools, say))
    assert (await ask(wire.base, question, "words")).texts == ("said",)
    assert called == [(name, {argument: "words"})]


async def test_a_server_without_such_a_tool_is_passed_over_and_its_tools_are_named(ask, make_wire, kit):
    wire = await make_wire(answering(kit, [tool("\x1b[31mpaint"), tool("sing")], lambda *_: text("x")))
    with pytest.raises(TransferError, match="it has no tool for that, only paint, sing"):
        await ask(wire.base)


async def test_a_tool_that_could_not_says_why(ask, make_wire, kit):
    say = lambda *_: text("the index is down \x1b[2J", is_error=True)  # noqa: E731
    wire = await make_wire(answering(kit, [tool("recommend_model", "task")], say))
    with pytest.raises(TransferError, match="could not: the index is down"):
        await ask(wire.base)


async def test_a_list_of_tools_that_goes_in_circles_is_left(ask, make_wire, kit):
    seen = []
    wire = await make_wire(answering(kit, [tool("sing")], lambda *_: text("x"), seen=seen, next_cursor="again"))
    with pytest.raises(TransferError):
        await ask(wire.base)
    assert sum(method == "tools/list" for method, *_ in seen) <= 4  # two servers


async def test_what_is_said_is_text_and_bounded_and_never_holds_the_key(ask, make_wire, kit):
    def say(name, arguments):
        parts = [
            {"type": "text", "text": f"\x1b[31m{KEY} {KEY.partition(':')[2]} " + "x" * 100_000},
            {"type": "resource_link", "uri": f"https://x.org/{KEY}", "name": f"\x1b]0;x\x07{KEY}"},
            {"type": "image", "data": "aGk=", "mimeType": "image/png"},
            {"type": "resource", "resource": {"uri": "a://b", "text": "inside"}},
        ]
        return {"content": parts * 40}

    wire = await make_wire(answering(kit, [tool("recommend_model", "task")], say))
    said = await ask(wire.base)
    assert len(said.texts) <= 50
    assert all(len(each) <= 20_000 and "\x1b" not in each for each in said.texts)
    assert "inside" in said.texts
    assert "secretsecret" not in repr(said)
    assert said.links[0][1] == "https://x.org/[key]"


async def test_an_error_that_says_the_key_back_says_it_to_nobody(ask, make_wire, kit):
    async def echo(request, writer):
        number = request.json().get("id") if request.body else None
        error = {
            "jsonrpc": "2.0",
            "id": number,
            "error": {"code": -32000, "message": f"bad {request.headers.get('authorization')}"},
        }
        return kit.Reply(200, error)

    wire = await make_wire(echo)
    with pytest.raises(TransferError) as caught:
        await ask(wire.base)
    assert "secretsecret" not in repr(caught.value)
    assert caught.value.__cause__ is None
    assert caught.value.__context__ is None


@pytest.mark.parametrize(
    "body", [b"", b"<html>no</html>", b"[" * 50_000, json.dumps({"jsonrpc": "2.0", "id": 1, "result": 7}).encode()]
)
async def test_what_is_no_mcp_server_is_one_line(ask, make_wire, kit, body):
    async def answer(request, writer):
        return kit.Reply(200, body, {"content-type": "application/json"})

    wire = await make_wire(answer)
    with pytest.raises(TransferError) as caught:
        await ask(wire.base)
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 700


async def test_a_redirect_is_not_followed(ask, make_wire, kit):
    visited = []

    async def elsewhere(request, writer):
        visited.append(request)
        return kit.Reply(200, {})

    other = await make_wire(elsewhere)

    async def answer(request, writer):
        return kit.Reply(307, b"", {"location": f"{other.base}/mcp"})

    wire = await make_wire(answer)
    with pytest.raises(TransferError):
        await ask(wire.base)
    assert not visited


async def test_a_server_that_is_silent_is_left_after_a_while(ask, make_wire):
    async def answer(request, writer):
        await asyncio.sleep(60)

    wire = await make_wire(answer)
    with pytest.raises(TransferError, match=r"no answer within 0\.2 s"):
        await ask(wire.base, limit_s=0.2)


async def test_without_the_package_the_line_says_what_to_install(ask, monkeypatch):
    def missing(name):
        raise ModuleNotFoundError(f"No module named {name!r}", name=name)

    monkeypatch.setattr(mcp_tools, "import_module", missing)
    with pytest.raises(ConfigError, match=r"mcp is not installed: pip install 'fal_nb\[mcp\]'"):
        await ask("http://127.0.0.1:9")
