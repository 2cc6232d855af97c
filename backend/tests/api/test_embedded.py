"""Promise: the API on the embedded server leaves it when it stops, so that the last user's leaving stops it."""

from tests.api.clients import running
from tests.api.conftest import MakeApp
from tests.servers import ServerDirectory


async def test_a_stopped_api_leaves_the_embedded_server_which_stops(
    make_app: MakeApp, server_directory: ServerDirectory
) -> None:
    with server_directory() as directory:
        async with running(make_app(f"embedded://{directory}/data")) as client:
            assert (await client.get("/livez")).status_code == 200
            assert (directory / "data" / "postmaster.pid").exists()
        assert not (directory / "data" / "postmaster.pid").exists()
