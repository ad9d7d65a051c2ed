"""Every fault that acts on an HTTP request acts on every operation, asked for by the request itself or by the admin."""

import functools

import httpx
import pytest

REFUSED = {
    "rate-limit": 429,
    "status; status=408": 408,
    "status; status=409": 409,
    "locked": 403,
    "unavailable": 503,
    "ingress; status=502": 502,
    "ingress; status=503": 503,
    "ingress; status=504": 504,
    "ingress-after; status=504": 504,
}
"""Fault → the status it answers with."""
BROKEN = ("reset", "hang-up", "lost-reply", "reset-after", "half-reply", "garbage")
"""Faults after which there is no whole answer."""
FILE = b"x" * 3_000_000


class Calls:
    """One request for each operation, made ready without the fault."""

    def __init__(self, caller):
        self.caller = caller
        self.http = caller.http
        self.waiting = None

    @functools.cached_property
    def token(self):
        answer = self.http.post("/rest/storage/auth/token", json={}).json()
        return {"authorization": f"Bearer {answer['token']}"}

    def submit(self, headers):
        return self.caller.submit(headers=headers)

    def run(self, headers):
        return self.caller.run(arguments={"seconds": 0.1}, headers=headers)

    def stream(self, headers):
        body = {"prompt": "x", "image_size": {"width": 16, "height": 16}, "num_inference_steps": 1}
        return self.http.post("/run/fal-ai/flux/dev/stream", json=body, headers=headers)

    def status(self, headers):
        return self.http.get(self.done["status_url"], headers=headers)

    def status_stream(self, headers):
        return self.http.get(f"{self.done['status_url']}/stream", headers=headers)

    def result(self, headers):
        return self.http.get(self.done["response_url"], headers=headers)

    def cancel(self, headers):
        return self.http.put(self.waiting["cancel_url"], headers=headers)

    def upload_token(self, headers):
        return self.http.post("/rest/storage/auth/token", json={}, headers=headers)

    def upload(self, headers):
        return self.http.post("/cdn/files/upload", content=b"x", headers={**self.token, **headers})

    def upload_initiate(self, headers):
        return self.http.post("/rest/storage/upload/initiate", json={}, headers=headers)

    def upload_signed(self, headers):
        return self.http.put(self.signed, content=b"x", headers=headers)

    def upload_begin_parts(self, headers):
        return self.http.post("/cdn/files/upload/multipart", headers={**self.token, **headers})

    def upload_part(self, headers):
        return self.http.put(f"{self.parts}/1", content=b"x", headers={**self.token, **headers})

    def upload_complete(self, headers):
        return self.http.post(f"{self.parts}/complete", json={"parts": [self.part]}, headers={**self.token, **headers})

    def cdn_get(self, headers):
        return self.http.get(self.file, headers=headers)

    def openapi(self, headers):
        return self.http.get("/api/openapi/queue/openapi.json?endpoint_id=simulator/sleep", headers=headers)

    def platform_pricing(self, headers):
        return self.http.get("/api/v1/models/pricing?endpoint_id=simulator/sleep", headers=headers)

    def platform_requests(self, headers):
        return self.http.get("/api/v1/models/requests/by-endpoint?endpoint_id=simulator/sleep", headers=headers)

    def prepare(self, operation):
        """Make what the operation is about, so that the fault meets nothing but the operation."""
        if operation in {"status", "status_stream", "result"}:
            self.done = self.caller.accepted(arguments={"seconds": 0.1})
            self.caller.events(self.done)
        elif operation == "cancel":
            if self.waiting is not None:
                self.http.put(self.waiting["cancel_url"])
            self.waiting = self.caller.accepted(arguments={"seconds": 1000})
        elif operation == "upload_signed":
            self.signed = self.http.post("/rest/storage/upload/initiate", json={}).json()["upload_url"]
        elif operation in {"upload_part", "upload_complete"}:
            begun = self.http.post("/cdn/files/upload/multipart", headers=self.token).json()
            self.parts = f"{begun['access_url']}/multipart/{begun['uploadId']}"
            self.part = self.http.put(f"{self.parts}/1", content=b"x", headers=self.token).json()
        elif operation == "cdn_get":
            self.file = self.caller.upload(FILE, "image/png").json()["access_url"]
        elif operation in {"upload", "upload_begin_parts"}:
            _ = self.token


OPERATIONS = sorted(name for name in vars(Calls) if name not in {"prepare", "token"} and not name.startswith("_"))


def outcome(call):
    """Return the status of an answer, or None where none came whole."""
    try:
        return call().status_code
    except httpx.TransportError:
        return None


@pytest.fixture(scope="module")
def table(shared):
    shared.server.reset()
    return Calls(shared)


@pytest.mark.parametrize("operation", OPERATIONS)
@pytest.mark.parametrize("fault", [*REFUSED, *BROKEN])
def test_a_fault_spoils_the_operation_and_then_no_more(table, operation, fault):
    wanted = REFUSED.get(fault)
    table.prepare(operation)
    call = getattr(table, operation)
    header = {"x-fal-simulator-fault": f"{fault}; on={operation}; times=1"}
    table.caller.server.clear_faults()
    assert outcome(lambda: call(header)) == wanted, "by header"
    table.prepare(operation)
    name, *values = (part.strip() for part in fault.split(";"))
    body = {"kind": name, "on": operation, "times": 1, **dict(value.split("=") for value in values)}
    assert table.caller.admin("POST", "faults", json=body).status_code == 200
    assert outcome(lambda: call({})) == wanted, "by admin"
    table.prepare(operation)
    assert outcome(lambda: call({})) in {200, 202}, "the fault is spent"


def test_a_fault_lets_the_first_pass_where_it_is_told_to(table):
    table.caller.server.clear_faults()
    table.prepare("cdn_get")
    table.caller.server.fault("status", on="cdn_get", status=500, after=2, times=2)
    assert [outcome(lambda: table.cdn_get({})) for _ in range(6)] == [200, 200, 500, 500, 200, 200]


def test_a_wrong_content_type_can_be_asked_for(table):
    table.caller.server.clear_faults()
    table.prepare("cdn_get")
    answer = table.cdn_get({"x-fal-simulator-fault": "content-type; type=text/html"})
    assert (answer.headers["content-type"], answer.content) == ("text/html", FILE)


def test_a_fault_can_count_for_each_file_by_itself(table):
    table.caller.server.clear_faults()
    files = [table.caller.upload(bytes([number]), "image/png").json()["access_url"] for number in (1, 2)]
    table.caller.server.fault("status", on="cdn_get", status=500, times=1, each=True)
    got = [outcome(lambda url=url: table.http.get(url)) for url in (files[0], files[0], files[1], files[1])]
    assert got == [500, 200, 500, 200]


def test_a_mark_tells_faults_of_the_same_kind_apart(table):
    table.caller.server.clear_faults()
    headers = [{"x-fal-simulator-fault": f"status; status=409; times=1; mark={number}"} for number in (1, 1, 2, 2)]
    assert [outcome(lambda asked=asked: table.submit(asked)) for asked in headers] == [409, 200, 409, 200]
