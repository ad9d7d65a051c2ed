"""A server that is careless with what it is sent."""

import json
from http.server import BaseHTTPRequestHandler

from .canary import KEY_ID


class Echo(BaseHTTPRequestHandler):
    """Says back what it was sent, headers first, as careless servers do; the path says how."""

    def _answer(self):
        length = int(self.headers.get("content-length") or 0)
        body = self.rfile.read(length)
        seen = f"{self.headers} {self.headers.get('authorization')} {KEY_ID} {body[:200]!r}"
        status, out = (
            200,
            {"request_id": "r-1", "status": "COMPLETED", "logs": [{"message": seen}], "output": seen, "text": seen},
        )
        if "/requests/" not in self.path:
            self.server.seen.append(self.headers.get("authorization"))
        if "refuse" in self.path:
            status, out = 401, {"detail": f"Invalid key: {seen}", "error_type": seen}
        elif "fields" in self.path:
            status, out = 422, {"detail": [{"loc": ["body", seen], "msg": seen, "type": seen, "input": seen}]}
        elif "page" in self.path:
            status, out = 502, f"<html>{seen}</html>"
        elif "moved" in self.path:
            status = 307
        elif "openapi" in self.path:
            status, out = 404, {"detail": seen}
        data = json.dumps(out).encode()
        self.send_response(status)
        self.send_header("x-echo", (self.headers.get("authorization") or "").replace("\n", " "))
        self.send_header("x-fal-request-id", "r-1")
        self.send_header("location", f"{self.server.elsewhere}/moved?{self.headers.get('authorization')}")
        if self.path.endswith(("/stream", "logs=1", "logs=0")) and "/status?" not in self.path and status == 200:
            data = b"data: " + data + b"\n\n"
            self.send_header("content-type", "text/event-stream")
        self.send_header("content-length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    do_GET = do_POST = do_PUT = _answer  # noqa: N815 - names of http.server

    def log_message(self, *_):
        """Say nothing."""
