from collections.abc import Iterator
from http.server import HTTPServer
from threading import Thread

import pytest

from tests.peers.geocoder import Geocoder


@pytest.fixture
def geocoder() -> Iterator[str]:
    server = HTTPServer(("127.0.0.1", 0), Geocoder)
    thread = Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()
