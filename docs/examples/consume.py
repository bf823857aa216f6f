#!/usr/bin/env python3
"""A worker for siaga's report streams, with redis-py (Debian: python3-redis).

    consume.py redis://desk:PASSWORD@127.0.0.1:6379 --worker desk-1 -- ./take-report

runs `./take-report` for each report, with the report as JSON on its standard input. Where it ends
with anything but 0, the report comes again. Without a program, one line a report is printed.

Several workers share the reports of a group; start as many as you like, each under a name of its
own. Every report comes at least once: `done` tells which entries were worked off, so that none is
worked off twice. Here each line of a file is such an entry; yours belong where your work is kept,
in the same transaction.
"""

import argparse
import json
import signal
import subprocess
import sys

import redis

PARTITIONS = "0123456789abcdef"


class Done:
    """Entries that were worked off, one a line."""

    def __init__(self, path):
        self.file = open(path, "a+", buffering=1)
        self.file.seek(0)
        self.known = {line.strip() for line in self.file}

    def add(self, entry):
        self.known.add(entry)
        self.file.write(entry + "\n")


def work(program, report):
    """The work itself. An exception leaves the entry with the group: it comes again."""
    if program:
        subprocess.run(program, input=json.dumps(report), text=True, check=True)
    else:
        shown = ("event", "report", "priority", "hazard", "area_name")
        print(*(report.get(name, "-") for name in shown), sep="\t", flush=True)


class Worker:
    """Reads sixteen streams, one after the other where they lie on several servers."""

    def __init__(self, given):
        # The sealed field holds bytes that are no text; nobody but siaga reads it.
        text = {"decode_responses": True, "encoding_errors": "replace"}
        self.server = redis.Redis.from_url(given.url, **text)
        self.streams = [f"{given.prefix}:{{{letter}}}:reports" for letter in PARTITIONS]
        self.group, self.name, self.idle_ms = given.group, given.worker, given.idle * 1000
        self.done, self.program = Done(given.done), given.program
        self.on = True

    def prepare(self):
        for stream in self.streams:
            try:
                self.server.xgroup_create(stream, self.group, id="0", mkstream=True)
            except redis.ResponseError as error:
                if not str(error).startswith("BUSYGROUP"):
                    raise

    def one(self, stream, id, report):
        """Works one entry off, and acknowledges it once that is done."""
        letter = stream.rsplit("{", 1)[1][0]
        entry = f"{letter}-{id.split('-')[0]}"
        # One that siaga set aside as damaged has no fields any more.
        if report and entry not in self.done.known:
            report = {"entry": entry, **report}
            report.pop("v", None)
            try:
                work(self.program, report)
            except Exception as error:
                print(f"{entry}: {error}", file=sys.stderr, flush=True)
                return
            self.done.add(entry)
        self.server.xack(stream, self.group, id)

    def take_over(self):
        """What a worker left behind that died, or this one before a restart."""
        for stream in self.streams:
            start = "0-0"
            while self.on:
                start, entries = self.server.xautoclaim(
                    stream, self.group, self.name, self.idle_ms, start, count=10
                )[:2]
                for id, report in entries:
                    self.one(stream, id, report)
                if start == "0-0":
                    break

    def run(self):
        self.prepare()
        while self.on:
            self.take_over()
            wanted = dict.fromkeys(self.streams, ">")
            for stream, entries in self.server.xreadgroup(
                self.group, self.name, wanted, count=10, block=1000
            ):
                for id, report in entries:
                    self.one(stream, id, report)

    def dead(self):
        """Prints what no worker could deal with."""
        for stream in self.streams:
            for _, report in self.server.xrange(stream + "-dead"):
                shown = ("entry", "report", "dead_group", "dead_deliveries", "dead_at")
                print(*(report[name] for name in shown), sep="\t")


def main():
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("url")
    arguments.add_argument("--prefix", default="siaga")
    arguments.add_argument("--group", default="desk")
    arguments.add_argument("--worker", default="desk-1")
    arguments.add_argument("--idle", type=int, default=60, metavar="SECONDS")
    arguments.add_argument("--done", default="done.txt", metavar="FILE")
    arguments.add_argument("--dead", action="store_true", help="print the dead letters and end")
    # What stands behind -- is the program.
    end = sys.argv.index("--") if "--" in sys.argv else len(sys.argv)
    given = arguments.parse_args(sys.argv[1:end])
    given.program = sys.argv[end + 1 :]
    worker = Worker(given)
    if given.dead:
        worker.dead()
        return

    def stop(*_):
        worker.on = False

    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)
    worker.run()


if __name__ == "__main__":
    main()
