"""Debian's Kannel, run from the configuration that siaga ships, with ports and paths replaced."""

import re
import urllib.parse
import urllib.request
from pathlib import Path

from rig.cases import Failed, until
from rig.process import Process, free_ports, listens

SHIPPED = Path(__file__).resolve().parents[2] / "deploy/kannel/siaga-kannel.conf"

CARRIER = """\
group = smsc
smsc = http
smsc-id = uji
system-type = kannel
smsc-username = carrier
smsc-password = carrier
port = {mo_port}
connect-allow-ip = "127.0.0.1"
send-url = "http://127.0.0.1:{mt_port}/send"
"""


def replaced(text, pairs):
    """The configuration with each line's value replaced; a line that is not there is an error."""
    for line, value in pairs:
        text, count = re.subn(rf"(?m)^{line}\s*=.*$", value, text)
        if count != 1:
            raise Failed(f"{SHIPPED.name}: `{line}` stands there {count} times, not once")
    return text


class Boxes:
    """One bearerbox and one smsbox."""

    def __init__(self, folder, hook_port, token, joins=True, get_url=None):
        self.folder = Path(folder)
        self.folder.mkdir(parents=True, exist_ok=True)
        admin, link, self.sendsms_port, self.mo_port, self.mt_port = free_ports(5)
        smsc = self.folder / "smsc.conf"
        smsc.write_text(CARRIER.format(mo_port=self.mo_port, mt_port=self.mt_port))
        shipped = SHIPPED.read_text().replace("/var/log/kannel/", f"{self.folder}/")
        hook = re.search(r'(?m)^get-url = "(.*)"$', shipped)
        url = hook.group(1).replace("127.0.0.1:8080", f"127.0.0.1:{hook_port}")
        url = url.replace("CHANGE-ME-hook", token)
        self.config = self.folder / "kannel.conf"
        self.config.write_text(
            replaced(
                shipped,
                [
                    ("admin-port", f"admin-port = {admin}"),
                    ("smsbox-port", f"smsbox-port = {link}"),
                    ("sendsms-port", f"sendsms-port = {self.sendsms_port}"),
                    ("include", f'include = "{smsc}"'),
                    ("store-location", f'store-location = "{self.folder}/kannel.store"'),
                    (
                        "sms-combine-concatenated-mo",
                        f"sms-combine-concatenated-mo = {str(joins).lower()}",
                    ),
                    # A test cannot wait ten seconds between two tries.
                    ("http-queue-delay", "http-queue-delay = 1"),
                    ("get-url", f'get-url = "{get_url or url}"'),
                ],
            )
        )
        self.link_port = link
        self.bearerbox = None
        self.smsbox = None

    def start(self):
        """Starts both boxes and waits until each takes requests."""
        self.bearerbox = self._box("/usr/sbin/bearerbox")
        until(lambda: listens(self.link_port), 10, "bearerbox takes smsboxes")
        self.smsbox = self._box("/usr/sbin/smsbox")
        until(lambda: listens(self.sendsms_port), 10, "smsbox takes sendsms")
        until(lambda: "Connected to bearerbox" in self.smsbox.tail(50), 10, "smsbox is connected")

    def stop(self):
        """Ends both; bearerbox is not waited for long, its queue is of no use here."""
        for box in (self.smsbox, self.bearerbox):
            if box:
                box.stop(limit_s=2)

    def _box(self, program):
        name = Path(program).name
        # Level 1 on the terminal only: the test reads from it that the boxes are connected.
        return Process([program, "-v", "1", str(self.config)], self.folder / f"{name}.out")

    def sendsms(self, to, text, **more):
        """Asks smsbox to send; gives the status and its word."""
        fields = {"username": "siaga", "password": "CHANGE-ME-sendsms"}
        fields |= {"from": "628990", "to": to, "text": text} | more
        query = urllib.parse.urlencode(fields)
        url = f"http://127.0.0.1:{self.sendsms_port}/cgi-bin/sendsms?{query}"
        with urllib.request.urlopen(url, timeout=10) as answer:
            return answer.status, answer.read().decode()
