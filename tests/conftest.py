"""What every test gets: a home of its own, no key, no proxies, no way to the outside."""

import pytest
from hypothesis import settings

# A busy machine is no mistake of the code: tests assert behaviour, not seconds.
settings.register_profile("suite", deadline=None)
settings.load_profile("suite")

_CLEARED = (
    "FAL_KEY", "FAL_KEY_ID", "FAL_KEY_SECRET", "FAL_NB_BASE_URL", "FAL_RUN_HOST", "FAL_QUEUE_RUN_HOST",
    "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY", "http_proxy", "https_proxy", "all_proxy", "no_proxy",
)  # fmt: skip


@pytest.fixture(scope="session", autouse=True)
def _no_drawing_process():
    """Files are looked into here, as where no process can be begun: thousands of sessions would each begin one.

    In the kernels and scripts that tests start it is there, and its own tests begin it.
    """
    from fal_nb.artifacts import drawing

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(drawing, "_started", lambda longest_s, idle_s: None)
        yield


@pytest.fixture(autouse=True)
def _own_home(tmp_path_factory, monkeypatch):
    home = tmp_path_factory.mktemp("home")
    for name in _CLEARED:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("FAL_NB_HOME", str(home / "fal_nb"))
    monkeypatch.setenv("XDG_DATA_HOME", str(home / "data"))
    monkeypatch.setenv("IPYTHONDIR", str(home / "ipython"))
    monkeypatch.setenv("PYTHON_KEYRING_BACKEND", "keyring.backends.null.Keyring")


def pytest_collection_modifyitems(items):
    """Put the modules that take longest first: workers that share the rest end together."""
    long = {item.path for item in items if item.get_closest_marker("slow") or item.get_closest_marker("kernel")}
    items.sort(key=lambda item: item.path not in long)
