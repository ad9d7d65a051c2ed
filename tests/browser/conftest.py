"""A real JupyterLab in headless Chromium, with every Jupyter folder in a temporary one."""

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

import nbformat
import pytest

CHROMIUM_ARGUMENTS = [
    "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
]  # fmt: skip
SHOTS = Path(__file__).parents[2] / "build" / "screenshots"


def until(condition, timeout_s=30.0, interval_s=0.03):
    """Return the first truthy value of `condition()`; fails after `timeout_s`."""
    deadline = time.monotonic() + timeout_s
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {timeout_s} s: {condition}")
        time.sleep(interval_s)


class LabServer:
    """One Jupyter server of this interpreter's environment."""

    def __init__(self, folder, *, application="lab", environ=None):
        self.root = folder / "notebooks"
        self.root.mkdir()
        self.application = application
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        self.url = f"http://127.0.0.1:{port}"
        kept = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith(("JUPYTER", "IPYTHON", "FAL_", "VSCODE"))
        }
        kept |= {
            "JUPYTER_CONFIG_DIR": str(folder / "config"),
            "JUPYTER_DATA_DIR": str(folder / "data"),
            "JUPYTER_RUNTIME_DIR": str(folder / "runtime"),
            "IPYTHONDIR": str(folder / "ipython"),
            "JUPYTERLAB_SETTINGS_DIR": str(folder / "settings"),
            "JUPYTERLAB_WORKSPACES_DIR": str(folder / "workspaces"),
            "FAL_NB_HOME": str(folder / "fal_nb"),
            **(environ or {}),
        }  # fmt: skip
        self.set(
            "@jupyterlab/apputils-extension", "notification", {"fetchNews": "false", "checkForUpdates": False}, folder
        )
        command = [
            sys.executable, "-m", "jupyter", application, "--no-browser", "--allow-root", "--ip=127.0.0.1", f"--port={port}",
            "--ServerApp.port_retries=0", "--IdentityProvider.token=", "--ServerApp.password=",
            f"--ServerApp.root_dir={self.root}", "--ServerApp.disable_check_xsrf=True",
        ]  # fmt: skip
        if application == "lab":
            command += [
                "--LabApp.expose_app_in_browser=True",
                "--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate",
            ]
        else:
            command += ["--JupyterNotebookApp.expose_app_in_browser=True"]
        self.log = (folder / "server.log").open("w")
        self.folder = folder
        self.process = subprocess.Popen(command, env=kept, stdout=self.log, stderr=self.log, start_new_session=True)
        until(lambda: self.get("/api/status"), 60)

    def set(self, plugin, name, values, folder=None):
        path = (folder or self.folder) / "settings" / plugin / f"{name}.jupyterlab-settings"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(values))

    def get(self, path, method="GET"):
        request = urllib.request.Request(self.url + path, method=method)
        try:
            with urllib.request.urlopen(request, timeout=5) as answer:
                return json.loads(answer.read() or b"true")
        except (urllib.error.URLError, ConnectionError, TimeoutError):
            return None

    def end_kernels(self):
        for kernel in self.get("/api/kernels") or []:
            self.get(f"/api/kernels/{kernel['id']}", "DELETE")

    def write(self, name, cells):
        notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(source) for source in cells])
        notebook.metadata["kernelspec"] = {"name": "python3", "display_name": "Python 3", "language": "python"}
        nbformat.write(notebook, self.root / name)

    def read(self, name):
        return nbformat.read(self.root / name, as_version=4)

    def stop(self):
        self.end_kernels()
        os.killpg(self.process.pid, signal.SIGTERM)
        try:
            self.process.wait(15)
        except subprocess.TimeoutExpired:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait(15)
        self.log.close()


