import os

import pytest
from jupyter_client.manager import start_new_kernel

from fal_nb.simulator.server import SimulatorServer


@pytest.fixture(scope="module")
def simulator():
    with SimulatorServer(runners=8, speed=20) as server:
        yield server


class Kernel:
    """A real kernel, driven as a bare client would."""

    def __init__(self, environ):
        self.manager, self.client = start_new_kernel(kernel_name="python3", env={**os.environ, **environ})

    def run(self, code, timeout_s=120):
        """Run code and return (what it printed, the text of its outputs); fails on an error."""
        printed, shown, error = [], [], None

        def take(message):
            nonlocal error
            content = message["content"]
            match message["msg_type"]:
                case "stream":
                    printed.append(content["text"])
                case "display_data" | "execute_result" | "update_display_data":
                    shown.append(content["data"])
                case "error":
                    error = content
                case _:
                    pass

        self.client.execute_interactive(code, output_hook=take, timeout=timeout_s)
        assert error is None, error
        return "".join(printed), shown

    def start(self, code):
        """Have code run and return at once."""
        return self.client.execute(code)

    def finish(self, request_id, timeout_s=120):
        """Return how the code that was started ended: ``ok`` or ``error``."""
        while True:
            message = self.client.get_shell_msg(timeout=timeout_s)
            if message["parent_header"].get("msg_id") == request_id:
                return message["content"]["status"]

    def stop(self):
        self.client.stop_channels()
        self.manager.shutdown_kernel(now=True)
        self.manager.cleanup_resources()


@pytest.fixture
def start_kernel(simulator, tmp_path):
    kernels = []

    def start():
        kernel = Kernel({"FAL_NB_BASE_URL": simulator.base_url, "FAL_NB_HOME": str(tmp_path / "home")})
        kernels.append(kernel)
        return kernel

    yield start
    for kernel in kernels:
        kernel.stop()
