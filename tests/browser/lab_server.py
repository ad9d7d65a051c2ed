"""A Jupyter server of this interpreter's environment, with every Jupyter folder in a temporary one."""

import json
import os
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

PATIENCE_S = 45.0


def until(condition, timeout_s=PATIENCE_S, interval_s=0.03, what=None):
    """Return the first truthy value of `condition()`; fails after `timeout_s`, saying what it waited for."""
    deadline = time.monotonic() + timeout_s
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > deadline:
            pytest.fail(f"not within {timeout_s} s: {what() if callable(what) else what or condition}")
        time.sleep(interval_s)


def free_port():
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return free.getsockname()[1]


class LabServer:
    """One Jupyter server of this interpreter's environment."""

    def __init__(self, folder, *, application="lab", environ=None):
        self.root = folder / "notebooks"
        self.root.mkdir()
        self.folder, self.application = folder, application
        port = free_port()
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
        self.home = Path(kept["FAL_NB_HOME"])
        self.set("@jupyterlab/apputils-extension", "notification", {"fetchNews": "false", "checkForUpdates": False})
        command = [
            sys.executable, "-m", "jupyter", application, "--no-browser", "--allow-root", "--ip=127.0.0.1",
            f"--port={port}", "--ServerApp.port_retries=0", "--IdentityProvider.token=", "--ServerApp.password=",
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
        self.process = subprocess.Popen(command, env=kept, stdout=self.log, stderr=self.log, start_new_session=True)
        until(lambda: self.get("/api/status"), 60, what="the Jupyter server to answer")

    def set(self, plugin, name, values):
        path = self.folder / "settings" / plugin / f"{name}.jupyterlab-settings"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(values))

    def get(self, path, method="GET"):
        request = urllib.request.Request(self.url + path, method=method)
        try:
            with urllib.request.urlopen(request, timeout=10) as answer:
                return json.loads(answer.read() or b"true")
        except (urllib.error.URLError, ConnectionError, TimeoutError):
            return None

    def end_kernels(self):
        for session in self.get("/api/sessions") or []:
            self.get(f"/api/sessions/{session['id']}", "DELETE")
        for kernel in self.get("/api/kernels") or []:
            self.get(f"/api/kernels/{kernel['id']}", "DELETE")

    def write(self, name, cells):
        notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(source.strip("\n")) for source in cells])
        notebook.metadata["kernelspec"] = {"name": "python3", "display_name": "Python 3", "language": "python"}
        nbformat.write(notebook, self.root / name)

    def read(self, name):
        return nbformat.read(self.root / name, as_version=4)

    def size(self, name):
        return (self.root / name).stat().st_size

    def copy(self, name, to, *, language="python", signed=False):
        """Write a copy that differs from what the author saved, as a stranger's would; `signed` trusts it again.

        Of a language without kernels no kernel is started.
        """
        notebook = self.read(name)
        notebook.cells.insert(0, nbformat.v4.new_markdown_cell("A copy."))
        notebook.metadata = {"kernelspec": {"name": f"{language}3", "display_name": language, "language": language}}
        nbformat.write(notebook, self.root / to)
        if signed:
            from nbformat.sign import NotebookNotary

            notary = NotebookNotary(data_dir=str(self.folder / "data"))
            notary.sign(self.read(to))
            notary.store.close()

    def record(self, request_id):
        """Return what the history file says of a request."""
        from fal_nb.ledger.store import HistoryStore

        with HistoryStore(self.home / "history.sqlite") as history:
            return history.find(request_id)

    def stop(self):
        self.end_kernels()
        os.killpg(self.process.pid, signal.SIGTERM)
        try:
            self.process.wait(15)
        except subprocess.TimeoutExpired:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait(15)
        self.log.close()
