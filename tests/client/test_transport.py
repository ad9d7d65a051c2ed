"""The transport by itself, under httpx's own client."""

import asyncio
import base64
import gc
import socket
import warnings

import aiohttp
import httpx
import pytest

from fal_nb.client.transport import GUARD_EXTENSION, POOL_EXTENSION, FalTransport, TransportFailure


@pytest.fixture
async def httpx_client():
    async with httpx.AsyncClient(transport=FalTransport(), timeout=5) as client:
        yield client


@pytest.fixture
async def echo(make_wire, kit):
    async def answer(request, writer):
        return kit.Reply(200, {"method": request.method, "target": request.target, "size": len(request.body)})

    return await make_wire(answer)


@pytest.mark.parametrize("method", ["GET", "PUT", "POST", "DELETE"])
async def test_no_request_is_sent_a_second_time_underneath_us(make_wire, kit, httpx_client, method):
    async def answer_once(request, writer):
        return kit.Reply(200, b"ok") if len(wire.requests) == 1 else kit.reset(writer)

    wire = await make_wire(answer_once)
    await httpx_client.request(method, wire.base)
    with pytest.raises(TransportFailure) as caught:
        await httpx_client.request(method, wire.base)
    assert caught.value.sent
    assert len(wire.requests) == 2


@pytest.mark.parametrize("fault", ["reset after the whole body", "end after the whole body", b"garbage\r\n\r\n"])
async def test_every_failure_is_an_httpx_error_that_holds_nothing_of_aiohttp(make_faulty, httpx_client, fault):
    faulty = await make_faulty(fault)
    with pytest.raises(httpx.TransportError) as caught:
        await httpx_client.post(faulty.base, content=b"x", headers={"authorization": "Key id:secret"})
    error, chain = caught.value, []
    while error is not None:
        chain.append(error)
        error = error.__cause__ or error.__context__
    assert not any(isinstance(link, aiohttp.ClientError) for link in chain)
    assert "secret" not in repr(chain)


