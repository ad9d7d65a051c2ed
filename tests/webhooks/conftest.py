"""A signer of its own, after the documents and not after our code: what is verified here was made elsewhere."""

import base64
import hashlib
import json
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from fal_nb.webhooks.verifying import keys_at


class Signer:
    """Signs as fal's documents say it does."""

    def __init__(self, seed=None):
        self.key = Ed25519PrivateKey.from_private_bytes(seed) if seed else Ed25519PrivateKey.generate()

    def jwk(self, *, padded=False):
        x = base64.urlsafe_b64encode(self.key.public_key().public_bytes_raw()).decode()
        return {"kty": "OKP", "crv": "Ed25519", "x": x if padded else x.rstrip("="), "kid": "1", "use": "sig"}

    def headers(self, body, *, request_id="r-1", user_id="user_1", timestamp=None):
        timestamp = str(int(time.time()) if timestamp is None else timestamp)
        digest = hashlib.sha256(body).hexdigest()
        message = request_id + "\n" + user_id + "\n" + timestamp + "\n" + digest
        return {
            "X-Fal-Webhook-Request-Id": request_id,
            "X-Fal-Webhook-User-Id": user_id,
            "X-Fal-Webhook-Timestamp": timestamp,
            "X-Fal-Webhook-Signature": self.key.sign(message.encode("utf-8")).hex(),
        }


def body_of(request_id="r-1", status="OK", payload=None, **more):
    return json.dumps(
        {"request_id": request_id, "gateway_request_id": request_id, "status": status, "payload": payload, **more}
    ).encode()


class KeyServer:
    """A key set on loopback that counts how often it is asked."""

    def __init__(self):
        self.document, self.status, self.asked = {"keys": []}, 200, []
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self):
                outer.asked.append(dict(self.headers))
                data = outer.document if isinstance(outer.document, bytes) else json.dumps(outer.document).encode()
                self.send_response(outer.status)
                self.send_header("content-length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)

            def log_message(self, *_):
                """Say nothing."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}/.well-known/jwks.json"
        threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True).start()

    def close(self):
        self._server.shutdown()
        self._server.server_close()


@pytest.fixture
def signer():
    return Signer()


@pytest.fixture
def jwks(signer):
    server = KeyServer()
    server.document = {"keys": [signer.jwk()]}
    yield server
    server.close()
    keys_at.cache_clear()


@pytest.fixture
async def desk(tmp_path, signer, jwks):
    from .desk import Desk

    desk = Desk(tmp_path / "home", signer, jwks)
    yield desk
    await desk.aclose()
