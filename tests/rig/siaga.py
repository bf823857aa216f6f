"""`siaga serve` on loopback with a data directory of its own and one Kannel gateway."""

import http.client
import json
import os
import subprocess
from pathlib import Path

from rig.cases import Failed, until
from rig.process import Process, free_ports

ROOT = Path(__file__).resolve().parents[2]
TOKEN = "uji-7Kq2vX9m"

CONFIG = """\
regency = ["35.03", "35.05"]

[agency]
org = "BPBD Trenggalek"
kab = "Trenggalek"
emergency = "112"
phone = "0355-000000"
timezone = "WIB"
country = "ID"

[http.public]
listen = "127.0.0.1:{public}"

[http.admin]
listen = "127.0.0.1:{admin}"

[store]
path = "{folder}/data"
key_file = "{folder}/siaga.key"

[gateways.kannel]
kind = "kannel"
callback_auth = {{ type = "query_token", param = "token", value = "{token}" }}
sendsms_url = "http://127.0.0.1:{sendsms}/cgi-bin/sendsms"
username = "siaga"
password = "CHANGE-ME-sendsms"
from = "628990"
dlr_url = "http://127.0.0.1:{receipts}/hooks/kannel/dlr?token={token}&id={{id}}&status=%d&ts=%T&smsc_id=%F&answer=%A"
"""


def binary():
    """The program under test: `SIAGA_BIN`, else the release build."""
    path = Path(os.environ.get("SIAGA_BIN", ROOT / "target/release/siaga"))
    if not path.is_file():
        raise Failed(f"{path} is missing: cargo build --release --locked")
    return str(path)


def get(host, port, path):
    """Status and body; status 0 where nobody answers."""
    link = http.client.HTTPConnection(host, port, timeout=10)
    try:
        link.request("GET", path)
        answer = link.getresponse()
        return answer.status, answer.read().decode()
    except OSError:
        return 0, ""
    finally:
        link.close()


class Siaga:
    """One server; it can be killed and started again on the same data."""

    def __init__(self, folder, sendsms_port=1, receipts_port=None, more=""):
        self.folder = Path(folder)
        self.folder.mkdir(parents=True, exist_ok=True)
        self.port, self.admin_port = free_ports(2)
        self.config = self.folder / "siaga.toml"
        text = CONFIG.format(
            public=self.port,
            admin=self.admin_port,
            folder=self.folder,
            token=TOKEN,
            sendsms=sendsms_port,
            receipts=receipts_port or self.port,
        )
        self.config.write_text(text + more)
        self.process = None

    def start(self, limit_s=10, env=None, through=()):
        """Starts and waits until it is ready to answer; `through` is a command that runs it."""
        arguments = [*through, binary(), "serve", "--config", str(self.config)]
        self.process = Process(arguments, self.folder / "siaga.out", cwd=self.folder, env=env)
        try:
            until(self.ready_or_gone, limit_s, "siaga is ready")
        except Failed as failure:
            raise Failed(f"{failure}\n{self.process.tail()}") from None

    def ready_or_gone(self):
        """Whether `/readyz` says 200; a server that ended will never be ready."""
        if not self.process.runs():
            raise Failed("siaga ended while starting")
        return self.get("/readyz", self.admin_port)[0] == 200

    def ends(self, within_s):
        """Whether it ends by itself, or by what befalls it."""
        try:
            until(lambda: not self.process.runs(), within_s, "siaga ends")
        except Failed:
            return False
        return True

    def state(self):
        """What `/readyz` says."""
        return self.get("/readyz", self.admin_port)[1]

    def stored(self, within_s=60):
        """Waits until nothing is left in the journal."""
        until(lambda: '"degraded":false' in self.state(), within_s, "the journal is stored")

    def stop(self):
        return self.process.stop() if self.process else None

    def kill(self):
        if self.process:
            self.process.kill()

    def get(self, path, port=None):
        """Status and body; status 0 where nobody answers."""
        return get("127.0.0.1", port or self.port, path)

    def messages(self):
        """The carrier's id of every stored message, read from the data of a stopped server."""
        arguments = [binary(), "export", "messages", "--format", "ndjson"]
        arguments += ["--config", str(self.config)]
        done = subprocess.run(arguments, capture_output=True, text=True, timeout=60, check=False)
        if done.returncode != 0:
            raise Failed(f"siaga export messages: {done.stderr.strip()}")
        return [json.loads(line)["id"] for line in done.stdout.splitlines()]
