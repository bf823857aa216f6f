"""The pieces of `deploy/compose` as its files have them, on loopback and without containers.

Each service gets an address of 127.0.0.0/8 in place of its name, and folders in place of its
volumes; nothing else in the files is changed, and what is to be changed must be there.
"""

import os
import random
import shutil
import subprocess
from pathlib import Path

from rig.cases import Failed, expect, until
from rig.process import Process, free_ports, listens
from rig.siaga import ROOT, TOKEN, Siaga, binary, get

COMPOSE = ROOT / "deploy/compose"
TOOLS = ROOT / "target/deploy-tools/bin"
TWILIO_TOKEN = "uji-twilio-8Zr4"
# Its requests are signed over the address that the carrier called: they show whether the balancer
# passes that on, and whether siaga believes it.
# A page goes the same way.
TWILIO = f"""
[gateways.twilio]
kind = "twilio"
account_sid = "AC00000000000000000000000000000001"
auth_token = "{TWILIO_TOKEN}"
from = "+12025550143"
# Nobody listens there: nothing is sent to anybody.
api_url = "http://127.0.0.1:1"

[duty]
phones = ["081230009001"]
gateway = "twilio"
"""


def replaced(path, changes):
    """The text of a file with each of these in place of the other; each must be in it."""
    text = path.read_text()
    for old, new in changes.items():
        expect(old in text, f"{path.name} has no {old!r} any more")
        text = text.replace(old, new)
    return text


def run(arguments, cwd=None, limit_s=60, env=None):
    """Runs a program to its end; gives its output. Fails with what it said where it failed."""
    done = subprocess.run(
        [str(each) for each in arguments],
        cwd=cwd,
        env={**os.environ, **(env or {})},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=limit_s,
        check=False,
    )
    said = f"{done.stdout}{done.stderr}"
    expect(done.returncode == 0, f"{Path(arguments[0]).name} ended with {done.returncode}:\n{said}")
    return done.stdout


class Member(Siaga):
    """One of the two processes: the config of the compose file at an address of its own."""

    def __init__(self, folder, name, host, changes):
        self.folder = folder / name
        self.folder.mkdir()
        self.name, self.host = name, host
        self.port, self.admin_port = 8080, 8081
        self.config = self.folder / "siaga.toml"
        changes = {**changes, "0.0.0.0": host, "/var/lib/siaga": str(self.folder)}
        self.config.write_text(replaced(COMPOSE / "siaga.toml", changes) + TWILIO)
        self.process = None

    def start(self, limit_s=10, env=None, through=()):
        # A machine that compiles beside it makes Redis wait for the processor, which is not meant
        # to count as a Redis that hangs.
        super().start(limit_s, {"SIAGA__STORE__REDIS__ANSWER_WITHIN_MS": "3000", **(env or {})}, through)

    def get(self, path, port=None):
        return get(self.host, port or self.port, path)

    def counted(self, series):
        """The sum of a series over its labels."""
        lines = self.get("/metrics", self.admin_port)[1].splitlines()
        counted = (line for line in lines if line.startswith((f"{series}{{", f"{series} ")))
        return sum(int(line.rsplit(" ", 1)[1]) for line in counted)

    def taken(self):
        """How many messages it answered since it started."""
        return self.counted("siaga_messages_total")

    def is_settled(self):
        """Whether it stores messages, and nothing waits in its journal."""
        ready = self.get("/readyz", self.admin_port)
        return ready[0] == 200 and '"degraded":false' in ready[1] and not self.counted("siaga_journal_entries")


