"""A real JupyterLab in headless Chromium, with every Jupyter folder in a temporary one.

The simulator lives in the test's own process, so that a test reads what arrived at the server; the kernels reach it
by ``FAL_NB_BASE_URL``. Server, browser and JupyterLab's page are shared by tests as long as these pass; notebook, kernel
and simulator (always at the same address) are each test's own.
"""

import os
import shutil

import pytest

from .lab_server import PATIENCE_S, LabServer, free_port
from .notebook_page import NotebookPage
from .views import ShownViews

CHROMIUM_ARGUMENTS = [
    "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
]  # fmt: skip
OPEN_EXTENSION = "%load_ext fal_nb\nimport fal_nb, time"
"""The first cell of a notebook in these tests."""

FAILED = pytest.StashKey()


@pytest.fixture(scope="session")
def simulator_port():
    return free_port()


@pytest.fixture
def simulator(simulator_port, request):
    """A simulator of this test; parametrize it indirectly with its options."""
    from fal_nb.simulator.server import SimulatorServer

    options = {"runners": 2, "speed": 2.0} | getattr(request, "param", {})
    with SimulatorServer(port=simulator_port, **options) as server:
        yield server


@pytest.fixture(scope="session")
def start_server(tmp_path_factory, simulator_port):
    """Return a function that starts a Jupyter server whose kernels call the simulator."""
    servers = []

    def start(application):
        environ = {"FAL_NB_BASE_URL": f"http://127.0.0.1:{simulator_port}", "FAL_KEY": "test:key"}
        servers.append(LabServer(tmp_path_factory.mktemp(application), application=application, environ=environ))
        return servers[-1]

    yield start
    for server in servers:
        server.stop()


@pytest.fixture(scope="session")
def lab(start_server):
    return start_server("lab")


@pytest.fixture(scope="session")
def chromium():
    found = os.environ.get("FAL_NB_CHROMIUM") or shutil.which("chromium") or shutil.which("google-chrome")
    if not found:
        pytest.fail("no Chromium: install Debian's package chromium, or set FAL_NB_CHROMIUM")
    return found


@pytest.fixture(scope="session")
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
        context.set_default_timeout(PATIENCE_S * 1000)
        yield context
        context.close()


@pytest.fixture
def new_offline_page(browser):
    """Return a function that opens a page with its network off, while the other pages of the browser keep theirs."""
    pages = []

    def new():
        page = browser.new_page()
        pages.append(page)
        devtools = browser.new_cdp_session(page)
        devtools.send("Network.enable")
        devtools.send(
            "Network.emulateNetworkConditions",
            {"offline": True, "latency": 0, "downloadThroughput": -1, "uploadThroughput": -1},
        )
        return page

    yield new
    assert [page.evaluate("navigator.onLine") for page in pages] == [False] * len(pages)
    for page in pages:
        page.close()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item, call):
    report = yield
    if report.failed:
        item.stash[FAILED] = True
    return report


@pytest.fixture(scope="session")
def pages(browser):
    """The page that tests hand on as long as they pass, by its application."""
    return {}


@pytest.fixture
def open_notebook(browser, pages, simulator, request):
    """Return a function that writes a notebook of the given cells, opens it and runs the first one.

    Without cells it opens what is there. At the end of the test no page may have had an error, neither thrown nor on
    its console.
    """
    opened = []

    def open_cells(name, cells=None, *, server=None, kernel=True):
        server = server or request.getfixturevalue("lab")
        if cells is not None:
            server.write(name, [OPEN_EXTENSION, *cells])
        shared = pages.pop(server.application, None)
        notebook = NotebookPage(shared or browser.new_page(), server, name)
        opened.append(notebook)
        if shared:
            notebook.open_beside(name, kernel=kernel)
        else:
            notebook.open(kernel=kernel)
        if cells is not None:
            notebook.run(0)
        return notebook

    yield open_cells
    problems = [problem for notebook in opened for problem in notebook.problems]
    is_sound = not problems and not request.node.stash.get(FAILED, False)
    for notebook in opened:
        if not is_sound:
            notebook.shot(f"failed_{request.node.name[:60]}")
        application = notebook.server.application
        if is_sound and application == "lab" and application not in pages:
            notebook.leave()
            pages[application] = notebook.page
        else:
            notebook.page.close()
    for server in {notebook.server for notebook in opened}:
        server.end_kernels()
    assert problems == []


@pytest.fixture(scope="module")
def shown_views(browser, lab, simulator_port):
    """Every view of `views.VIEWS` in one notebook, for a whole module; its simulator is in nobody else's way."""
    from fal_nb.simulator.server import SimulatorServer

    with SimulatorServer(port=simulator_port, runners=6, speed=50.0) as server:
        lab.write("views.ipynb", [OPEN_EXTENSION, *ShownViews.cells()])
        notebook = NotebookPage(browser.new_page(), lab, "views.ipynb")
        server.fault("long", endpoint="simulator/sleep", seconds=3600)
        notebook.open()
        notebook.run_all()
        notebook.idle()
        yield ShownViews(notebook, server)
        problems = notebook.problems
        notebook.page.close()
        lab.end_kernels()
    assert problems == []
