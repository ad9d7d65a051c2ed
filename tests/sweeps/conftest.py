import time

import pytest


@pytest.fixture
def wait_for():
    def wait(condition, timeout_s=20.0):
        deadline = time.monotonic() + timeout_s
        while not (value := condition()):
            assert time.monotonic() < deadline, "not in time"
            time.sleep(0.01)
        return value

    return wait
