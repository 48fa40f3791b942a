"""kill -9 of either program at ten seeded points, then the same command again.

The second run ends with target equal to source, or stops with exit 2 and names what is in the way. Exit 0 with
missing or doubled rows is the one thing that must never be.
"""

import random
import re

import pytest
from e2e_harness import assert_equal_tables, expect
from e2e_proxy import CountingProxy

SEEDS = range(10)


def choose_point(seed, count):
    """The seed's place among `count` requests, each seed in a tenth of its own, and before or after the service acts."""
    chance = random.Random(seed)
    n = 1 + int((seed + chance.random()) / len(SEEDS) * count)
    return min(n, count), chance.choice(["before", "after"])


def requests_of_a_whole_run(local, program, flags):
    """How many requests an undisturbed run makes."""
    proxy = CountingProxy(local.port)
    try:
        expect(local.run(program, *flags, endpoint=proxy.endpoint), 0)
    finally:
        proxy.close()
    assert len(proxy.requests) >= 5, proxy.requests
    return len(proxy.requests)


def run_and_kill(local, program, flags, n, phase):
    """Runs the program and kills it at that place; returns the request at which it died."""
    died_at = []

    def hook(count, when, line):
        if count == n and when == phase:
            process.kill()
            process.wait()
            died_at.append(line)
        return not died_at

    proxy = CountingProxy(local.port, hook)
    process = local.popen(program, *flags, endpoint=proxy.endpoint)
    process.communicate(timeout=120)
    proxy.close()
    # The number of requests varies by a few with the timing of polls: a late point may find the run already done.
    if died_at:
        assert process.returncode == -9
        return died_at[0]
    assert process.returncode == 0
    return "nothing: it was done before that request"


def names_what_is_in_the_way(result):
    assert re.search(r"tsm-run-|results/|dest/|s3://", result.stderr), result.stderr


@pytest.mark.parametrize("seed", SEEDS)
def test_ts_unload(small, seed):
    flags = small.unload_flags()
    count = requests_of_a_whole_run(small.local, "ts-unload", small.unload_flags(prefix="whole"))
    point = choose_point(seed, count)
    where = run_and_kill(small.local, "ts-unload", flags, *point)
    again = small.unload()
    print(f"seed {seed}: killed {point[1]} request {point[0]} of {count} ({where}); again: exit {again.returncode}")
    assert again.returncode in (0, 2), again.stderr
    if again.returncode == 2:
        names_what_is_in_the_way(again)
        # What the message tells an operator to do: another place, or remove what lies there.
        expect(small.unload(prefix="elsewhere"), 0)
        expect(small.load(prefix="elsewhere"), 0)
    else:
        expect(small.load(), 0)
    assert_equal_tables(small.source, small.loaded())


@pytest.mark.parametrize("seed", SEEDS)
def test_ts_batchload(small, seed):
    expect(small.unload(), 0)
    # The undisturbed run goes into a table and buckets of its own, so that the killed one starts from nothing.
    rehearsal = [{"target": "rehearsal", small.target: "rehearsal-load"}.get(flag, flag) for flag in small.load_flags()]
    small.local.make_bucket("rehearsal-load", small.region)
    count = requests_of_a_whole_run(small.local, "ts-batchload", rehearsal)
    point = choose_point(seed, count)
    where = run_and_kill(small.local, "ts-batchload", small.load_flags(), *point)
    again = small.load()
    print(f"seed {seed}: killed {point[1]} request {point[0]} of {count} ({where}); again: exit {again.returncode}")
    assert again.returncode in (0, 2), again.stderr
    if again.returncode == 2:
        names_what_is_in_the_way(again)
        small.local.empty(small.target, small.region)
        expect(small.load(), 0)
    assert_equal_tables(small.source, small.loaded())
