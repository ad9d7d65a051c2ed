import json

import httpx
import pytest

from fal_nb.protocol.events import EventDecoder
from fal_nb.simulator.server import SimulatorServer


class Caller:
    """A bare client of one simulator, without retries or anything else of ours in between."""

    def __init__(self, server):
        self.server = server
        self.http = httpx.Client(base_url=server.base_url, timeout=30)

    def submit(self, endpoint="simulator/sleep", arguments=None, headers=None, **params):
        return self.http.post(f"/queue/{endpoint}", json=arguments or {}, headers=headers, params=params)

    def accepted(self, endpoint="simulator/sleep", arguments=None, headers=None):
        answer = self.submit(endpoint, arguments, headers)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def run(self, endpoint="simulator/sleep", arguments=None, headers=None):
        return self.http.post(f"/run/{endpoint}", json=arguments or {}, headers=headers)

    def events(self, submitted, query="logs=1"):
        """Read the status stream to its end; this is also how a test waits for completion."""
        return list(self.iter_events(f"{submitted['status_url']}/stream?{query}"))

    def iter_events(self, url, method="GET", **options):
        decoder = EventDecoder()
        with self.http.stream(method, url, **options) as answer:
            assert answer.headers["content-type"].startswith("text/event-stream"), answer.read()
            for chunk in answer.iter_bytes():
                for event in decoder.feed(chunk):
                    yield json.loads(event.data)

    def watched(self, endpoint="simulator/sleep", arguments=None, headers=None, query="logs=1", runners=4):
        """Submit while nothing runs, let it run once the stream has begun, and return (what came back, all events)."""
        self.server.set_runners(0)
        submitted = self.accepted(endpoint, arguments, headers)
        events = []
        for event in self.iter_events(f"{submitted['status_url']}/stream?{query}"):
            if not events:
                self.server.set_runners(runners)
            events.append(event)
        return submitted, events

    def wait_for(self, submitted, status):
        for event in self.iter_events(f"{submitted['status_url']}/stream"):
            if event["status"] == status:
                return event
        raise AssertionError(f"it never was {status}")

    def result(self, submitted):
        self.events(submitted)
        return self.http.get(submitted["response_url"])

    def finished(self, endpoint="simulator/sleep", arguments=None, headers=None):
        """Submit, wait, and return the result's answer."""
        return self.result(self.accepted(endpoint, arguments, headers))

    def upload(self, data, content_type, name=None):
        token = self.http.post("/rest/storage/auth/token?storage_type=fal-cdn-v3", json={}).json()
        headers = {"authorization": f"{token['token_type']} {token['token']}", "content-type": content_type}
        if name:
            headers["x-fal-file-name"] = name
        return self.http.post(f"{token['base_url']}/files/upload", content=data, headers=headers)

    def admin(self, method, path, **options):
        return self.http.request(
            method, f"/admin/{path}", headers={"x-fal-simulator-admin": self.server.admin_token}, **options
        )


@pytest.fixture
def serve():
    """Return a function that starts a simulator of its own and returns a caller of it."""
    callers = []

    def start(**options):
        callers.append(Caller(SimulatorServer(**{"runners": 4, "speed": 40, **options})))
        return callers[-1]

    yield start
    for caller in callers:
        caller.http.close()
        caller.server.close()


@pytest.fixture(scope="session")
def shared():
    with SimulatorServer(runners=4, speed=40) as server:
        caller = Caller(server)
        yield caller
        caller.http.close()


@pytest.fixture
def caller(shared):
    """Return a caller of the simulator that the tests share, as new; a test that closes it takes `serve`."""
    shared.server.reset()
    return shared
