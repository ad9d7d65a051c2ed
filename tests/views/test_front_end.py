from types import ModuleType, SimpleNamespace

import pytest

from fal_nb.views.front_end import choose_rendering


def shell(*, kernel=True, cell_id=None, names=()):
    metadata = {"cellId": cell_id} if cell_id else {}
    return SimpleNamespace(
        kernel=object() if kernel else None,
        parent_header={"header": {}, "metadata": metadata},
        user_ns=dict.fromkeys(names),
    )


def marimo(*, running):
    module = ModuleType("marimo")
    module.running_in_notebook = lambda: running
    return module


@pytest.mark.parametrize(
    ("front_end", "environ", "modules", "expected"),
    [
        (None, {}, {}, "script"),
        (shell(kernel=False), {}, {}, "terminal"),
        (shell(cell_id="a1"), {}, {}, "live"),
        (shell(), {}, {}, "static"),
        (shell(), {"TERM_PROGRAM": "vscode", "VSCODE_PID": "1"}, {}, "static"),
        (shell(), {"VSCODE_PID": "1"}, {}, "widget"),
        (shell(cell_id="a1"), {"VSCODE_PID": "1", "JPY_SESSION_NAME": "x.ipynb"}, {}, "live"),
        (shell(names=["__vsc_ipynb_file__"]), {}, {}, "widget"),
        (shell(cell_id="a1"), {}, {"google.colab": object()}, "widget"),
        (None, {}, {"marimo": marimo(running=True)}, "widget"),
        (None, {}, {"marimo": marimo(running=False)}, "script"),
    ],
)
def test_the_front_end_decides_how_things_are_shown(front_end, environ, modules, expected):
    rendering, reason = choose_rendering(front_end, environ, modules)
    assert rendering == expected
    assert reason


def test_a_strange_parent_message_is_taken_as_nobody_watching():
    assert choose_rendering(SimpleNamespace(kernel=1, parent_header=None, user_ns={}), {}, {})[0] == "static"
