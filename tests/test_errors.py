import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

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
    RequestCancelledError,
    ServerError,
    ValidationError,
    error_from_response,
)
from fal_nb.plain import is_plain
from fal_nb.simulator.error_catalogue import MODEL_ERRORS, REQUEST_ERRORS, RETRYABLE_REQUEST_ERRORS


def test_every_error_is_under_the_one_root_and_drawn_in_the_docstring():
    for name in errors.__all__:
        value = getattr(errors, name)
        if isinstance(value, type) and name != "RefusedField":
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
        (499, {"detail": ""}, RequestCancelledError, "no detail (HTTP 499)"),
        (499, {"detail": " \n", "error_type": "client_cancelled"}, RequestCancelledError, "client_cancelled: no detail (HTTP 499)"),
        (503, {"detail": None, "error_type": "runner_disconnected"}, ServerError, "runner_disconnected: no detail (HTTP 503)"),
        (422, {"detail": []}, ValidationError, "no detail (HTTP 422)"),
        (400, {}, FalClientHTTPError, "no detail (HTTP 400)"),
        (418, b"plain", FalClientHTTPError, "plain (HTTP 418)"),
        (
            422,
            {"detail": [{"loc": ["body", "num_images"], "msg": "must be at most 4", "type": "less_than_equal", "input": 9, "ctx": {"le": 4}}]},
            ValidationError,
            "num_images: must be at most 4, got 9 (HTTP 422)",
        ),
        (
            422,
            {"detail": [{"loc": ["body", "image_url"], "msg": "Upload the file first.", "type": "x", "input": "u"}]},
            ValidationError,
            'image_url: Upload the file first, got "u" (HTTP 422)',
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


@pytest.mark.parametrize("error_type", sorted(MODEL_ERRORS))
def test_every_error_of_a_model_holds_its_fields_and_reads_as_one_line(error_type):
    status, message, context = MODEL_ERRORS[error_type]
    item = {"loc": ["body", "image_size", "width"], "msg": message, "type": error_type, "input": 7, "ctx": context}
    error = answer(status, {"detail": [item]}, x_fal_billable_units="0", x_fal_request_id="r-1")
    (field,) = error.fields
    assert (field.path, field.where, field.type) == (("image_size", "width"), "image_size.width", error_type)
    assert (field.given, dict(field.allowed)) == (7, context)
    assert error.error_type == error_type
    assert (error.request_id, error.billable_units) == ("r-1", 0)
    assert str(error).startswith(f"image_size.width: {message}, got 7")
    assert str(error).isprintable()
    for value in context.values():
        assert str(value) in str(error) or json.dumps(value)[:80] in str(error)
    assert error.is_retryable is (status >= 500 or error_type == "downstream_service_error")


@pytest.mark.parametrize("error_type", sorted(REQUEST_ERRORS))
def test_every_error_of_a_request_is_read_by_type_and_worth_retrying_as_fal_says(error_type):
    status = REQUEST_ERRORS[error_type]
    error = answer(status, {"detail": "it failed", "error_type": error_type}, x_fal_error_type=error_type)
    assert (error.status_code, error.error_type, error.detail) == (status, error_type, "it failed")
    assert str(error) == f"it failed (HTTP {status})"
    assert error.is_retryable is (error_type in RETRYABLE_REQUEST_ERRORS)
    assert error.fields == ()


@pytest.mark.parametrize("name", ["x_fal_retryable", "x_fal_needs_retry"])
def test_what_fal_says_of_retrying_wins_under_both_names_and_spellings(name):
    for said, wanted in (("true", True), ("1", True), ("false", False), ("0", False)):
        assert answer(500, {"detail": "x", "error_type": "internal_error"}, **{name: said}).is_retryable is wanted
    assert answer(429, {"detail": "x"}, **{name: "odd"}).is_retryable


def test_a_missed_start_is_told_from_other_timeouts():
    error = answer(504, {"detail": "x", "error_type": "request_timeout"}, x_fal_request_timeout_type="user")
    assert str(error).startswith("No runner took the request within its start timeout")
    assert "start timeout" not in str(answer(504, {"detail": "x", "error_type": "request_timeout"}))


def test_several_fields_older_types_and_indexes_are_one_line():
    detail = [
        {
            "loc": ["body", "loras", 0, "scale"],
            "msg": "too high",
            "type": "value_error.number.not_le",
            "ctx": {"limit_value": 4},
        },
        {"loc": ["body"], "msg": "field required", "type": "value_error.missing"},
        {"msg": "?"},
        {},
    ]
    error = answer(422, {"detail": detail})
    assert str(error) == "loras[0].scale: too high (limit_value 4); field required; ?; refused (HTTP 422)"
    assert error.error_type == "value_error.number.not_le"


def test_a_limit_that_is_not_in_the_message_is_added_in_words():
    item = {
        "loc": ["body", "image_url"],
        "msg": "The file is too large",
        "type": "file_too_large",
        "ctx": {"max_size": 10},
    }
    assert "(at most, in bytes, 10)" in str(answer(422, {"detail": [item]}))


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=12), inner, max_size=4),
    max_leaves=10,
)
KEYS = st.sampled_from(
    ["detail", "error", "error_type", "errors", "message", "status", "loc", "msg", "type", "ctx", "input"]
)
BODIES = st.recursive(
    JSON, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=5), max_leaves=8
)
HEADERS = st.dictionaries(
    st.sampled_from(["x-fal-request-id", "x-fal-billable-units", "x-fal-error-type", "x-fal-retryable"]),
    st.text(max_size=9),
)


@given(st.integers(100, 599), HEADERS, BODIES.map(lambda body: json.dumps(body).encode()) | st.binary(max_size=80))
def test_whatever_a_server_answers_is_one_printable_line_of_ours(status, headers, body):
    error = error_from_response(status, headers, body)
    assert isinstance(error, FalClientHTTPError)
    assert is_plain(str(error))
    assert not set(str(error)) & set("\n\t")
    assert len(str(error)) < 700
    assert error.status_code == status
