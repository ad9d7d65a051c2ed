"""Leads requests for fal's hosts to a server on this machine, below the clients: their packages stay as they are."""

import httpx

PLACES = {
    "queue.fal.run": "queue",
    "fal.run": "run",
    "rest.fal.ai": "rest",
    "v3.fal.media": "cdn",
}
"""Host of fal → path prefix under the server's base."""


def led_to(base, url):
    """Return where a URL of fal leads; other URLs as they are."""
    prefix = PLACES.get(url.host)
    if prefix is None:
        return url
    target = httpx.URL(base)
    path = f"/{prefix}".encode() + url.raw_path
    return url.copy_with(scheme=target.scheme, host=target.host, port=target.port, raw_path=path)


def seen(request):
    """Return what a test wants to know of a request."""
    return {"method": request.method, "url": str(request.url), "headers": dict(request.headers.items())}


def lead(monkeypatch, base, requests):
    """Let every httpx client of this process be led to `base`; `requests` takes in what each wanted."""
    plain, plain_async = httpx.HTTPTransport.handle_request, httpx.AsyncHTTPTransport.handle_async_request

    def redirected(request):
        requests.append(seen(request))
        request.url = led_to(base, request.url)
        request.headers["host"] = request.url.netloc.decode()
        return request

    async def handle_async_request(self, request):
        return await plain_async(self, redirected(request))

    # WebSockets are not opened by httpx: their host is a constant of the client's.
    monkeypatch.setattr("fal_client.client.REALTIME_URL_FORMAT", base.replace("http", "ws", 1) + "/run/")
    monkeypatch.setattr(httpx.HTTPTransport, "handle_request", lambda self, request: plain(self, redirected(request)))
    monkeypatch.setattr(httpx.AsyncHTTPTransport, "handle_async_request", handle_async_request)
