"""Programs that a test starts: own process group, output to a file, ended by pid and never by name."""

import os
import resource
import signal
import socket
import subprocess

# As the systemd unit gives it: a shell's soft limit of 1,024 is less than siaga's connections.
FILES_MAX = 8_192
_soft, _hard = resource.getrlimit(resource.RLIMIT_NOFILE)
if 0 <= _soft < FILES_MAX:
    _most = FILES_MAX if _hard < 0 else min(FILES_MAX, _hard)
    resource.setrlimit(resource.RLIMIT_NOFILE, (_most, _hard))


def free_ports(count):
    """Ports of loopback that nobody listens on; all are held open until all are known."""
    sockets = [socket.socket() for _ in range(count)]
    try:
        for each in sockets:
            each.bind(("127.0.0.1", 0))
        return [each.getsockname()[1] for each in sockets]
    finally:
        for each in sockets:
            each.close()


def listens(port):
    """Whether something accepts on this port of loopback."""
    with socket.socket() as probe:
        probe.settimeout(0.5)
        return probe.connect_ex(("127.0.0.1", port)) == 0


class Process:
    """One running program."""

    def __init__(self, arguments, log, cwd=None, env=None):
        with open(log, "ab") as output:
            self.child = subprocess.Popen(
                arguments,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                cwd=cwd,
                env={**os.environ, **(env or {})},
                start_new_session=True,
            )
        self.log = log

    @property
    def pid(self):
        return self.child.pid

    def runs(self):
        return self.child.poll() is None

    def kill(self):
        """SIGKILL: no chance to tidy up."""
        self._end(signal.SIGKILL, 5)

    def stop(self, limit_s=10):
        """SIGTERM, and SIGKILL after `limit_s` seconds; gives the exit code."""
        self._end(signal.SIGTERM, limit_s)
        return self.child.returncode

    def _end(self, how, limit_s):
        if not self.runs():
            return
        self.child.send_signal(how)
        try:
            self.child.wait(limit_s)
        except subprocess.TimeoutExpired:
            self.child.kill()
            self.child.wait(5)

    def tail(self, lines=15):
        """The end of what it printed."""
        with open(self.log, errors="replace") as output:
            return "".join(output.readlines()[-lines:])

    def cpu_s(self):
        """Processor seconds used so far, user and system."""
        with open(f"/proc/{self.pid}/stat") as stat:
            fields = stat.read().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def resident_mib(self):
        """Resident memory now, in MiB."""
        return self._memory_mib("VmRSS:")

    def peak_mib(self):
        """Most resident memory so far, in MiB."""
        return self._memory_mib("VmHWM:")

    def _memory_mib(self, name):
        with open(f"/proc/{self.pid}/status") as status:
            for line in status:
                if line.startswith(name):
                    return int(line.split()[1]) / 1024
        return 0.0

    def handles(self):
        """How many files and sockets it holds."""
        return len(os.listdir(f"/proc/{self.pid}/fd"))