async def test_a_body_that_breaks_off_is_an_httpx_error_too(make_faulty, httpx_client):
    faulty = await make_faulty(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc")
    async with httpx_client.stream("POST", faulty.base, content=b"x") as response:
        with pytest.raises(TransportFailure, match="ended early") as caught:
            await response.aread()
    assert caught.value.sent


async def test_a_percent_encoding_reaches_the_server_as_it_was_written(httpx_client, echo):
    target = "/a%2Fb%7Ec/x?sig=a%2Fb%3D%20c&plus=a+b&t=%7E"
    assert (await httpx_client.get(echo.base + target)).json()["target"] == target


@pytest.mark.parametrize("size", [0, 1, 64 * 1024, 64 * 1024 + 1, 1_000_000])
async def test_bodies_of_every_size_arrive_whole(httpx_client, echo, size):
    assert (await httpx_client.post(echo.base, content=b"x" * size)).json()["size"] == size


async def test_a_streamed_body_arrives_whole(httpx_client, echo):
    async def pieces():
        for _ in range(10):
            yield b"y" * 1000

    assert (await httpx_client.post(echo.base, content=pieces())).json()["size"] == 10_000


async def test_a_slow_body_does_not_run_into_the_write_timeout(echo):
    async def pieces():
        for _ in range(5):
            await asyncio.sleep(0.05)
            yield b"y"

    timeout = httpx.Timeout(5, write=0.2)
    async with httpx.AsyncClient(transport=FalTransport(), timeout=timeout) as client:
        assert (await client.post(echo.base, content=pieces())).json()["size"] == 5


async def test_a_slow_answer_after_the_body_does_not_run_into_the_write_timeout(make_wire, kit):
    async def think(request, writer):
        await asyncio.sleep(0.3)
        return kit.Reply(200, b"ok")

    wire = await make_wire(think)
    async with httpx.AsyncClient(transport=FalTransport(), timeout=httpx.Timeout(5, write=0.1)) as client:
        assert (await client.post(wire.base, content=b"x" * 100_000)).text == "ok"


async def test_an_answer_may_begin_before_the_body_has_ended(kit, httpx_client):
    async def converse(reader, writer):
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 X\r\nContent-Length: 4\r\n\r\nab")
        await reader.readuntil(b"0\r\n\r\n")
        writer.write(b"cd")
        await kit.end(writer)

    server = await asyncio.start_server(converse, "127.0.0.1", 0)
    url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/"

    async def pieces():
        yield b"y" * 1000
        await answered.wait()
        yield b"y" * 1000
        yield b"y" * 1000

    answered = asyncio.Event()
    async with httpx_client.stream("POST", url, content=pieces()) as response:
        answered.set()
        assert await response.aread() == b"abcd"
    server.close()
    await server.wait_closed()


async def test_the_wait_for_a_connection_is_limited_by_both_its_timeouts(httpx_client, echo, monkeypatch):
    async def getaddrinfo(host, port, **options):
        await asyncio.sleep(0.1)
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", port))]

    monkeypatch.setattr(asyncio.get_running_loop(), "getaddrinfo", getaddrinfo)
    patient, hasty = httpx.Timeout(5, pool=0.01), httpx.Timeout(5, pool=0.01, connect=0.02)
    with pytest.raises(TransportFailure, match="no connection was made in time"):
        await httpx_client.get(f"http://slow.example:{echo.port}/", timeout=hasty)
    assert (await httpx_client.get(f"http://slow.example:{echo.port}/", timeout=patient)).status_code == 200


async def test_each_kind_of_request_has_connections_of_its_own(make_wire, kit):
    held = asyncio.Event()

    async def hold(request, writer):
        if request.path == "/held":
            await held.wait()
        return kit.Reply(200, b"ok")

    wire = await make_wire(hold)
    async with httpx.AsyncClient(transport=FalTransport(), timeout=10) as client:
        holding = [asyncio.create_task(client.get(f"{wire.base}/held")) for _ in range(120)]
        async with asyncio.timeout(10):
            while wire.connections < 100:  # noqa: ASYNC110 - a plain counter
                await asyncio.sleep(0.005)
        other = await client.get(f"{wire.base}/free", extensions={POOL_EXTENSION: "cancels"})
        assert other.status_code == 200
        assert wire.connections == 101
        held.set()
        await asyncio.gather(*holding)


async def test_waiting_for_a_connection_of_a_full_pool_counts_as_not_sent(make_wire, kit, monkeypatch):
    from fal_nb.client import connections

    monkeypatch.setitem(connections._LIMITS, "calls", 1)
    held = asyncio.Event()

    async def hold(request, writer):
        await held.wait()
        return kit.Reply(200, b"ok")

    wire = await make_wire(hold)
    timeout = httpx.Timeout(5, pool=0.1, connect=0.1)
    async with httpx.AsyncClient(transport=FalTransport(), timeout=timeout) as client:
        holding = asyncio.create_task(client.post(wire.base))
        async with asyncio.timeout(5):
            while not wire.requests:  # noqa: ASYNC110 - a plain list
                await asyncio.sleep(0.005)
        with pytest.raises(TransportFailure) as caught:
            await client.post(wire.base)
        assert not caught.value.sent
        held.set()
        await holding


async def test_the_silence_before_an_answer_is_limited_by_the_read_timeout(make_wire):
    async def silence(request, writer):
        await asyncio.Event().wait()

    wire = await make_wire(silence)
    async with httpx.AsyncClient(transport=FalTransport(), timeout=httpx.Timeout(5, read=0.1)) as client:
        with pytest.raises(TransportFailure, match="in time") as caught:
            await client.get(wire.base)
    assert caught.value.sent


async def test_cookies_of_a_server_are_not_kept(make_wire, kit):
    async def answer(request, writer):
        return kit.Reply(200, {"cookie": request.headers.get("cookie")}, {"set-cookie": "a=b; Path=/"})

    wire = await make_wire(answer)
    transport = FalTransport()
    for _ in range(2):
        request = httpx.Request("GET", f"http://localhost:{wire.port}/")
        response = await transport.handle_async_request(request)
        assert b"null" in await response.aread()
        await response.aclose()
    await transport.aclose()


async def test_certificates_are_checked_by_the_authorities_of_the_environment(
    kit, server_tls, trusted_authority, make_wire
):
    async def answer(request, writer):
        return kit.Reply(200, b"ok")

    wire = await make_wire(answer, tls=server_tls)
    async with httpx.AsyncClient(transport=FalTransport()) as client:
        assert (await client.get(wire.base)).text == "ok"
    async with httpx.AsyncClient(transport=FalTransport(trust_env=False)) as client:
        with pytest.raises(TransportFailure, match="no secure connection") as caught:
            await client.get(wire.base)
    assert not caught.value.sent


async def test_a_folder_of_authorities_is_honoured(
    kit, server_tls, trusted_authority, make_wire, monkeypatch, tmp_path
):
    import ssl

    folder = tmp_path / "authorities"
    folder.mkdir()
    context = ssl.create_default_context(cafile=str(trusted_authority))
    assert context.cert_store_stats()["x509_ca"] == 1
    (folder / _subject_hash(trusted_authority)).write_bytes(trusted_authority.read_bytes())
    monkeypatch.delenv("SSL_CERT_FILE")
    monkeypatch.setenv("SSL_CERT_DIR", str(folder))

    async def answer(request, writer):
        return kit.Reply(200, b"ok")

    wire = await make_wire(answer, tls=server_tls)
    async with httpx.AsyncClient(transport=FalTransport()) as client:
        assert (await client.get(wire.base)).text == "ok"


def _subject_hash(pem):
    import shutil
    import subprocess

    if shutil.which("openssl") is None:
        pytest.skip("names of certificates in a folder need the openssl program")
    command = ["openssl", "x509", "-noout", "-subject_hash", "-in", str(pem)]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip() + ".0"


class TestGuard:
    """Requests that may go to public addresses only."""

    @pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "[::1]", "10.0.0.7", "169.254.169.254", "0.0.0.0"])
    async def test_refuses_hosts_that_are_not_public_by_their_text(self, httpx_client, host):
        with pytest.raises(TransportFailure, match="not a public address") as caught:
            await httpx_client.get(f"http://{host}/", extensions={GUARD_EXTENSION: True})
        assert (caught.value.sent, caught.value.refused_address) == (False, True)

    @pytest.mark.parametrize("address", ["127.0.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1"])
    async def test_refuses_names_that_lead_to_such_hosts(self, httpx_client, echo, monkeypatch, address):
        async def getaddrinfo(host, port, **options):
            return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port))]

        monkeypatch.setattr(asyncio.get_running_loop(), "getaddrinfo", getaddrinfo)
        with pytest.raises(TransportFailure, match="leads to an address that is not public") as caught:
            await httpx_client.get(f"http://files.example:{echo.port}/", extensions={GUARD_EXTENSION: True})
        assert (caught.value.sent, caught.value.refused_address) == (False, True)
        assert echo.requests == []

    async def test_refuses_a_name_of_which_one_address_is_not_public(self, httpx_client, monkeypatch):
        async def getaddrinfo(host, port, **options):
            return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port)) for address in ("1.1.1.1", "10.0.0.1")]

        monkeypatch.setattr(asyncio.get_running_loop(), "getaddrinfo", getaddrinfo)
        with pytest.raises(TransportFailure, match="not public"):
            await httpx_client.get("http://files.example/", extensions={GUARD_EXTENSION: True})

    @pytest.mark.parametrize("host", ["2130706433", "0x7f.1", "127.1"])
    async def test_refuses_other_spellings_of_this_machine(self, httpx_client, echo, host):
        with pytest.raises(TransportFailure):
            await httpx_client.get(f"http://{host}:{echo.port}/", extensions={GUARD_EXTENSION: True})
        assert echo.requests == []

    async def test_does_not_bind_requests_without_the_mark(self, httpx_client, echo):
        assert (await httpx_client.get(f"http://localhost:{echo.port}/")).status_code == 200


