"""Bad disks by real means: small file systems in memory, images that can be copied as a power cut
leaves them, faults that strace puts into system calls, and flipped bits."""

import os
import shutil
import sqlite3
import subprocess
import sys

INSIDE = "SIAGA_FAULTS_INSIDE"


def in_own_mounts():
    """Runs this script anew as root with mounts of its own, gone with it."""
    if os.environ.get(INSIDE):
        return
    names = [name for name in ("SIAGA_BIN", "PATH", "PYTHONDONTWRITEBYTECODE") if name in os.environ]
    keep = [f"{name}={os.environ[name]}" for name in names] + [f"{INSIDE}=1"]
    as_root = [] if os.geteuid() == 0 else ["sudo", "-n"]
    inside = ["unshare", "-m", sys.executable, os.path.abspath(sys.argv[0]), *sys.argv[1:]]
    command = [*as_root, "env", *keep, *inside]
    os.execvp(command[0], command)


def run(*command):
    """Runs a command of the system; its output is shown where it fails."""
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    if done.returncode != 0:
        raise RuntimeError(f"{' '.join(map(str, command))}: {done.stderr.strip()}")
    return done.stdout


class Memory:
    """A file system in memory, of a size that can be changed."""

    def __init__(self, folder, size):
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        run("mount", "-t", "tmpfs", "-o", f"size={size}", "siaga-faults", folder)

    def resize(self, size):
        run("mount", "-o", f"remount,size={size}", self.folder)

    def close(self):
        run("umount", "-l", self.folder)


class Image:
    """An ext4 in a file. A copy of the file is what a power cut would have left."""

    def __init__(self, folder, image, mib):
        self.folder, self.image = folder, image
        folder.mkdir(parents=True, exist_ok=True)
        with open(image, "wb") as file:
            file.truncate(mib << 20)
        run("mkfs.ext4", "-q", "-F", image)
        self.mount()

    def mount(self):
        run("mount", "-o", "loop", self.image, self.folder)

    def sync(self):
        run("sync", "-f", self.folder)

    def cut(self, halt):
        """Power is cut: `halt` stops whoever writes, and gives what ends them once the copy is made."""
        left = self.image.with_suffix(".cut")
        end = halt()
        shutil.copyfile(self.image, left)
        end()
        run("umount", self.folder)
        os.replace(left, self.image)
        self.mount()

    def close(self):
        run("umount", "-l", self.folder)


def strace(files, calls, fault):
    """A command that runs a program with a fault in the calls that touch these files; all where
    there are none."""
    command = ["strace", "-D", "-f", "-qq", "-o", "/dev/null"]
    for file in files:
        command += ["-P", str(file)]
    return [*command, "-e", f"trace={calls}", "-e", f"inject={calls}:{fault}"]


class Held:
    """Holds the right to write to the store, as long as it lives: the store takes nothing."""

    def __init__(self, siaga):
        path = siaga.folder / "data/siaga.db"
        self.link = sqlite3.connect(path, timeout=20, isolation_level=None, check_same_thread=False)
        self.link.execute("BEGIN IMMEDIATE")

    def release(self):
        self.link.execute("ROLLBACK")
        self.link.close()


def flip(path, at, bit):
    """Flips one bit of a file."""
    with open(path, "r+b") as file:
        file.seek(at)
        byte = file.read(1)[0]
        file.seek(at)
        file.write(bytes([byte ^ (1 << bit)]))
