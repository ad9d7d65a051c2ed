"""A real IPython shell with the extension loaded, and a simulator to call."""

import pytest
from IPython.core.interactiveshell import InteractiveShell
from traitlets.config import Config

from fal_nb import workbench
from fal_nb.simulator.server import SimulatorServer
from fal_nb.workbench import current


@pytest.fixture(scope="module")
def simulator():
    with SimulatorServer(runners=4, speed=20) as server:
        yield server


@pytest.fixture
def shell(simulator, monkeypatch, capsys):
    simulator.clear_faults()
    monkeypatch.setenv("FAL_NB_BASE_URL", simulator.base_url)
    shell = InteractiveShell(config=Config({"HistoryManager": {"enabled": False}}))
    monkeypatch.setattr(workbench, "_shell", lambda: shell)
    current.forget()
    shell.run_cell("%load_ext fal_nb")
    yield shell
    current().close()
    current.forget()


@pytest.fixture
def run(shell, capsys):
    """Run a cell and return (what it printed, its result)."""

    def run_cell(source):
        capsys.readouterr()
        done = shell.run_cell(source)
        return capsys.readouterr().out, done

    return run_cell
