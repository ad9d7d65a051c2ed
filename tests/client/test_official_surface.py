"""Code written for the official client finds the same names, keywords and defaults; what differs is listed with why."""

import inspect
import re
from pathlib import Path

import pytest

import fal_nb

fal_client = pytest.importorskip("fal_client")

DOCS = Path(__file__).parents[2] / "docs" / "fal_client.md"
INSIDE_AN_APP = "for code that runs inside a fal app, which a notebook does not"
SESSION = "the session decides: `fal.session()` is the one client, `fal.SyncClient()` a bare one"

ABSENT = {
    "set_get_current_app": INSIDE_AN_APP,
    "async_client": SESSION,
    "sync_client": SESSION,
    "version_tuple": "`importlib.metadata.version('fal_nb')` tells the version",
}
"""Public names of fal_client that are not here → why."""

OTHERWISE = {
    "run": {"method": "the session makes POSTs only; `AsyncClient.run` has it"},
    "run_async": {"method": "the session makes POSTs only; `AsyncClient.run` has it"},
    "status": {"application": "also takes a job", "request_id": "not needed for a job"},
    "result": {"application": "also takes a job", "request_id": "not needed for a job"},
    "cancel": {"application": "also takes a job", "request_id": "not needed for a job"},
}
"""Module function → parameters that are absent or have another name here → why."""

CLASSES = (
    "AsyncClient",
    "SyncClient",
    "AsyncRequestHandle",
    "SyncRequestHandle",
    "AsyncRealtimeConnection",
    "RealtimeConnection",
    "StorageSettings",
    "StorageACL",
    "StorageACLRule",
)
ABSENT_MEMBERS = {"client": "a frozen field of ours"}
DEFAULTS_OF_OURS = {"arguments", "headers"}
"""Parameters whose default here is another spelling of the same: none given."""


def public(module):
    return sorted(
        name for name in dir(module) if not name.startswith("_") and not inspect.ismodule(getattr(module, name))
    )


def members(cls):
    return sorted(
        name for name, value in vars(cls).items() if not name.startswith("_") and callable(getattr(cls, name))
    )


def differences(ours, theirs):
    """Return the parameters of theirs that ours does not take in the same way."""
    here = inspect.signature(ours).parameters
    different = []
    for wanted in inspect.signature(theirs).parameters.values():
        found = here.get(wanted.name)
        if (
            found is None
            or found.kind != wanted.kind
            or (wanted.name not in DEFAULTS_OF_OURS and found.default != wanted.default)
        ):
            different.append(wanted.name)
    return different


def test_every_public_name_is_here_or_listed_with_the_reason():
    absent = {name for name in public(fal_client) if name not in fal_nb.__all__}
    assert absent == set(ABSENT)


@pytest.mark.parametrize("name", [name for name in public(fal_client) if inspect.isroutine(getattr(fal_client, name))])
def test_functions_take_the_same_keywords_with_the_same_defaults(name):
    if name in ABSENT:
        return
    assert set(differences(getattr(fal_nb, name), getattr(fal_client, name))) == set(OTHERWISE.get(name, {}))


@pytest.mark.parametrize("cls", CLASSES)
def test_classes_have_the_same_members_and_signatures(cls):
    ours, theirs = getattr(fal_nb, cls), getattr(fal_client, cls)
    assert differences(ours.__init__, theirs.__init__) == [] or cls.endswith(("Handle", "Connection"))
    for name in members(theirs):
        if name in ABSENT_MEMBERS:
            assert not hasattr(ours, name), f"{name} is here now: take it off the list"
            continue
        assert hasattr(ours, name), name
        if name != "from_request_id":
            assert differences(getattr(ours, name), getattr(theirs, name)) == [], name


@pytest.mark.parametrize("name", ["Queued", "InProgress", "Completed"])
def test_statuses_have_the_same_fields(name):
    theirs = list(inspect.signature(getattr(fal_client, name)).parameters)
    assert list(inspect.signature(getattr(fal_nb, name)).parameters) == theirs
    assert issubclass(getattr(fal_nb, name), fal_nb.Status)


def test_errors_are_caught_by_the_same_names():
    assert issubclass(fal_nb.FalClientHTTPError, fal_nb.FalClientError)
    assert issubclass(fal_nb.FalClientTimeoutError, (fal_nb.FalClientError, TimeoutError))
    theirs = inspect.signature(fal_client.FalClientHTTPError).parameters
    assert [*inspect.signature(fal_nb.FalClientHTTPError).parameters][: len(theirs)] == [*theirs]
    for name in theirs:
        assert hasattr(fal_nb.FalClientHTTPError("x", 422), name)


def test_the_documents_table_lists_every_name_once():
    table = re.findall(r"^\| `(\w+)` \|", DOCS.read_text("utf-8"), re.MULTILINE)
    assert table == [*public(fal_client)]
    text = DOCS.read_text("utf-8")
    for name, why in ABSENT.items():
        assert f"| `{name}` | absent: {why} |" in text