class TestProxy:
    """Requests through a proxy on this machine."""

    @pytest.fixture
    async def proxy(self, make_wire, kit):
        """A proxy that answers plain requests itself and opens tunnels to the port it is told."""

        async def serve(request, writer):
            if request.method != "CONNECT":
                return kit.Reply(200, {"target": request.target, "auth": request.headers.get("proxy-authorization")})
            if wire.refuse:
                return kit.Reply(wire.refuse, b"")
            back, forth = await asyncio.open_connection("127.0.0.1", wire.tunnel_port)
            writer.write(b"HTTP/1.1 200 OK\r\n\r\n")
            reader = wire.readers[-1]
            try:
                await asyncio.gather(pump(reader, forth), pump(back, writer))
            finally:
                await kit.end(forth)
            return None

        async def pump(source, sink):
            while data := await source.read(65536):
                sink.write(data)
                await sink.drain()
            sink.close()

        wire = kit.Wire(serve)
        wire.refuse, wire.tunnel_port = None, 0
        await wire.start()
        yield wire
        await wire.stop()

    async def test_serves_plain_requests(self, proxy):
        async with httpx.AsyncClient(transport=FalTransport(proxy=proxy.base)) as client:
            answer = (await client.get("http://far.example/a?b=1")).json()
        assert answer == {"target": "http://far.example/a?b=1", "auth": None}

    async def test_gets_its_password_in_a_header(self, proxy):
        async with httpx.AsyncClient(
            transport=FalTransport(proxy=f"http://me:pa%20ss@127.0.0.1:{proxy.port}")
        ) as client:
            answer = (await client.get("http://far.example/")).json()
        assert answer["auth"] == "Basic " + base64.b64encode(b"me:pa ss").decode()

    async def test_tunnels_secure_requests_without_seeing_them(
        self, proxy, kit, make_wire, server_tls, trusted_authority
    ):
        async def answer(request, writer):
            return kit.Reply(200, {"proxied": "proxy-authorization" in request.headers})

        wire = await make_wire(answer, tls=server_tls)
        proxy.tunnel_port = wire.port
        transport = FalTransport(proxy=f"http://me:pass@127.0.0.1:{proxy.port}")
        async with httpx.AsyncClient(transport=transport) as client:
            assert (await client.get("https://queue.example/x")).json() == {"proxied": False}
        connect = proxy.requests[0]
        assert (connect.method, connect.target) == ("CONNECT", "queue.example:443")
        assert connect.headers["proxy-authorization"] == "Basic " + base64.b64encode(b"me:pass").decode()

    async def test_that_refuses_to_connect_means_not_sent(self, proxy):
        proxy.refuse = 407
        async with httpx.AsyncClient(transport=FalTransport(proxy=proxy.base)) as client:
            with pytest.raises(TransportFailure, match="407") as caught:
                await client.get("https://queue.example/x")
        assert not caught.value.sent

    async def test_that_is_not_there_means_not_sent(self):
        with socket.socket() as reserved:
            reserved.bind(("127.0.0.1", 0))
            transport = FalTransport(proxy=f"http://127.0.0.1:{reserved.getsockname()[1]}")
            async with httpx.AsyncClient(transport=transport) as client:
                with pytest.raises(TransportFailure) as caught:
                    await client.get("https://queue.example/x")
        assert not caught.value.sent


def test_one_transport_serves_two_loops_one_after_the_other_and_leaves_nothing_open(kit):
    transport = FalTransport()

    async def use():
        async def answer(request, writer):
            return kit.Reply(200, b"ok")

        wire = kit.Wire(answer)
        await wire.start()
        client = httpx.AsyncClient(transport=transport)
        texts = [(await client.get(wire.base)).text for _ in range(2)]
        assert wire.connections == 1
        await wire.stop()
        return texts

    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert asyncio.run(use()) == ["ok", "ok"]
        assert asyncio.run(use()) == ["ok", "ok"]
        gc.collect()


def test_a_transport_dropped_without_closing_is_closed_by_its_loop(kit):
    problems = []

    async def use():
        asyncio.get_running_loop().set_exception_handler(lambda loop, context: problems.append(context))

        async def answer(request, writer):
            return kit.Reply(200, b"ok")

        wire = kit.Wire(answer)
        await wire.start()
        await httpx.AsyncClient(transport=FalTransport()).get(wire.base)
        gc.collect()
        await wire.stop()

    with warnings.catch_warnings():
        warnings.simplefilter("error")
        asyncio.run(use())
        gc.collect()
    assert problems == []
