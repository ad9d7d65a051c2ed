"""`event_loop = 'kernel'` in real kernels: async callbacks use what belongs to the kernel's own loop."""

import os
import sys
from pathlib import Path

import pytest
from jupyter_client.kernelspec import KernelSpec
from jupyter_client.manager import KernelManager

pytestmark = [pytest.mark.kernel, pytest.mark.slow]

OLDER = Path(__file__).parents[2] / ".envs" / "lab43" / "bin" / "python"

# A future belongs to the loop it was made on: awaited on another one it raises, so this tells the loops apart.
OBJECTS = """
import asyncio, time
import fal_nb as fal
%load_ext fal_nb
home = asyncio.get_running_loop()
opened = home.create_future()
home.call_later(0.2, opened.set_result, "the door")
seen, ticks = [], []
async def note(status):
    seen.append((await opened, asyncio.get_running_loop() is home))
async def tick():
    while True:
        ticks.append(time.monotonic())
        await asyncio.sleep(0.02)
ticking = asyncio.ensure_future(tick())
await asyncio.sleep(0)
"""
STOP_ONCE_IT_RUNS = """
import os, signal, threading
def stop():
    while not len(fal.history(state="RUNNING")):
        time.sleep(0.05)
    os.kill(os.getpid(), signal.SIGINT)
"""
CALL = 'fal.subscribe("simulator/sleep", {"seconds": 10}, on_queue_update=note)'


@pytest.fixture(params=[Path(sys.executable), OLDER], ids=["newest", "older"])
def run(request, simulator, tmp_path):
    """Return a function that runs code in a kernel and returns (what it printed, the error's text)."""
    assert request.param.exists(), f"{request.param} is missing: make test sets it up"
    manager = KernelManager(kernel_name="python3")
    argv = [str(request.param), "-m", "ipykernel_launcher", "-f", "{connection_file}"]
    manager._kernel_spec = KernelSpec(argv=argv, display_name="Python 3", language="python")
    environ = {"FAL_NB_BASE_URL": simulator.base_url, "FAL_NB_HOME": str(tmp_path / "home")}
    manager.start_kernel(env={**os.environ, **environ})
    client = manager.client()
    client.start_channels()
    client.wait_for_ready(timeout=60)

    def run_code(code):
        printed, errors = [], []

        def take(message):
            content = message["content"]
            if message["msg_type"] == "stream":
                printed.append(content["text"])
            elif message["msg_type"] == "error":
                errors.append(f"{content['ename']}: {content['evalue']}")

        client.execute_interactive(code, output_hook=take, timeout=60)
        return "".join(printed), "".join(errors)

    yield run_code
    client.stop_channels()
    manager.shutdown_kernel(now=True)
    manager.cleanup_resources()


def test_an_async_callback_uses_what_a_top_level_await_made_and_the_loop_turns_meanwhile(run):
    assert run(OBJECTS) == ("", "")
    # In the other mode it has a loop of its own, so what belongs to the kernel's is refused by asyncio.
    assert "attached to a different loop" in run(CALL)[1]
    run("%config FalMagics.event_loop = 'kernel'\nseen.clear()")
    run(f"before = len(ticks)\n{CALL}")
    assert run("print(set(seen), len(seen) > 0, len(ticks) - before > 3)") == (
        "{('the door', True)} True True\n",
        "",
    )
    # A job, a stream's events and a wait let the loop turn too, and jobs go on as before.
    run("before = len(ticks)\njob = fal.submit('simulator/sleep', {'seconds': 10})\njob.wait()")
    assert run("print(job.state, len(ticks) - before > 3)")[0] == "SUCCEEDED True\n"
    run("before = len(ticks)\nlist(fal.stream('fal-ai/any-llm', {'prompt': 'Why?'}))")
    assert run("print(len(ticks) > before)")[0] == "True\n"
    assert "patched in this whole process" in run("%fal config")[0]


def test_an_interrupt_of_a_nested_wait_cancels_and_the_kernel_goes_on(run, simulator):
    run(OBJECTS)
    run("%config FalMagics.event_loop = 'kernel'")
    run(STOP_ONCE_IT_RUNS)
    printed, error = run("threading.Thread(target=stop).start()\nfal.subscribe('simulator/sleep', {'seconds': 2000})")
    assert error.startswith("KeyboardInterrupt"), (printed, error)
    after = run("await asyncio.sleep(0.05)\nprint(len(ticks) > 0, fal.history()['state'].iloc[0])")
    assert after == ("True CANCELLED\n", "")


def test_without_it_nothing_of_asyncio_is_patched(run):
    run(OBJECTS)
    run("fal.subscribe('simulator/sleep', {'seconds': 0})")
    # ipykernel itself imports the package for other front ends' loops; what counts is that nobody applied it.
    assert run("print(hasattr(asyncio, '_nest_patched'))")[0] == "False\n"
