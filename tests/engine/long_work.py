"""A kernel at long work, in small: cells run over and over, their cards shown again and again. Prints what it cost.

A program of its own, so that what is measured is the session and its views alone. The front end is a far end of the
comms that counts; no page answers.
"""

import asyncio
import contextlib
import gc
import json
import os
import sys
import threading
import time
import weakref
from pathlib import Path

import comm
from comm.base_comm import BaseComm
from IPython.core.displaypub import DisplayPublisher
from IPython.core.interactiveshell import InteractiveShell

from fal_nb.views import hub as hub_module
from fal_nb.workbench import Workbench

CELLS, JOBS_A_CELL = 4, 50
PICTURE, TEXT = "fal-ai/flux/schnell", "fal-ai/any-llm"
PICTURES_A_CELL = 10
SMALL = {"width": 64, "height": 64}


class CountingComm(BaseComm):
    """A comm whose far end only counts."""

    open_now = 0
    messages = 0

    def publish_msg(self, msg_type, data=None, metadata=None, buffers=None, **keys):
        CountingComm.messages += 1
        CountingComm.open_now += {"comm_open": 1, "comm_close": -1}.get(msg_type, 0)


class CountingPublisher(DisplayPublisher):
    """What cells show, counted."""

    def publish(self, *args, **keys):
        pass


class Shell:
    """What a notebook front end lets be seen of itself; `run` is one more execution of a cell."""

    kernel = object()
    user_ns = ()
    execution_count = 0
    parent_header = None

    def run(self, cell):
        self.execution_count += 1
        self.parent_header = {"header": {"msg_id": f"m{self.execution_count}"}, "metadata": {"cellId": cell}}


def memory_mb():
    gc.collect()
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 2**20


def handles():
    found = []
    for handle in Path("/proc/self/fd").iterdir():
        with contextlib.suppress(OSError):  # the one of this very list
            found.append(str(handle.readlink()))
    return found


def measure():
    found = handles()
    return {
        "memory_mb": round(memory_mb(), 1),
        "threads": threading.active_count(),
        "sockets": sum(name.startswith("socket:") for name in found),
        "files": sum(not name.startswith("socket:") for name in found),
        "comms": CountingComm.open_now,
    }


def work(bench, shell, jobs, held):
    """Run cells until so many jobs have ended, each of which is shown twice."""
    tag = shell.execution_count
    for done in range(0, jobs, JOBS_A_CELL):
        shell.run(f"cell {done // JOBS_A_CELL % CELLS}")
        names = [f"{tag} {done + number}" for number in range(JOBS_A_CELL)]
        pictures, texts = names[:PICTURES_A_CELL], names[PICTURES_A_CELL:]
        started = [bench.session.submit(PICTURE, {"prompt": name, "image_size": SMALL}) for name in pictures]
        started += [bench.session.submit(TEXT, {"prompt": name}) for name in texts]
        for job in started:
            bench.show_job(job)
        for job in started:
            job.get()
            bench.show_job(job)
        shell.run("held")
        bench.show_job(held)


def fill_pools(bench):
    """Bring pools that grow by need to their full size, so that what is open can be compared exactly."""

    async def all_workers():
        await asyncio.gather(*(asyncio.to_thread(time.sleep, 0.05) for _ in range(40)))

    bench.session.runtime.call(all_workers())
    with contextlib.ExitStack() as stack:
        for _ in range(4):
            stack.enter_context(bench.session.history._database.reading())


def settle(bench, before):
    """Wait until nothing is left to send, and idle connections are closed as they were before."""
    shell = bench._get_shell()
    for number in range(CELLS):
        shell.run(f"cell {number}")
        bench.show_job(bench.session.job())
    hub = bench.display.hub
    deadline = time.monotonic() + 60
    while (hub._dirty or hub._others or hub._leaving) and time.monotonic() < deadline:
        time.sleep(0.02)
    while before is not None and time.monotonic() < deadline:
        if all(value <= before[name] for name, value in measure().items() if name in {"sockets", "files"}):
            break
        time.sleep(0.2)


def main(base_url, home, warm_up, jobs):
    comm.create_comm = CountingComm
    hub_module.TICK_S = 0.005
    InteractiveShell.instance().display_pub = CountingPublisher()
    shell = Shell()
    os.environ["FAL_NB_BASE_URL"], os.environ["FAL_NB_HOME"] = base_url, home
    bench = Workbench(lambda: shell)
    shell.run("first")
    held = bench.session.submit(PICTURE, {"prompt": "held", "image_size": SMALL})
    held.get()
    work(bench, shell, warm_up, held)
    fill_pools(bench)
    settle(bench, None)
    before = measure()
    started = time.monotonic()
    work(bench, shell, jobs, held)
    took = time.monotonic() - started
    settle(bench, before)
    after = measure()
    first = bench.session.job(1)
    told = {
        "before": before,
        "after": after,
        "views": len(bench.display.hub._views),
        "jobs_in_memory": len(bench.session._jobs),
        "held_is_the_same": first is held,
        "held_has_its_picture": held.result().files[0].pil().size == (64, 64),
        "forgotten_comes_back": bench.session.job(2).result().files[0].pil().size == (64, 64),
        "records": bench.session.history.count(),
        "seconds": round(took, 1),
        "messages": CountingComm.messages,
    }
    reference = weakref.ref(bench.session.job(3))
    gc.collect()
    told["brought_back_is_remembered_a_while"] = reference() is not None
    print(json.dumps(told))
    bench.close()


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4]))
