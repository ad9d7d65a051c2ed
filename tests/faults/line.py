"""The wire under WebSockets: carries what goes over it until it is told to fall silent, or to drop everything."""

import asyncio
from contextvars import ContextVar

import yarl

from fal_nb.client import sockets

_OVER = ContextVar("line", default=None)
"""The line that WebSockets of this task go over; None for none."""


class Line:
    """One line to a server; belongs to the loop it was opened in.

    Attributes
    ----------
    is_deaf
        Whether nothing is carried of connections that are opened from now on.
    """

    def __init__(self, port):
        self._there = port
        self._carried = []
        self._silent = set()
        self.is_deaf = False

    async def __aenter__(self):
        self._server = await asyncio.start_server(self._carry, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]
        self._token = _OVER.set(self)
        return self

    async def __aexit__(self, *_):
        _OVER.reset(self._token)
        self._server.close()
        self.drop()
        await asyncio.gather(*(task for _, _, task in self._carried), return_exceptions=True)

    def hush(self):
        """Carry nothing more of the connections that are open; they stay open."""
        self._silent |= {id(writer) for here, there, _ in self._carried for writer in (here, there)}

    def drop(self):
        """Reset the connections that are open."""
        for here, there, _ in self._carried:
            here.transport.abort()
            there.transport.abort()

    async def _carry(self, reader, writer):
        there_reader, there_writer = await asyncio.open_connection("127.0.0.1", self._there)
        self._carried.append((writer, there_writer, asyncio.current_task()))
        if self.is_deaf:
            self.hush()
        await asyncio.gather(self._pipe(reader, there_writer), self._pipe(there_reader, writer))

    async def _pipe(self, reader, writer):
        try:
            while data := await reader.read(65536):
                if id(writer) not in self._silent:
                    writer.write(data)
        except ConnectionError:
            pass
        finally:
            if id(writer) not in self._silent:
                writer.close()


def install(monkeypatch):
    """Have the WebSockets of every client of ours go over the line of their task, where it has one."""
    plain = sockets._connect

    async def connect(session, url, query, headers):
        line = _OVER.get()
        return await plain(session, url if line is None else str(yarl.URL(url).with_port(line.port)), query, headers)

    monkeypatch.setattr(sockets, "_connect", connect)
