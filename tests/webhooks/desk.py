"""A receiver and the history behind it, as a test stands before them."""

import asyncio
import base64
import contextlib
import io
import time

import httpx
from PIL import Image

from fal_nb.ledger.records import NewRecord
from fal_nb.ledger.store import HistoryStore
from fal_nb.webhooks.receiving import receiver

from .conftest import body_of

SCHNELL = "fal-ai/flux/schnell"
BASE = "http://127.0.0.1:9"


def png(colour="red"):
    out = io.BytesIO()
    Image.new("RGB", (16, 16), colour).save(out, "PNG")
    return "data:image/png;base64," + base64.b64encode(out.getvalue()).decode()


PICTURE = {"images": [{"url": png(), "content_type": "image/png"}], "seed": 7}


class Desk:
    """A receiver over a history that the test looks into, without a socket in between."""

    def __init__(self, home, signer, jwks, **options):
        self.home, self.signer = home, signer
        home.mkdir(parents=True, exist_ok=True)
        self.history = HistoryStore(home / "history.sqlite")
        self.app = receiver(home=home, base_url=BASE, jwks_url=jwks.url, **options)
        self.http = httpx.AsyncClient(transport=httpx.ASGITransport(self.app), base_url="http://receiver")

    def record(self, request_id="r-1", state="QUEUED", owner="gone:1:1", **more):
        options = more.pop("options", {"webhook": True})
        changes = {name: more.pop(name) for name in ("ended", "result", "error") if name in more}
        record_id = self.history.add(
            NewRecord(
                endpoint=SCHNELL, arguments={"prompt": "a fox"}, backend="server", base_url=more.pop("base_url", BASE),
                created=time.time() - 60, state=state, request_id=request_id, owner=owner, options=options, **more,
            )
        )  # fmt: skip
        if changes:
            self.history.update(record_id, **changes)
        return record_id

    async def deliver(self, request_id="r-1", *, signer=None, timestamp=None, extra=None, path="/", **body):
        body.setdefault("payload", PICTURE)
        data = body_of(request_id, **body)
        headers = (signer or self.signer).headers(data, request_id=request_id, timestamp=timestamp)
        return await self.http.post(path, content=data, headers={**headers, **(extra or {})})

    async def settled(self, record_id, state="SUCCEEDED"):
        deadline = time.monotonic() + 20
        while (record := self.history.get(record_id)).state != state:
            assert time.monotonic() < deadline, record
            await asyncio.sleep(0.01)
        return record

    async def aclose(self):
        await self.http.aclose()
        await self.app.aclose()
        self.history.close()


@contextlib.asynccontextmanager
async def live(app):
    """The lifespan, as a server speaks it."""
    to_app, from_app = asyncio.Queue(), asyncio.Queue()
    task = asyncio.ensure_future(app({"type": "lifespan"}, to_app.get, from_app.put))
    await to_app.put({"type": "lifespan.startup"})
    assert (await from_app.get())["type"] == "lifespan.startup.complete"
    yield
    await to_app.put({"type": "lifespan.shutdown"})
    assert (await from_app.get())["type"] == "lifespan.shutdown.complete"
    await task
