"""With the oldest IPython, ipykernel, ipywidgets and pandas supported (Colab's pins): the main job works."""

import os
from importlib.metadata import version

import pytest
from jupyter_client.manager import start_new_kernel

from fal_nb.simulator.server import SimulatorServer


@pytest.fixture(scope="module")
def kernel(tmp_path_factory):
    with SimulatorServer(runners=4, speed=20) as simulator:
        environ = {"FAL_NB_BASE_URL": simulator.base_url, "FAL_NB_HOME": str(tmp_path_factory.mktemp("home"))}
        manager, client = start_new_kernel(kernel_name="python3", env={**os.environ, **environ})
        yield client
        client.stop_channels()
        manager.shutdown_kernel(now=True)
        manager.cleanup_resources()


@pytest.fixture
def run(kernel):
    def run_code(code):
        messages = []
        kernel.execute_interactive(code, output_hook=messages.append, timeout=60)
        errors = [message["content"] for message in messages if message["msg_type"] == "error"]
        assert not errors, errors
        printed = "".join(message["content"]["text"] for message in messages if message["msg_type"] == "stream")
        shown = [
            message["content"]["data"]
            for message in messages
            if "data" in message["content"] and message["msg_type"] != "comm_open"
        ]
        opened = [message["content"] for message in messages if message["msg_type"] == "comm_open"]
        return printed, shown, opened

    return run_code


def test_these_are_the_pins():
    assert (version("ipython"), version("ipykernel"), version("ipywidgets"), version("pandas")) == (
        "7.34.0",
        "6.17.1",
        "7.7.1",
        "2.2.2",
    )


def test_load_run_submit_and_history(run):
    run("%load_ext fal_nb")
    _, shown, _ = run("picture = %fal run fal-ai/flux/schnell prompt='a red fox' image_size=square seed=2")
    assert "data:image/webp;base64," in shown[-1]["text/html"]
    assert run("print(picture.files[0].pil().size)")[0] == "(512, 512)\n"
    run("job = %fal submit fal-ai/flux/schnell prompt=later")
    run("%fal wait")
    assert run("print(job.state)")[0] == "SUCCEEDED\n"
    printed, _, _ = run("import fal_nb as fal; print(fal.history()[['prompt', 'seed', 'state']].to_string())")
    assert "a red fox" in printed
    assert "later" in printed


def test_errors_are_one_line_and_tb_shows_the_rest(run, kernel):
    messages = []
    kernel.execute_interactive("%fal rnu x", output_hook=messages.append, timeout=60)
    (error,) = [message["content"] for message in messages if message["msg_type"] == "error"]
    assert len(error["traceback"]) == 1
    assert "did you mean run" in error["traceback"][0]


def test_a_card_is_a_widget_where_outputs_have_frames_of_their_own(run):
    run("import fal_nb as fal; job = fal.submit('fal-ai/flux/schnell', {'prompt': 'framed'}); job.wait()")
    _, _, opened = run("widget = fal.card(job).widget")
    states = [comm["data"]["state"] for comm in opened]
    assert any("_esm" in state and state["state"]["endpoint"] == "fal-ai/flux/schnell" for state in states)


def test_tab_completes_lines_and_bodies_there_too(run, kernel):
    run("%load_ext fal_nb")
    run("%fal run fal-ai/flux/schnell prompt=known --note first;")

    def offers(source):
        """Return what Tab makes of a source in which ``|`` is the cursor."""
        code, cursor = source.replace("|", ""), source.index("|")
        found = kernel.complete(code, cursor, reply=True, timeout=60)["content"]
        start, end = found["cursor_start"], found["cursor_end"]
        types = [one["type"] for one in found["metadata"].get("_jupyter_types_experimental", [])]
        return [code[:start] + text + code[end:] for text in found["matches"]], types

    assert offers("%fal subm|")[0] == ["%fal submit"]
    assert "x = %fal run fal-ai/flux/schnell" in offers("x = %fal run schn|")[0]
    names, kinds = offers("%fal run fal-ai/flux/schnell |")
    assert names[0] == "%fal run fal-ai/flux/schnell prompt="
    assert kinds[0] == "required, text"
    assert offers("%fal run fal-ai/flux/schnell output_format=pn|")[0] == [
        "%fal run fal-ai/flux/schnell output_format=png"
    ]
    assert offers("%%fal sweep fal-ai/flux/schnell\nprompt: a fox\nnum_im|")[0] == [
        "%%fal sweep fal-ai/flux/schnell\nprompt: a fox\nnum_images: "
    ]
    assert offers("%fal result #|")[0][0].startswith("%fal result #")
    assert "print" in offers("pri|")[0]
    assert run("print(get_ipython().complete('', '%fal subm', 9)[1])")[0] == "['submit']\n"
    assert run("print(get_ipython().complete('', 'x = %fal wa', 11)[1])")[0] == "['wait']\n"
    run("%unload_ext fal_nb")
    assert "%fal submit" not in offers("%fal subm|")[0]
    run("%load_ext fal_nb")


def test_a_form_is_a_widget_there_and_works(run):
    run("import fal_nb as fal; form = fal.form('fal-ai/flux/schnell', {'prompt': 'framed'})")
    _, _, opened = run("widget = form.widget")
    (state,) = [comm["data"]["state"] for comm in opened if "_esm" in comm["data"]["state"]]
    assert state["state"]["endpoint"] == "fal-ai/flux/schnell"
    assert "num_inference_steps" in state["state"]["fields"]
    assert "framed" in state["state"]["cell"]
    # A click, as the page would send it: the card of the call is part of the widget's state.
    click = "{'kind': 'run', 'page': 'p', 'edit': 1, 'values': '{\"prompt\": \"clicked\"}'}"
    run(f"widget._handle_custom_msg({click}, [])")
    run("import time\nwhile not any('SUCCEEDED' in str(v) for v in widget.state.values()): time.sleep(0.05)")
    printed, _, _ = run("print(form.arguments, fal.history(limit=1)['prompt'].iloc[0])")
    assert printed == "{'prompt': 'clicked'} clicked\n"