class NotebookPage:
    """A notebook open in the browser; its methods are what a person does."""

    def __init__(self, page, server, name):
        self.page, self.server, self.name = page, server, name
        self.problems = []
        page.on("pageerror", lambda error: self.problems.append(str(error)))
        page.on("console", lambda line: self.problems.append(line.text) if line.type == "error" else None)
        self.messages = []
        page.on("websocket", lambda ws: ws.on("framereceived", lambda data: self.messages.append((time.time(), data))))

    def open(self, *, reset=True):
        where = "lab/tree" if self.server.application == "lab" else "notebooks"
        self.page.goto(f"{self.server.url}/{where}/{self.name}{'?reset' if reset else ''}")
        self.page.wait_for_selector(".jp-Notebook .jp-Cell", timeout=60_000)
        self.page.wait_for_function("() => window.jupyterapp?.shell?.currentWidget?.sessionContext?.session?.kernel")
        self.page.evaluate("() => window.jupyterapp.restored")
        self.idle()
        return self

    def command(self, name):
        self.page.evaluate(f"() => {{ window.jupyterapp.commands.execute({name!r}) }}")

    def run_all(self):
        self.command("notebook:run-all-cells")

    def run(self, index):
        self.page.evaluate(
            """(i) => { const content = window.jupyterapp.shell.currentWidget.content;
                content.activeCellIndex = i; content.deselectAll();
                window.jupyterapp.commands.execute('notebook:run-cell') }""",
            index,
        )

    def stop(self):
        self.page.locator('.jp-NotebookPanel-toolbar [data-command="notebook:interrupt-kernel"]').first.click()

    def save(self):
        self.page.evaluate("() => window.jupyterapp.commands.execute('docmanager:save')")

    def is_idle(self):
        return self.page.evaluate(
            """() => window.jupyterapp.shell.currentWidget.sessionContext.session?.kernel?.status === 'idle'
                && ![...document.querySelectorAll('.jp-InputPrompt')].some(p => p.textContent.includes('*'))"""
        )

    def idle(self, timeout_s=90):
        def quiet():
            if not self.is_idle():
                return False
            self.page.wait_for_timeout(150)
            return self.is_idle()

        until(quiet, timeout_s)

    def is_running(self, index):
        return self.page.evaluate(
            "(i) => document.querySelectorAll('.jp-CodeCell .jp-InputPrompt')[i].textContent.includes('*')", index
        )

    def outputs(self, index):
        return self.page.evaluate(
            "(i) => window.jupyterapp.shell.currentWidget.content.widgets[i].model.outputs.toJSON()", index
        )

    def text(self, index):
        return self.page.locator(".jp-CodeCell").nth(index).locator(".jp-OutputArea").inner_text()

    def theme(self, name):
        self.page.evaluate("(name) => window.jupyterapp.commands.execute('apputils:change-theme', {theme: name})", name)
        light = "true" if "Light" in name else "false"
        self.page.wait_for_selector(f'body[data-jp-theme-light="{light}"]')

    def shot(self, name):
        SHOTS.mkdir(parents=True, exist_ok=True)
        path = SHOTS / f"{name}.png"
        self.page.screenshot(path=str(path))
        return path

    def card(self, index=0):
        """The live card in a cell's output."""
        return self.page.locator(".jp-CodeCell").nth(index).locator(".fal-nb-card")


@pytest.fixture(scope="module")
def simulator():
    """A simulator of this test module, whose counters the tests read."""
    from fal_nb.simulator.server import SimulatorServer

    with SimulatorServer(runners=2, speed=1.0) as server:
        yield server


@pytest.fixture(scope="module")
def lab(tmp_path_factory, simulator):
    server = LabServer(
        tmp_path_factory.mktemp("lab"), environ={"FAL_NB_BASE_URL": simulator.base_url, "FAL_KEY": "test:key"}
    )
    yield server
    server.stop()


@pytest.fixture(scope="session")
def chromium():
    found = os.environ.get("FAL_NB_CHROMIUM") or shutil.which("chromium") or shutil.which("google-chrome")
    if not found:
        pytest.fail("no Chromium: install Debian's package chromium, or set FAL_NB_CHROMIUM")
    return found


@pytest.fixture(scope="module")
def browser(chromium, tmp_path_factory):
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        context = playwright.chromium.launch_persistent_context(
            str(tmp_path_factory.mktemp("profile")),
            executable_path=chromium,
            headless=True,
            args=CHROMIUM_ARGUMENTS,
            viewport={"width": 1280, "height": 900},
        )
        yield context
        context.close()


@pytest.fixture
def open_notebook(browser, lab):
    """Return a function that writes a notebook of the given cells and opens it."""
    pages = []

    def open_cells(name, cells=None, *, server=None):
        server = server or lab
        if cells is not None:
            server.write(name, cells)
        page = browser.new_page()
        pages.append(page)
        return NotebookPage(page, server, name).open()

    yield open_cells
    for page in pages:
        page.close()
    lab.end_kernels()
