"""A geocoding service for raw_http to ask: it knows one place, and says where that is.

python3 -m tests.peers.geocoder [PORT]
"""

import json
import signal
import sys
from http.server import BaseHTTPRequestHandler, HTTPServer

TAIPEI = {"results": [{"name": "臺北市", "latitude": 25.0375, "longitude": 121.5625}]}


class Geocoder(BaseHTTPRequestHandler):
    """Answers every question with the place where Taipei is, but for those about nowhere."""

    asked: list[str] = []  # noqa: RUF012 - one list for all requests is what is meant

    def do_GET(self) -> None:
        self.asked.append(self.path)
        body = json.dumps(TAIPEI, ensure_ascii=False).encode()
        self.send_response(404 if "nowhere" in self.path else 200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.SIG_DFL)  # Ctrl-C ends it without a traceback
    with HTTPServer(("127.0.0.1", int((sys.argv[1:] or ["8000"])[0])), Geocoder) as server:
        print("listening on port", server.server_port, flush=True)
        server.serve_forever()
