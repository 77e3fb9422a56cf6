"""A receiver of webhooks. Its arguments are public keys: the path /0 verifies with the first, and so on. It answers 200 to
what verifies and 401 to what does not, and prints its port. The function verified is that of the console's page of a key."""

import base64
import os
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

keys = [Ed25519PublicKey.from_public_bytes(base64.b64decode(text.removeprefix("whpk_")))
        for text in sys.argv[1:]]


def verified(key, headers, body):  # body is bytes
    id, at = headers["webhook-id"], headers["webhook-timestamp"]
    if abs(time.time() - int(at)) > 300:
        return False
    for signature in headers["webhook-signature"].split(" "):
        if signature.startswith("v1a,"):
            try:
                key.verify(base64.b64decode(signature[4:]), f"{id}.{at}.".encode() + body)
                return True
            except InvalidSignature:
                pass
    return False


class Receiver(BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(200 if verified(keys[int(self.path[1:])], self.headers, body) else 401)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_):
        pass


server = ThreadingHTTPServer(("127.0.0.1", 0), Receiver)
threading.Thread(target=server.serve_forever, daemon=True).start()
print(server.server_address[1], flush=True)
sys.stdin.read()  # until the test has ended
os._exit(0)
