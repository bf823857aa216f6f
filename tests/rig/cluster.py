"""Redis as it runs: servers on machines of their own, alone or as a cluster of three and three."""

import signal
import subprocess

from rig.cases import Failed, until
from rig.process import Process
from rig.wires import Machine

PORT = 6379
PARTITIONS = "0123456789abcdef"
# A node that says nothing for so long is taken for lost.
NODE_TIMEOUT_MS = 1_000
OWN = [
    "--port", str(PORT), "--bind", "0.0.0.0", "--protected-mode", "no",
    "--appendonly", "yes", "--appendfsync", "everysec", "--save", "",
    "--repl-diskless-sync-delay", "0",
]
CLUSTER = ["--cluster-enabled", "yes", "--cluster-node-timeout", str(NODE_TIMEOUT_MS)]


class Server:
    """One Redis on a machine of its own."""

    def __init__(self, folder, number, more=()):
        self.machine = Machine(number)
        self.folder = folder / f"redis{number}"
        self.folder.mkdir()
        self.more = list(more)
        self.process = None

    @property
    def address(self):
        return self.machine.address

    def start(self, more=(), answers=True):
        """Starts it on what it has on its disk."""
        arguments = [*self.machine.through(), "redis-server", *OWN, *self.more, *more]
        arguments += ["--dir", str(self.folder)]
        self.process = Process(arguments, self.folder / "redis.out")
        if answers:
            until(lambda: self.says("PING").startswith("PONG"), 20, f"{self.address} answers")

    def says(self, *words):
        """What it answers, an error too; nothing where it does not answer."""
        command = ["redis-cli", "-h", self.address, "-p", str(PORT), *words]
        try:
            done = subprocess.run(command, capture_output=True, text=True, timeout=5, check=False)
        except subprocess.TimeoutExpired:
            return ""
        return done.stdout.strip()

    def told(self, *words):
        """Tells it something that it must take."""
        answer = self.says(*words)
        if answer != "OK":
            raise Failed(f"{self.address} {' '.join(words)}: {answer!r}")

    def set(self, name, value):
        self.told("CONFIG", "SET", name, value)

    def is_master(self):
        return self.says("ROLE").startswith("master")

    def replicas(self):
        """How many replicas are in step with it."""
        about = self.says("INFO", "replication")
        return about.count("state=online")

    def errors(self, code):
        """How often it answered with this error since its numbers were reset."""
        about = self.says("INFO", "errorstats")
        line = next((one for one in about.splitlines() if one.startswith(f"errorstat_{code}:")), "0")
        return int(line.strip().rpartition("=")[2])

    def hang(self):
        self.process.child.send_signal(signal.SIGSTOP)

    def go_on(self):
        self.process.child.send_signal(signal.SIGCONT)

    def kill(self):
        if self.process:
            self.process.kill()

    def close(self):
        self.kill()
        self.machine.close()


class Cluster:
    """Three masters with a replica each."""

    def __init__(self, folder):
        self.servers = [Server(folder, number, CLUSTER) for number in range(1, 7)]

    def start(self):
        for server in self.servers:
            server.start()
        places = [f"{server.address}:{PORT}" for server in self.servers]
        command = ["redis-cli", "--cluster", "create", *places]
        command += ["--cluster-replicas", "1", "--cluster-yes"]
        done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
        if done.returncode != 0:
            raise Failed(f"no cluster came about: {done.stdout[-500:]}")
        self.wait_until_whole()

    def masters(self):
        return [server for server in self.servers if server.is_master()]

    def others(self, one):
        return [server for server in self.servers if server is not one]

    def is_whole(self):
        """Whether three masters have a replica each, and all say that all is well."""
        masters = self.masters()
        return (
            len(masters) == 3
            and all(master.replicas() == 1 for master in masters)
            and all("cluster_state:ok" in one.says("CLUSTER", "INFO") for one in self.servers)
        )

    def wait_until_whole(self):
        until(self.is_whole, 60, "the cluster is whole")

    def close(self):
        for server in self.servers:
            server.close()


def entries(server, stream):
    """How many entries a stream has, over all partitions; one server says who else has them."""
    total = 0
    for partition in PARTITIONS:
        answer = server.says("-c", "XLEN", f"siaga:{{{partition}}}:{stream}")
        if not answer.isdigit():
            raise Failed(f"XLEN of {partition}: {answer!r}")
        total += int(answer)
    return total
