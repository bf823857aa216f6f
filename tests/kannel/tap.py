"""Stands between smsbox and siaga: remembers each request with its answer, and can lose answers."""

import http.client
import threading
import urllib.parse
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Exchange:
    """One request of Kannel and what siaga answered; status 0 where siaga was away."""

    def __init__(self, path):
        self.path = path.partition("?")[0]
        query = path.partition("?")[2]
        self.fields = dict(urllib.parse.parse_qsl(query, True, errors="surrogateescape"))
        self.status = 0
        self.body = ""


class Tap:
    """Forwards from its own port to siaga's."""

    def __init__(self, port, siaga_port):
        self.siaga_port = siaga_port
        self.lock = threading.Lock()
        self.exchanges = []
        self.lose = 0
        tap = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self):
                exchange, kind = tap.forward(self.path, dict(self.headers))
                lost = tap.loses()
                with tap.lock:
                    tap.exchanges.append(exchange)
                status = 503 if lost or exchange.status == 0 else exchange.status
                body = b"" if status == 503 else exchange.body.encode()
                self.send_response(status)
                self.send_header("Content-Type", kind)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", port), Handler)
        self.server.daemon_threads = True
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def loses(self):
        """Whether this answer is to be lost; counts down."""
        with self.lock:
            if self.lose == 0:
                return False
            self.lose -= 1
            return True

    def forward(self, path, headers):
        """Asks siaga; an answer that does not come counts as siaga being away."""
        exchange, kind = Exchange(path), "text/plain"
        link = http.client.HTTPConnection("127.0.0.1", self.siaga_port, timeout=10)
        try:
            link.request("GET", path, headers={"User-Agent": headers.get("User-Agent", "")})
            answer = link.getresponse()
            exchange.body = answer.read().decode()
            exchange.status = answer.status
            kind = answer.getheader("Content-Type", kind)
        except OSError:
            pass
        finally:
            link.close()
        return exchange, kind

    def close(self):
        self.server.shutdown()
        self.server.server_close()

    def of(self, phone, path="/hooks/kannel"):
        """The exchanges about one phone, in order."""
        with self.lock:
            return [
                each
                for each in self.exchanges
                if each.path == path and each.fields.get("from", "").lstrip("+") == phone.lstrip("+")
            ]

    def receipts(self):
        """The exchanges that carried a receipt."""
        with self.lock:
            return [each for each in self.exchanges if each.path.endswith("/dlr")]
