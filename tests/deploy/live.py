"""What the compose stack does when it runs: answers, keeps, and goes on while siaga restarts."""

import asyncio
import base64
import contextlib
import hashlib
import hmac
import http.client
import ssl
import time
import urllib.parse

from rig.cases import expect, until
from rig.ledger import Ledger
from rig.load import Message, answer, percentile
from stack import TWILIO_TOKEN, get, run, siaga_check

CONNECTIONS = 32
TEXTS = ["LAPOR LONGSOR MASARAN jalan tertutup", "INFO BANJIR MUNJUNGAN", "DAFTAR MUNJUNGAN"]
# Phones that wait longer than this have a carrier that gave up.
WAITS_MAX_S = 5


def configs(stack):
    """The programs that read the files find nothing wrong with them."""
    for member in stack.members:
        siaga_check(member.config)
    alone = stack.balancer_arguments()[:3]
    for arguments in (alone, stack.balancer_arguments()):
        said = run([*arguments, "-c"])
        expect("WARNING" not in said.upper(), said)


def one_message(stack):
    """A message is answered through the balancer, and the same again by the other process."""
    message = Message(9_000_001, "LAPOR LONGSOR MASARAN 2 orang terjebak")
    answers = {get("127.0.0.1", stack.port, message.path()) for _ in range(4)}
    answers |= {each.get(message.path()) for each in stack.members}
    expect(len(answers) == 1, f"a repeat is answered in another way: {answers}")
    status, body = answers.pop()
    expect(status == 200 and body, f"{status} {body!r}")
    taken = [each.taken() for each in stack.members]
    return f"{body[:40]!r}…, taken by {taken}"


def only_hooks(stack):
    """What is for operators is not passed on."""
    for path in ("/", "/metrics", "/readyz", "/healthz", "/hooks", "/api/v1/reports"):
        status = get("127.0.0.1", stack.port, path)[0]
        expect(status == 404, f"{path}: {status}")


def signed(stack):
    """A request that Twilio signed over https://… is believed, over http://… only where that is so."""
    for number, (signed_for, sent_by, wanted) in enumerate(
        [("https", "https", 200), ("http", "http", 200), ("https", "http", 401), ("http", "https", 401)]
    ):
        status = twilio(stack, number, signed_for, sent_by)
        expect(status == wanted, f"signed for {signed_for}, sent by {sent_by}: {status}")


def twilio(stack, number, signed_for, sent_by):
    fields = {
        "AccountSid": "AC00000000000000000000000000000001",
        "Body": "INFO",
        "From": f"+62812300090{number:02}",
        "MessageSid": f"SM{number:032}",
        "To": "+12025550143",
    }
    url = f"{signed_for}://sms.example.org/hooks/twilio"
    text = url + "".join(f"{name}{fields[name]}" for name in sorted(fields))
    signature = hmac.new(TWILIO_TOKEN.encode(), text.encode(), hashlib.sha1).digest()
    headers = {
        "Content-Type": "application/x-www-form-urlencoded",
        "Host": "sms.example.org",
        # A word of somebody else's, which the balancer replaces.
        "X-Forwarded-Proto": "https",
        "X-Forwarded-Host": "evil.example.org",
        "X-Twilio-Signature": base64.b64encode(signature).decode(),
    }
    if sent_by == "https":
        trusted = ssl.create_default_context(cafile=str(stack.folder / "certificate.pem"))
        link = http.client.HTTPSConnection("localhost", stack.tls_port, timeout=10, context=trusted)
    else:
        link = http.client.HTTPConnection("127.0.0.1", stack.port, timeout=10)
    with contextlib.closing(link):
        link.request("POST", "/hooks/twilio", urllib.parse.urlencode(fields), headers)
        return link.getresponse().status


def access(stack):
    """Each user of Redis may do its own work and nothing else."""
    password = (stack.secrets / "redis_password").read_text().strip()
    for user, secret, command, wanted in [
        ("siaga", password, "GET siaga:{g}:nothing", ""),
        ("siaga", password, "GET other", "NOPERM"),
        ("siaga", password, "FLUSHALL", "NOPERM"),
        ("siaga", password, "CONFIG SET appendfsync no", "NOPERM"),
        ("siaga", password, "KEYS *", "NOPERM"),
        ("siaga", password, "SHUTDOWN NOSAVE", "NOPERM"),
        ("siaga", "wrong", "PING", "NOAUTH"),
        ("probe", "probe", "PING", "PONG"),
        ("probe", "probe", "GET siaga:{g}:nothing", "NOPERM"),
        ("default", "", "PING", "NOAUTH"),
    ]:
        said = stack.cli(user, secret, *command.split())
        expect(wanted in said if wanted else not said, f"{user}: {command}: {said!r}")


