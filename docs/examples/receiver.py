"""A small webhook receiver: prints what Tocsin sends, once its signature is verified.

    python receiver.py whsec_...            listens on http://127.0.0.1:9911/

Needs `pip install standardwebhooks` (Tocsin's own `.venv` has it).
"""

import json
import sys
from http.server import BaseHTTPRequestHandler, HTTPServer

from standardwebhooks import Webhook, WebhookVerificationError

webhook = Webhook(sys.argv[1])
port = int(sys.argv[2]) if len(sys.argv) > 2 else 9911


class Receiver(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["content-length"]))
        try:
            webhook.verify(body, {name.lower(): value for name, value in self.headers.items()})
        except WebhookVerificationError as wrong:
            print("refused:", wrong, flush=True)
            self.send_response(400)
        else:
            print("verified:", json.dumps(json.loads(body), ensure_ascii=False), flush=True)
            self.send_response(204)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Quiet: only what was verified or refused is printed."""


HTTPServer(("127.0.0.1", port), Receiver).serve_forever()
