"""Named checks with one line each, a bound on every wait, and a closing line."""

import sys
import time
import traceback


class Failed(Exception):
    """A check that does not hold; its text says what was seen."""


def expect(holds, seen):
    """Fails with what was seen unless the claim holds."""
    if not holds:
        raise Failed(seen)


def until(look, limit_s, what):
    """Returns the first true answer of `look`, asked again until `limit_s` seconds have passed."""
    end = time.monotonic() + limit_s
    while True:
        answer = look()
        if answer:
            return answer
        if time.monotonic() > end:
            raise Failed(f"{what}: not within {limit_s} s")
        time.sleep(0.02)


class Cases:
    """Runs checks one after the other and counts them."""

    def __init__(self, title):
        self.title = title
        self.passed = 0
        self.failed = 0

    def run(self, name, check, *arguments):
        """Runs one check; a failure is printed and the next check runs all the same."""
        start = time.monotonic()
        try:
            detail = check(*arguments)
        except Failed as failure:
            self.failed += 1
            print(f"FAILED {name}\n       {failure}", flush=True)
            return
        except Exception:  # A broken check counts as failed; the others still tell something.
            self.failed += 1
            print(f"FAILED {name}", flush=True)
            traceback.print_exc(file=sys.stdout)
            return
        self.passed += 1
        took = time.monotonic() - start
        print(f"ok     {name} ({took:.1f} s){f': {detail}' if isinstance(detail, str) else ''}", flush=True)

    def close(self):
        """Prints the closing line; gives the exit code."""
        print(f"{self.title}: {self.passed} passed, {self.failed} failed", flush=True)
        return 1 if self.failed or not self.passed else 0
