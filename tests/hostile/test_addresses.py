"""URLs of a hostile server that is not on this machine: nothing in a private network is asked for anything."""

import socket
import time

import pytest
import trustme

from fal_nb.engine.session import Session
from fal_nb.views.card import CardView

from .cases import CASES, Case
from .judge import assert_inert, assert_plain
from .server import Bait, HostileServer

HOST = "hostile.example"
INSIDE = "inside.example"
WAYS = {"URLs", "control URLs", "submission"}


@pytest.fixture(scope="module")
def far(tmp_path_factory):
    """A server by TLS under a public name, whose names all lead to this machine, and a bait on it."""
    folder = tmp_path_factory.mktemp("far")
    patch = pytest.MonkeyPatch()
    authority = trustme.CA()
    authority.cert_pem.write_to_path(str(folder / "ca.pem"))
    certificate = authority.issue_cert(HOST)
    certificate.cert_chain_pems[0].write_to_path(str(folder / "cert.pem"))
    certificate.private_key_pem.write_to_path(str(folder / "key.pem"))
    patch.setenv("SSL_CERT_FILE", str(folder / "ca.pem"))
    real = socket.getaddrinfo

    def lookup(host, *arguments, **options):
        known = host in {HOST, INSIDE, b"hostile.example", b"inside.example"}
        return real("127.0.0.1" if known else host, *arguments, **options)

    patch.setattr(socket, "getaddrinfo", lookup)
    bait = Bait()
    ssl = {"ssl_certfile": str(folder / "cert.pem"), "ssl_keyfile": str(folder / "key.pem")}
    with HostileServer(bait.url, base=f"https://{HOST}:{{port}}", ssl=ssl) as server:
        session = Session(key="canary:key", base_url=server.base, home=folder / "home", notify=lambda line: None)
        yield server, session, bait
        session.close()
    bait.close()
    patch.undo()


def spellings(port):
    """Ways to write an address that is not public."""
    return [
        f"http://127.0.0.1:{port}/a", f"https://127.0.0.1:{port}/b", f"https://localhost:{port}/c", f"https://[::1]:{port}/d",
        f"https://{INSIDE}:{port}/e", f"https://0x7f.1:{port}/f", f"https://2130706433:{port}/g", f"https://127.1:{port}/h",
        f"https://[::ffff:127.0.0.1]:{port}/i", f"https://0:{port}/j", f"https://0.0.0.0:{port}/k", f"https://localhost.:{port}/l",
        "https://169.254.169.254/latest/meta-data/", "https://metadata.google.internal/", "https://[fd00:ec2::254]/", "https://10.0.0.1/",
        "https://192.168.1.1/", "https://172.16.0.1/", "https://100.64.0.1/", "https://[fe80::1]/", f"https://me@127.0.0.1:{port}/",
        f"https://{HOST}\\@127.0.0.1:{port}/", "file:///etc/passwd", f"//127.0.0.1:{port}/", "https://[64:ff9b::7f00:1]/",
    ]  # fmt: skip


def test_no_spelling_of_a_private_address_is_followed_in_a_result_or_a_redirect(far):
    server, session, bait = far
    urls = spellings(bait.port)
    images = [{"url": url} for url in urls]
    redirected = [{"url": f"{server.base}/redirect/{number}"} for number in range(len(urls))]
    server.redirects = urls
    server.cases["inside"] = Case("inside", "URLs", result={"images": images, "more": redirected})
    began = time.monotonic()
    job = session.submit("hostile/inside", {"prompt": "x"}, check=False).wait(60)
    assert time.monotonic() - began < 20
    assert job.state == "SUCCEEDED"
    artifacts = job.snapshot.artifacts
    assert len(artifacts) >= 2 * len(urls) - 3
    assert [artifact.url for artifact in artifacts if artifact.digest is not None] == []
    assert all(artifact.error for artifact in artifacts)
    assert_plain(CardView(job, session.artifacts.path).text())
    assert_inert(CardView(job, session.artifacts.path).twin())
    assert bait.heads == []


@pytest.mark.parametrize(
    "case", [case for case in CASES if case.way in WAYS or "redirect" in case.name], ids=lambda case: case.name
)
def test_no_case_leads_into_the_private_network(case, far):
    server, session, bait = far
    job = session.submit(case.endpoint, case.arguments, check=False).wait(60)
    assert job.state == case.state
    assert bait.heads == []
    assert server.keys <= {"Key canary:key", ""}
