"""Many keep-alive connections that send phones' messages to `/hooks/kannel`, as Kannel would."""

import asyncio
import time
import urllib.parse

from rig.siaga import TOKEN


class Message:
    """One message of one phone, with what became of it."""

    def __init__(self, number, text):
        self.id = f"{number:08x}-0000-4000-8000-{number:012x}"
        self.phone = f"+62811{number:08}"
        self.text = text
        self.replies = []
        self.refused = 0

    def __repr__(self):
        return f"{self.id} {self.text!r} -> {self.replies}"

    def path(self):
        """Where it goes: Kannel's `get-url`."""
        query = urllib.parse.urlencode(
            {
                "token": TOKEN,
                "id": self.id,
                "from": self.phone,
                "to": "628990",
                "ts": int(time.time()),
                "smsc": "uji",
                "coding": "0",
                "charset": "UTF-8",
                "udh": "",
                "text": self.text,
            }
        )
        return f"/hooks/kannel?{query}"

    def request(self):
        """The request as bytes, for a connection that stays open."""
        return f"GET {self.path()} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n".encode()


async def whole_answer(reader):
    """Status, headers by their lower-case name, and body of the next answer."""
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").lower()
    lines = head.split("\r\n")
    pairs = (line.partition(":") for line in lines[1:] if line)
    headers = {name: value.strip() for name, _, value in pairs}
    body = await reader.readexactly(int(headers.get("content-length", 0)))
    return int(lines[0].split(" ", 2)[1]), headers, body.decode()


async def answer(reader):
    """Status and body of the next answer."""
    status, _, body = await whole_answer(reader)
    return status, body


async def connection(port, take, took, ends_at):
    """Sends what `take` gives, one after the other, until it gives nothing or the server is gone.

    An answer of 200 is noted in the message; anything else leaves it unanswered.
    """
    try:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
    except OSError:
        return
    try:
        while time.monotonic() < ends_at and (message := take()) is not None:
            start = time.monotonic()
            writer.write(message.request())
            status, body = await asyncio.wait_for(answer(reader), 10)
            took.append(time.monotonic() - start)
            if status == 200:
                message.replies.append(body)
            else:
                message.refused += 1
    except (OSError, asyncio.IncompleteReadError, asyncio.TimeoutError):
        pass
    finally:
        writer.close()


async def send(port, take, connections, limit_s, took=None):
    """Runs so many connections at once; gives how long each answer took, in seconds."""
    took = [] if took is None else took
    ends_at = time.monotonic() + limit_s
    await asyncio.gather(*(connection(port, take, took, ends_at) for _ in range(connections)))
    return took


def send_all(port, messages, connections=32, limit_s=30):
    """Sends each message once."""
    left = iter(messages)
    return asyncio.run(send(port, lambda: next(left, None), connections, limit_s))


def percentile(values, share):
    """The value below which this share of them lies."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))] if ordered else 0.0
