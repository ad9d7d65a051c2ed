import json

import pytest

from fal_nb import errors
from fal_nb.errors import (
    AccountLockedError,
    AuthenticationError,
    FalClientHTTPError,
    FalClientTimeoutError,
    FalError,
    NotFoundError,
    PermissionDeniedError,
    RateLimitedError,
    ServerError,
    ValidationError,
    error_from_response,
)


def test_every_error_is_under_the_one_root_and_drawn_in_the_docstring():
    for name in errors.__all__:
        value = getattr(errors, name)
        if isinstance(value, type):
            assert issubclass(value, FalError)
            assert name in errors.__doc__


def answer(status, body, **headers):
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    return error_from_response(status, {name.replace("_", "-"): value for name, value in headers.items()}, data)


@pytest.mark.parametrize(
    ("status", "body", "cls", "line"),
    [
        (401, {"detail": "Invalid API key"}, AuthenticationError, "Invalid API key (HTTP 401)"),
        (403, {"detail": "User is locked. Reason: Exhausted balance."}, AccountLockedError, "User is locked. Reason: Exhausted balance. (HTTP 403)"),
        (403, {"detail": "no"}, PermissionDeniedError, "no (HTTP 403)"),
        (404, {"status": "NOT_FOUND"}, NotFoundError, "NOT_FOUND (HTTP 404)"),
        (429, {"detail": "slow", "error_type": "concurrent_requests_limit"}, RateLimitedError, "slow (HTTP 429)"),
        (503, {"detail": "gone", "error_type": "runner_disconnected"}, ServerError, "gone (HTTP 503)"),
        (400, {"error": {"type": "validation_error", "message": "bad id"}}, FalClientHTTPError, "bad id (HTTP 400)"),
        (502, b"<html><h1>502</h1>nginx</html>", ServerError, "the gateway answered with an HTML page (HTTP 502)"),
        (500, b"", ServerError, "no detail (HTTP 500)"),
        (418, b"plain", FalClientHTTPError, "plain (HTTP 418)"),
        (
            422,
            {"detail": [{"loc": ["body", "num_images"], "msg": "must be at most 4", "type": "less_than_equal", "input": 9, "ctx": {"le": 4}}]},
            ValidationError,
            "num_images: must be at most 4, got 9 (le=4) (HTTP 422)",
        ),
    ],
)  # fmt: skip
def test_every_body_shape_becomes_one_line_of_the_right_class(status, body, cls, line):
    error = answer(status, body)
    assert type(error) is cls
    assert str(error) == line
    assert error.status_code == status


def test_the_error_type_comes_from_the_body_else_from_the_header():
    assert answer(503, {"detail": "x", "error_type": "a"}, x_fal_error_type="b").error_type == "a"
    assert answer(503, {"detail": "x"}, x_fal_error_type="b").error_type == "b"


def test_request_id_and_billable_units_are_kept():
    error = answer(422, {"detail": "x"}, x_fal_request_id="r1", x_fal_billable_units="0.5")
    assert (error.request_id, error.billable_units) == ("r1", 0.5)


def test_a_long_body_becomes_a_short_line():
    assert len(str(answer(500, {"detail": "x" * 10_000}))) < 700


def test_a_timeout_is_a_timeout_error_too():
    assert isinstance(FalClientTimeoutError(3, "r1"), TimeoutError)
    assert "3 s" in str(FalClientTimeoutError(3, "r1"))
