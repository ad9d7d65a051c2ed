"""The one place that decides how things are shown, from what the front end says of itself."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from typing import Any, Literal, TypeAlias

__all__ = ["Rendering", "choose_rendering"]

Rendering: TypeAlias = Literal["live", "widget", "static", "terminal", "script"]
"""``live`` twins made live by the hub, ``widget`` a widget an output (frames of their own, or another host),
``static`` twins only (nobody watches), ``terminal`` text in IPython, ``script`` text in plain Python."""

_VS_CODE_MARK = "__vsc_ipynb_file__"
"""VS Code puts the notebook's path under this name into the user's variables."""


def choose_rendering(
    shell: Any, environ: Mapping[str, str] | None = None, modules: Mapping[str, Any] | None = None
) -> tuple[Rendering, str]:
    """Return how to show things now, and why, in words.

    Parameters
    ----------
    shell
        IPython's shell, or None outside IPython.
    """
    environ = os.environ if environ is None else environ
    modules = sys.modules if modules is None else modules
    if "marimo" in modules and _in_marimo(modules["marimo"]):
        return "widget", "marimo draws widgets itself"
    if shell is None:
        return "script", "this is plain Python"
    if "google.colab" in modules:
        return "widget", "Colab shows each output in a frame of its own"
    if getattr(shell, "kernel", None) is None:
        return "terminal", "this is IPython in a terminal"
    if _in_vs_code(shell, environ):
        return "widget", "VS Code shows outputs in a frame of their own"
    if _has_cell_id(shell):
        return "live", "a notebook front end sent this cell"
    return "static", "no notebook front end sent this cell, so nobody could click"


def _has_cell_id(shell: Any) -> bool:
    """Return whether the cell came from JupyterLab or Notebook 7.

    They name the cell in the metadata of their request; nbclient, papermill and a bare client do not.
    Source: jupyterlab ``OutputArea.execute`` (metadata ``cellId``), nbclient ``client.py``.
    """
    parent = getattr(shell, "parent_header", None)
    if not isinstance(parent, Mapping):
        return False
    metadata = parent.get("metadata")
    return isinstance(metadata, Mapping) and bool(metadata.get("cellId"))


def _in_marimo(marimo: Any) -> bool:
    running = getattr(marimo, "running_in_notebook", None)
    return bool(running()) if callable(running) else False


def _in_vs_code(shell: Any, environ: Mapping[str, str]) -> bool:
    """Return whether VS Code's notebook editor started this kernel, rather than a terminal inside VS Code."""
    if _VS_CODE_MARK in getattr(shell, "user_ns", ()):
        return True
    started_by_editor = "VSCODE_PID" in environ and environ.get("TERM_PROGRAM") != "vscode"
    return started_by_editor and "JPY_SESSION_NAME" not in environ