class Stack:
    """Redis, two processes and the balancer."""

    def __init__(self, folder):
        self.folder = Path(folder)
        # Of 127.0.0.0/8, so that runs beside this one have others.
        net = f"127.{random.randint(16, 254)}.{random.randint(0, 255)}"
        self.redis_host, *hosts = (f"{net}.{last}" for last in (1, 2, 3))
        self.port, self.tls_port = free_ports(2)
        self.secrets = self._secrets()
        changes = {
            "/run/secrets": str(self.secrets),
            "redis://redis:": f"redis://{self.redis_host}:",
            # Whence the balancer calls on loopback.
            "172.30.77.10": "127.0.0.1",
        }
        names = ("siaga-1", "siaga-2")
        pairs = zip(names, hosts, strict=True)
        self.members = [Member(self.folder, name, host, changes) for name, host in pairs]
        self.redis_config = self._redis_config()
        self.balancer_configs = self._balancer_configs()
        self.redis = self.balancer = None

    def _secrets(self):
        """What `up` makes, with the token that the load generator knows and a certificate."""
        at = self.folder / "compose"
        shutil.copytree(COMPOSE, at, ignore=shutil.ignore_patterns("secrets"))
        run([at / "up", "--secrets"])
        secrets = at / "secrets"
        token = secrets / "kannel_token"
        token.chmod(0o600)
        token.write_text(f"{TOKEN}\n")
        request = "req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=localhost".split()
        request += ["-addext", "subjectAltName=DNS:localhost"]
        key, certificate = self.folder / "key.pem", self.folder / "certificate.pem"
        run(["openssl", *request, "-keyout", key, "-out", certificate])
        pem = certificate.read_text() + key.read_text()
        (secrets / "balancer_tls").write_text(pem)
        return secrets

    def _redis_config(self):
        folder = self.folder / "redis"
        folder.mkdir()
        changes = {"/run/secrets": str(self.secrets), "dir /data": f"dir {folder}"}
        config = self.folder / "redis.conf"
        config.write_text(replaced(COMPOSE / "redis.conf", changes) + f"bind {self.redis_host}\n")
        return config

    def _balancer_configs(self):
        changes = {f"{each.name}:8080": f"{each.host}:8080" for each in self.members}
        changes["bind :8080"] = f"bind 127.0.0.1:{self.port}"
        tls = {"/run/secrets": str(self.secrets), "bind :8443": f"bind 127.0.0.1:{self.tls_port}"}
        written = []
        for name, changed in (("haproxy.cfg", changes), ("haproxy-tls.cfg", tls)):
            config = self.folder / name
            config.write_text(replaced(COMPOSE / name, changed))
            written.append(config)
        return written

    def balancer_arguments(self):
        """HAProxy with both files, as compose.tls.yaml runs it."""
        return ["/usr/sbin/haproxy", *(part for each in self.balancer_configs for part in ("-f", each))]

    def start(self):
        """Starts everything in the order of the compose file and waits until it answers."""
        self.start_redis()
        for member in self.members:
            member.start(20)
        arguments = [str(each) for each in self.balancer_arguments()]
        self.balancer = Process([*arguments, "-db"], self.folder / "balancer.out")
        until(lambda: listens(self.port), 20, "the balancer listens")
        until(lambda: get("127.0.0.1", self.port, "/balancer")[0] == 200, 20, "siaga is seen")

    def bring_back(self, member):
        """Starts a process that was stopped, and waits until the balancer asks it again."""
        member.start(20)

        def is_asked():
            get("127.0.0.1", self.port, "/hooks/kannel?token=wrong")
            return member.counted("siaga_webhooks_refused_total") > 0

        until(is_asked, 20, f"the balancer asks {member.name}")

    def start_redis(self):
        """Starts Redis, on what it has kept."""
        arguments = ["/usr/bin/redis-server", self.redis_config]
        self.redis = Process(arguments, self.folder / "redis.out")
        try:
            until(self.redis_answers, 20, "Redis answers")
        except Failed as failure:
            raise Failed(f"{failure}\n{self.redis.tail()}") from None

    def redis_answers(self):
        """The health check of the compose file."""
        return self.cli("probe", "probe", "ping") == "PONG"

    def cli(self, user, password, *command):
        """What Redis says to a user."""
        arguments = ["redis-cli", "-h", self.redis_host, "--user", user, "--pass", password]
        done = subprocess.run(
            [*arguments, "--no-auth-warning", *command],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=20,
            check=False,
        )
        return done.stdout.strip() or done.stderr.strip()

    def stop(self):
        """Ends everything that was started."""
        for process in (self.balancer, *(each.process for each in self.members), self.redis):
            if process:
                process.stop()


def siaga_check(config):
    """`siaga check` finds nothing wrong."""
    run([binary(), "check", "--config", config])
