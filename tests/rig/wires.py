"""Machines as network namespaces, on wires that can be cut.

A test that uses them runs in a namespace of its own (`alone`): nothing of the machine's network is
touched, and all of it goes with the last process in it. Each machine has one wire to where the test
runs, which passes on what machines send each other.
"""

import os
import subprocess
import sys

MARK = "SIAGA_TEST_NAMESPACE"
# Private to the namespace: whether the machine uses these addresses too does not matter.
ADDRESS = "10.99.{number}.{end}"


def run(*words):
    """Runs a command; what it says is shown where it fails."""
    done = subprocess.run(words, capture_output=True, text=True, timeout=20, check=False)
    if done.returncode != 0:
        raise OSError(f"{' '.join(words)}: {done.stderr.strip() or done.stdout.strip()}")
    return done.stdout


def alone():
    """Starts this program anew in a network namespace of its own, unless it is in one."""
    if os.environ.get(MARK):
        run("ip", "link", "set", "lo", "up")
        with open("/proc/sys/net/ipv4/ip_forward", "w") as forward:
            forward.write("1")
        return
    os.environ[MARK] = "1"
    how = ["-n"] if os.geteuid() == 0 else ["-r", "-n"]
    os.execvp("unshare", ["unshare", *how, sys.executable, *sys.argv])


class Machine:
    """One machine: an address, and a way to run programs there."""

    def __init__(self, number):
        self.number = number
        self.wire = f"wire{number}"
        self.address = ADDRESS.format(number=number, end=2)
        # Ends with this process: then nobody writes to it any more.
        self.keeper = subprocess.Popen(
            ["unshare", "-n", "sh", "-c", "echo here; exec cat >/dev/null"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        self.keeper.stdout.readline()
        here = ADDRESS.format(number=number, end=1)
        run("ip", "link", "add", self.wire, "type", "veth", "peer", "name", "eth0",
            "netns", str(self.keeper.pid))
        run("ip", "addr", "add", f"{here}/30", "dev", self.wire)
        run("ip", "link", "set", self.wire, "up")
        run(*self.through(), "ip", "addr", "add", f"{self.address}/30", "dev", "eth0")
        run(*self.through(), "ip", "link", "set", "lo", "up")
        run(*self.through(), "ip", "link", "set", "eth0", "up")
        run(*self.through(), "ip", "route", "add", "default", "via", here)

    def through(self):
        """What a command is put behind to run there, and to end with this process."""
        inside = ["nsenter", "-t", str(self.keeper.pid), "-n"]
        return [*inside, "setpriv", "--pdeathsig", "KILL"]

    def cut_off(self, others):
        """Nothing passes between this machine and others; this test reaches all of them."""
        run("ip", "rule", "add", "iif", self.wire, "blackhole")
        for other in others:
            run("ip", "rule", "add", "iif", other.wire, "to", self.address, "blackhole")

    def join(self, others):
        """Undoes `cut_off`."""
        run("ip", "rule", "del", "iif", self.wire, "blackhole")
        for other in others:
            run("ip", "rule", "del", "iif", other.wire, "to", self.address, "blackhole")

    def close(self):
        """Its wire goes with it."""
        self.keeper.stdin.close()
        self.keeper.wait(5)