class Load:
    """Carriers that send through the balancer until told to stop; each message once."""

    def __init__(self, stack, ledger):
        self.port, self.ledger = stack.port, ledger
        self.on, self.took, self.odd = True, [], []

    async def connection(self, ends_at):
        """One keep-alive connection, opened again where the balancer closed it between requests."""
        while self.on and time.monotonic() < ends_at:
            reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
            try:
                while self.on and time.monotonic() < ends_at:
                    await self.send(self.ledger.fresh(), reader, writer)
                    await asyncio.sleep(0.002)
            except (OSError, EOFError, asyncio.TimeoutError) as error:
                self.odd.append(repr(error))
            finally:
                writer.close()

    async def send(self, message, reader, writer):
        start = time.monotonic()
        writer.write(message.request())
        status, body = await asyncio.wait_for(answer(reader), 20)
        self.took.append(time.monotonic() - start)
        if status == 200:
            message.replies.append(body)
        else:
            self.odd.append(f"{status} {body[:60]!r}")

    async def during(self, work):
        """Runs `work`, a blocking function, under load."""
        ends_at = time.monotonic() + 60
        load = [asyncio.create_task(self.connection(ends_at)) for _ in range(CONNECTIONS)]
        try:
            await asyncio.sleep(0.5)
            done = await asyncio.get_running_loop().run_in_executor(None, work)
            await asyncio.sleep(0.5)
        finally:
            self.on = False
            await asyncio.wait_for(asyncio.gather(*load), 40)
        return done


def without_an_error(stack, ledger, work):
    """Every request that is sent while `work` goes on is answered with 200."""
    load = Load(stack, ledger)
    before = len(ledger.sent)
    asyncio.run(load.during(work))
    sent = len(ledger.sent) - before
    expect(not load.odd, f"{len(load.odd)} of {sent} requests failed, so: {sorted(set(load.odd))[:3]}")
    longest = max(load.took)
    expect(longest <= WAITS_MAX_S, f"a message waited {longest:.1f} s")
    p99 = percentile(load.took, 0.99)
    return f"{sent} answered, p99 {p99 * 1000:.0f} ms, longest {longest * 1000:.0f} ms"


def one_stops(stack, ledger):
    """One process is told to stop under load and stays away for a while."""
    first = stack.members[0]

    def work():
        expect(first.stop() == 0, first.process.tail())
        taken = stack.members[1].taken()
        until(lambda: stack.members[1].taken() > taken + 100, 20, "the other takes messages")

    try:
        return without_an_error(stack, ledger, work)
    finally:
        stack.bring_back(first)


def one_is_killed(stack, ledger):
    """One process is killed under load: what it had begun is answered by the other."""
    second = stack.members[1]

    def work():
        second.kill()
        taken = stack.members[0].taken()
        until(lambda: stack.members[0].taken() > taken + 100, 20, "the other takes messages")

    try:
        return without_an_error(stack, ledger, work)
    finally:
        stack.bring_back(second)


def rolling_restart(stack, ledger):
    """Both are restarted, one after the other, the second once the first takes messages again."""

    def work():
        for member in stack.members:
            expect(member.stop() == 0, member.process.tail())
            stack.bring_back(member)

    return without_an_error(stack, ledger, work)


def redis_is_restarted(stack, ledger):
    """Redis is killed under load and comes back: what comes meanwhile waits in the journals."""

    def work():
        stack.redis.kill()
        waiting = len(ledger.sent)
        until(lambda: len(ledger.sent) > waiting + 100, 30, "messages are taken without Redis")
        stack.start_redis()
        until(lambda: all(each.is_settled() for each in stack.members), 30, "the journals are empty")

    return without_an_error(stack, ledger, work)


def kept_once(stack, ledger):
    """Every message that was answered is kept, once."""
    ours = {each.id for each in ledger.sent}
    kept = [each for each in stack.members[0].messages() if each in ours]
    expect(len(kept) == len(set(kept)), "a message is kept twice")
    lost = {each.id for each in ledger.sent if each.replies} - set(kept)
    expect(not lost, f"{len(lost)} answered messages are lost")
    return f"{len(kept)} messages"


def check(cases, stack):
    """Runs everything on a stack that was not started yet."""
    ledger = Ledger(TEXTS)
    cases.run("siaga check and haproxy -c read the files", configs, stack)
    cases.run("the stack starts", stack.start)
    if not stack.balancer:
        return
    cases.run("a message is answered, a repeat likewise by either", one_message, stack)
    cases.run("the balancer passes on hooks alone", only_hooks, stack)
    cases.run("a carrier's signature holds through the balancer", signed, stack)
    cases.run("users of Redis have their own rights alone", access, stack)
    cases.run("one siaga stops under load", one_stops, stack, ledger)
    cases.run("one siaga is killed under load", one_is_killed, stack, ledger)
    cases.run("both are restarted under load", rolling_restart, stack, ledger)
    cases.run("Redis is killed and started again under load", redis_is_restarted, stack, ledger)
    cases.run("what was answered is kept once", kept_once, stack, ledger)
