"""Killing a program at a counted request or by the clock, behind a proxy that counts."""

import threading

from e2e_proxy import CountingProxy

MAX_KILLS = 3


class Killer:
    """Runs a program behind a counting proxy and kills it: at a request, before or after the service acts, or by time."""

    def __init__(self, local, start):
        self.died_at = None
        self.proxy = CountingProxy(local.port, self._hook)
        self.point = None
        self.process = None
        self.start = start
        self.timer = None

    def run(self, point):
        """point: (request number, "before" or "after") or seconds. True where the kill came before the end."""
        self.point = point
        if isinstance(point, float):
            self.timer = threading.Timer(point, self._kill, [f"after {point:.2f} s"])
        self.process = self.start(self.proxy.endpoint)
        if self.timer:
            self.timer.start()
        self.out, self.err = self.process.communicate(timeout=240)
        if self.timer:
            self.timer.cancel()
            self.timer.join()
        self.proxy.close()
        if self.timer and self.process.returncode >= 0:
            self.died_at = None  # the kill came to a process that was just ending by itself: it was none
        assert self.process.returncode == -9 or not self.died_at, (self.process.returncode, self.err)
        return self.process.returncode == -9

    def _kill(self, where):
        if self.process.poll() is None:
            self.died_at = where
            self.process.kill()

    def _hook(self, n, phase, line):
        if (n, phase) == self.point:
            self._kill(f"{phase} request {n}: {line}")
            self.process.wait()
        return not self.died_at


def kill_points(chance, requests, seconds):
    """Where it is killed, one after the other: mostly at a counted request, else by the clock; the first always hits."""
    for _ in range(chance.randint(1, MAX_KILLS)):
        if chance.random() < 0.3:
            yield chance.uniform(0.02, 0.7 * seconds)
        else:
            yield chance.randint(1, int(0.9 * requests)), chance.choice(["before", "after"])
