"""Every line of ``docs/tools.md`` is run, and does the job of the tool it stands beside."""

import re
from pathlib import Path

import pytest
from PIL import Image

from fal_nb.simulator.mcp_tools import _TOOLS
from fal_nb.workbench import current

PAGE = (Path(__file__).parents[2] / "docs" / "tools.md").read_text("utf-8")
ROWS = re.findall(r"^\| (?!Tool)(?!---)([^|]+) \| `([^|]+)` \| `([^|]+)` \|$", PAGE, re.MULTILINE)
PREPARED = re.search(r"```python\n(.*?)```", PAGE, re.DOTALL)[1].splitlines()[1:]
MCP = {
    "search_models", "get_model_schema", "get_pricing", "search_docs", "run_model", "submit_job", "check_job", "upload_file",
    "recommend_model",
}  # fmt: skip
INTEGRATION = {"Run Model", "Submit Queue Request", "Get Queue Status", "Get Queue Result", "Cancel Queue Request"}
# Tool → the requests that its line makes; it does its job by them.
ASKS = {
    "search_models": {"platform_models"}, "get_model_schema": {"openapi"}, "get_pricing": {"platform_pricing"},
    "search_docs": {"mcp_docs"}, "recommend_model": {"mcp"}, "run_model": {"submit", "result"}, "submit_job": {"submit"},
    "upload_file": {"upload"}, "Run Model": {"run"}, "Submit Queue Request": {"submit"},
}  # fmt: skip


def test_the_page_names_every_tool_there_is():
    named = {name for cell, *_ in ROWS for name in re.findall(r"`(\w+_\w+)`", cell)}
    assert named >= MCP
    assert named >= {tool.name for generation in ("first", "current") for tool in _TOOLS[generation]}
    assert {cell for cell, *_ in ROWS if "`" not in cell} == INTEGRATION
    assert len(ROWS) == 16
    assert PAGE.count("\n| ") - PAGE.count("\n| Tool") == len(ROWS)  # no row that is not read


@pytest.mark.parametrize("column", [1, 2], ids=["magic", "python"])
def test_every_line_does_its_job(column, run, shell, simulator, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Image.new("RGB", (8, 8), "orange").save("fox.png")
    simulator.reset()
    for line in PREPARED:
        run(line)
    for tool, *lines in ROWS:
        name = re.sub("`", "", tool)
        if "cancel" in name.lower():
            simulator.set_runners(0)
            shell.user_ns["job"] = shell.user_ns["queued"] = run("%fal submit fal-ai/flux/schnell prompt=slow")[
                1
            ].result
            wait_until_queued(shell.user_ns["job"])
        before = simulator.counters()
        printed, done = run(lines[column - 1])
        assert done.success, f"{lines[column - 1]}: {printed}"
        check(name, done.result, shell.user_ns, simulator)
        asked = {kind for kind, count in simulator.counters().items() if count > before.get(kind, 0)}
        assert asked >= ASKS.get(name, set()), f"{name}: {asked}"
        simulator.set_runners(4)


def wait_until_queued(job):
    for snapshot in job.iter_snapshots():
        if snapshot.state == "QUEUED":
            return


def check(name, value, variables, simulator):  # noqa: C901 - a line for each tool
    """The value is what the tool would have given."""
    match name:
        case "search_models":
            assert "fal-ai/flux/schnell" in value
        case "get_model_schema":
            assert value["prompt"].required
        case "get_pricing":
            assert value.unit_price == 0.003
        case "search_docs":
            assert any("Queue" in hint.title for hint in value)
        case "recommend_model":
            assert "fal-ai/flux/schnell" in value.endpoints
        case "run_model" | "Run Model" | "Get Queue Result" | "check_job with result, get_job_result":
            assert value["images"]
        case "upload_file":
            assert str(value or variables["url"]).startswith(simulator.base_url)
        case "submit_job":
            assert (value or variables["job"]).wait(30).state == "SUCCEEDED"
        case "Submit Queue Request":
            assert variables["queued"].wait(30).state == "SUCCEEDED"
        case "Cancel Queue Request" | "check_job with cancel, cancel_job":
            assert variables["job"].wait(30).state == "CANCELLED"
        case "check_job" | "Get Queue Status":
            assert value is not None
        case _:
            raise AssertionError(f"nothing is known of {name}")
    assert current().session.settings.hosts.base == simulator.base_url
