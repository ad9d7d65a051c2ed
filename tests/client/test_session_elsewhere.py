"""The whole session against a server that is not the simulator: nothing may depend on the simulator's own ways."""

import asyncio

import pytest

from fal_nb.engine.session import Session
from fal_nb.errors import SubmissionUnknown


@pytest.fixture
def session(server, tmp_path):
    session = Session(base_url=server.base, key="id:secret", home=tmp_path / "home")
    yield session
    session.close()


async def test_a_job_is_followed_from_its_record_to_its_result(server, session):
    server.finish_at_once = True
    job = await asyncio.to_thread(session.submit, "fal-ai/flux/dev", {"prompt": "elsewhere"}, check=False)
    await asyncio.to_thread(job.get, 20)
    assert job.state == "SUCCEEDED"
    assert session.history.get(job.record_id).backend == "server"


async def test_a_lost_answer_is_unknown_here_too(server, session, kit):
    async def hang_up(_request, writer):
        writer.close()

    server.script("POST", "/queue/", hang_up)
    job = await asyncio.to_thread(session.submit, "fal-ai/flux/dev", {"prompt": "lost"}, check=False)
    with pytest.raises(SubmissionUnknown):
        await asyncio.to_thread(job.get, 20)
    assert job.state == "UNKNOWN"
