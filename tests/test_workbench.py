"""The one workbench of a process."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor

from fal_nb import workbench


def test_threads_that_are_first_at_once_get_the_same_workbench(monkeypatch):
    made = []

    class Slow(workbench.Workbench):
        def __init__(self, shell):
            time.sleep(0.02)
            super().__init__(shell)
            made.append(self)

    monkeypatch.setattr(workbench, "Workbench", Slow)
    workbench.current.forget()
    together = threading.Barrier(4)

    def ask(_):
        together.wait(5)
        return workbench.current()

    try:
        with ThreadPoolExecutor(4) as threads:
            benches = list(threads.map(ask, range(4)))
        assert len(made) == 1
        assert all(bench is made[0] for bench in benches)
    finally:
        for bench in made:
            bench.close()
        workbench.current.forget()
