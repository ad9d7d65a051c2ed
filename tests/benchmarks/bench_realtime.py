"""Realtime round trips and messages one after another, ours and fal's own client's, against a bare aiohttp WebSocket.

Target: at least 0.7 of the bare one round trips. The server is a bare aiohttp one in a process of its own.
"""

import asyncio
import os
import statistics
import subprocess
import sys
import tempfile
import time

ROUND_TRIPS = 3_000
MESSAGES = 10_000
ROUNDS = 5
TARGET = 0.7
INPUT = {"prompt": "a red fox", "seed": 3, "strength": 0.7, "image_bytes": bytes(2_000)}

SERVER = """
import asyncio
from aiohttp import WSMsgType, web

async def token(request):
    return web.json_response("a-token")

async def echo(request):
    ws = web.WebSocketResponse()
    await ws.prepare(request)
    async for message in ws:
        if message.type is WSMsgType.BINARY:
            await ws.send_bytes(message.data)
    return ws

async def main():
    app = web.Application()
    app.router.add_post("/rest/tokens/", token)
    app.router.add_get("/ws/me/echo/realtime", echo)
    app.router.add_get("/run/me/echo/realtime", echo)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    print(site._server.sockets[0].getsockname()[1], flush=True)
    await asyncio.Event().wait()

asyncio.run(main())
"""


async def measured(send, receive):
    """Return round trips a second, and messages a second that are sent without waiting."""
    start = time.perf_counter()
    for _ in range(ROUND_TRIPS):
        await send(INPUT)
        await receive()
    trips = ROUND_TRIPS / (time.perf_counter() - start)

    async def send_all():
        for _ in range(MESSAGES):
            await send(INPUT)

    start = time.perf_counter()
    sending = asyncio.create_task(send_all())
    for _ in range(MESSAGES):
        await receive()
    await sending
    return trips, MESSAGES / (time.perf_counter() - start)


async def bare(base):
    import aiohttp
    import msgpack

    async with (
        aiohttp.ClientSession() as session,
        session.ws_connect(f"{base}/ws/me/echo/realtime", max_msg_size=0) as ws,
    ):

        async def send(value):
            await ws.send_bytes(msgpack.packb(value))

        async def receive():
            return msgpack.unpackb((await ws.receive()).data)

        return await measured(send, receive)


async def ours(base):
    import fal_nb

    async with fal_nb.AsyncClient("a:key", base_url=base) as client, client.realtime("me/echo") as connection:
        return await measured(connection.send, connection.recv)


async def official(base):
    from fal_client import client

    client.REALTIME_URL_FORMAT = base.replace("http", "ws", 1) + "/run/"
    made = client.AsyncClient(key="a:key")
    async with made.realtime("me/echo", use_jwt=False) as connection:
        return await measured(connection.send, connection.recv)


def main():
    with tempfile.TemporaryDirectory() as folder:
        os.environ["FAL_NB_HOME"] = folder
        with subprocess.Popen([sys.executable, "-c", SERVER], stdout=subprocess.PIPE, text=True) as server:
            try:
                base = f"http://127.0.0.1:{server.stdout.readline().strip()}"
                ways = {"bare aiohttp": bare, "fal_nb": ours, "fal-client": official}
                found = {name: [] for name in ways}
                # In turn, so that a slow moment of the machine is everybody's.
                for _ in range(ROUNDS):
                    for name, way in ways.items():
                        found[name].append(asyncio.run(way(base)))
            finally:
                server.terminate()
    medians = {name: [statistics.median(values) for values in zip(*each, strict=True)] for name, each in found.items()}
    for name, (trips, messages) in medians.items():
        print(f"{name:12} {trips:7,.0f} round trips/s  {messages:7,.0f} messages/s")
    ratios = [own / bare_one for own, bare_one in zip(medians["fal_nb"], medians["bare aiohttp"], strict=True)]
    print(f"fal_nb against bare aiohttp: round trips {ratios[0]:.2f} (target {TARGET}), messages {ratios[1]:.2f}")
    print("target", "met" if ratios[0] >= TARGET else "MISSED")


if __name__ == "__main__":
    main()
