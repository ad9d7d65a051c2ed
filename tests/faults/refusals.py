"""Connections that are refused: some requests are led to a port where nobody listens, below the client under test."""

import socket
import threading
from collections import Counter

import yarl

from fal_nb.client import sockets
from fal_nb.client.transport import FalTransport
from fal_nb.simulator.operations import classify

MARK = "x-mark"
"""Header by which one job's paid POST is told from another's."""


class Refusals:
    """Leads the first requests of a kind, for each job by itself, to a closed port."""

    def __init__(self):
        self._socket = socket.socket()
        self._socket.bind(("127.0.0.1", 0))
        self._port = self._socket.getsockname()[1]
        self._lock = threading.Lock()
        self._operation, self._times, self._seen = "", 0, Counter()

    def begin(self, operation, times):
        """Refuse each job's first `times` requests of a kind."""
        self._operation, self._times = operation, times
        self._seen.clear()

    def end(self):
        self._times = 0

    def close(self):
        self._socket.close()

    def lead(self, request, path):
        """Change a request's URL where it is to be refused; `path` is what the server would see."""
        if not self._times:
            return
        operation = classify(request.method, path)
        if operation.kind != self._operation:
            return
        about = request.headers.get(MARK) or operation.request_id or path
        if self._is_due(about):
            request.url = request.url.copy_with(scheme="http", host="127.0.0.1", port=self._port)

    def _is_due(self, about):
        with self._lock:
            self._seen[about] += 1
            return self._seen[about] <= self._times

    def install(self, monkeypatch):
        """Let every client of ours in this process go through here."""
        plain = FalTransport._send

        async def send(transport, request):
            self.lead(request, request.url.path)
            return await plain(transport, request)

        monkeypatch.setattr(FalTransport, "_send", send)
        plain_connect = sockets._connect

        async def connect(session, url, query, headers):
            if self._times and self._operation == "realtime" and self._is_due(url):
                url = str(yarl.URL(url).with_port(self._port))
            return await plain_connect(session, url, query, headers)

        monkeypatch.setattr(sockets, "_connect", connect)
