"""A carrier's message centre, as Kannel's `smsc = http, system-type = kannel` sees it.

It takes what Kannel sends to phones, and sends phones' messages and receipts to Kannel.
"""

import threading
import urllib.parse
import urllib.request
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Sent:
    """A message that Kannel handed to the carrier for a phone."""

    def __init__(self, fields):
        self.to = fields.get("to", "")
        self.sender = fields.get("from", "")
        self.text = fields.get("text", "")
        self.coding = fields.get("coding", "")
        self.receipt_url = fields.get("dlr-url", "")

    def __repr__(self):
        return f"{self.sender} -> {self.to}: {self.text!r}"


class Carrier:
    """Listens on a port of loopback and remembers everything Kannel sends."""

    def __init__(self, port, kannel_port):
        self.kannel_port = kannel_port
        self.lock = threading.Lock()
        self.taken = []
        carrier = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self):
                query = self.path.partition("?")[2]
                fields = dict(urllib.parse.parse_qsl(query, keep_blank_values=True))
                with carrier.lock:
                    carrier.taken.append(Sent(fields))
                body = b"0: Accepted for delivery"
                self.send_response(202)
                self.send_header("Content-Type", "text/plain")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", port), Handler)
        self.server.daemon_threads = True
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def close(self):
        self.server.shutdown()
        self.server.server_close()

    def to_phone(self, phone):
        """Everything sent to this phone so far."""
        with self.lock:
            return [sent for sent in self.taken if sent.to.lstrip("+") == phone.lstrip("+")]

    def from_phone(self, phone, text, to="628990", **more):
        """A phone's message reaches Kannel. `text` is bytes, or a string sent as UTF-8."""
        raw = text if isinstance(text, bytes) else text.encode()
        fields = {"username": "carrier", "password": "carrier", "from": phone, "to": to}
        if not isinstance(text, bytes):
            fields |= {"charset": "UTF-8", "coding": "0"}
        fields |= more
        query = urllib.parse.urlencode(fields) + "&text=" + urllib.parse.quote_from_bytes(raw)
        url = f"http://127.0.0.1:{self.kannel_port}/sms?{query}"
        with urllib.request.urlopen(url, timeout=10) as answer:
            return answer.status
