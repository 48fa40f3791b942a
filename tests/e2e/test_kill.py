"""kill -9 of ts-unload at seeded points, and going on from there.

Killed again and again, each time resumed, with failures injected and UNLOADs that go on writing after
their client is gone. In the end the record vouches for one manifest per slice and the rows are the source's.
Exit 0 with missing or doubled rows is the one thing that must never be.
"""

import datetime
import json
import random
import re
import time

import pytest
from e2e_harness import expect
from e2e_kill import Killer, kill_points
from e2e_proxy import CountingProxy
from e2e_unload import Unload, assert_whole, attempts, bulk_csv, days, run_directory, set_rules, strays

# Always run; the others once, without sanitizers.
SHORT, LONG = range(6), range(6, 50)
ROWS_PER_DAY, DAYS = 6, 24
UNLOAD_FLAGS = ("--partition", "day", "--max_partitions", "6", "--parallel", "3")


def age_journal(directory, seconds):
    """As if the run had been killed so long ago: then tokens have expired, and a started UNLOAD may be anywhere."""
    path = directory / "journal"
    head, *lines = path.read_bytes().split(b"\n")
    aged = [head]
    for line in lines:
        try:
            entry = json.loads(line)
        except ValueError:  # the torn last line, and the end
            aged.append(line)
            continue
        whole, _, fraction = entry["time"].partition(".")
        earlier = datetime.datetime.fromisoformat(whole) - datetime.timedelta(seconds=seconds)
        entry["time"] = f"{earlier:%Y-%m-%d %H:%M:%S}.{fraction}"
        aged.append(json.dumps(entry, separators=(",", ":"), ensure_ascii=False).encode())
    path.write_bytes(b"\n".join(aged))


def rules_of(chance):
    """Some of the failures that a run has to live with, mild enough to end."""
    seed = chance.randrange(1000)
    return chance.sample([f"Query:8%/{seed}:ThrottlingException", f"Query:6%/{seed}:reset",
                          f"Query:6%/{seed + 1}:reset+after", f"GetObject:5%/{seed}:SlowDown",
                          "Unload:2:QueryExecutionException", "UnloadWrite:9:SlowDown",
                          f"PutObject:10%/{seed}:reset+after", "DeleteObjects:1:InternalError"], 3)


def rehearse(unload):
    """An undisturbed run beside: how many requests and seconds it takes. Its files are the earlier run's."""
    proxy = CountingProxy(unload.local.port)
    begun = time.monotonic()
    expect(unload.local.run("ts-unload", *unload.flags(*UNLOAD_FLAGS, prefix="u/earlier"), endpoint=proxy.endpoint), 0)
    proxy.close()
    return len(proxy.requests), time.monotonic() - begun


@pytest.mark.parametrize("seed", [*SHORT, *(pytest.param(seed, marks=pytest.mark.many) for seed in LONG)])
def test_ts_unload(start_local, seed):
    """The source is unloaded whole, each slice vouched for once; what killed attempts left is gone or named."""
    chance = random.Random(seed)
    paced = ["--unload_seconds", str(chance.choice([0, 0.4, 0.9]))]
    memory = ["--memory_partitions", str(chance.choice([0, 0, 4]))]
    local = start_local("--unload_rate", "0", *paced, *memory)
    unload = Unload(local, bulk_csv(days(19000, DAYS), ROWS_PER_DAY))
    rehearsed = rehearse(unload)
    before, known = unload.objects(), unload.runs()
    set_rules(local, *rules_of(chance))

    story = []
    for point in kill_points(chance, *rehearsed):
        mine = [run for run in unload.runs() if run not in known]
        flags = ["resume", mine[0], "--start_interval", "0.01"] if mine else unload.flags(*UNLOAD_FLAGS)
        killer = Killer(local, lambda endpoint: local.popen("ts-unload", *flags, endpoint=endpoint))
        killed = killer.run(point)
        story.append(f"{flags[0]}: {killer.died_at or killer.process.returncode}")
        print(f"seed {seed}: {story[-1]}")
        mine = [run for run in unload.runs() if run not in known]
        if killed and mine and chance.random() < 0.4:
            age_journal(run_directory(local, mine[0]), chance.choice([400, 4000]))
            story.append("aged")

    assert "after" in story[0] or "before" in story[0], story
    mine = [run for run in unload.runs() if run not in known]
    assert len(mine) <= 1, mine
    last = unload.resume(mine[0], "--start_interval", "0.01") if mine else unload.run(*UNLOAD_FLAGS)
    print(f"seed {seed}: {story}; last: exit {last.returncode}")
    # Killed before the run was written down nothing is to be resumed, and a claim may be left that vouches for nothing.
    expect(last, 0)
    (done,) = [record["run_id"] for record in unload.records() if record["state"] == "done"]
    others = [record["run_id"] for record in unload.records() if record["run_id"] != done]
    assert_whole(unload, beside=others)
    after = unload.objects()
    assert {key: after.get(key) for key in before} == before, "the earlier run's files"
    for key in strays(unload):
        if not key.startswith("u/earlier/"):
            assert_named(key, last)


@pytest.mark.parametrize("query_is_known", [False, True])
@pytest.mark.parametrize("flat", [True, False])
def test_an_orphan_that_still_writes(start_local, flat, query_is_known):
    """Killed with an UNLOAD under way, resumed when nothing can be asked of it any more: another one is made, and what
    the orphan writes meanwhile is cancelled and deleted, or, its QueryId unknown, deleted or named."""
    local = start_local("--unload_rate", "0", "--unload_seconds", "3")
    unload = Unload(local, bulk_csv(days(19000, DAYS), ROWS_PER_DAY))
    if not flat:
        expect(unload.run("--partition", "day"), 0)
    before, known = unload.objects(), unload.runs()

    # DESCRIBE, SHOW MEASURES, the range, then UNLOAD: dead once the service has taken it, or has told of it.
    queries = []

    def die(n, phase, line):
        if line.endswith(".Query") and phase == "after":
            queries.append(n)
            if len(queries) == (6 if query_is_known else 4):
                process.kill()
                process.wait()
                return False
        return True

    proxy = CountingProxy(local.port, die)
    process = local.popen("ts-unload", *unload.flags("--partition", "day"), endpoint=proxy.endpoint)
    process.communicate(timeout=60)
    proxy.close()
    assert process.returncode == -9
    (run,) = [run for run in unload.runs() if run not in known]
    age_journal(run_directory(local, run), 3500 if query_is_known else 400)
    result = expect(unload.resume(run), 0)
    assert attempts(unload, run) == {"0001": ["replaced", "done"]}
    time.sleep(1)  # by now the orphan has come to its end
    others = [record["run_id"] for record in unload.records() if record["run_id"] != run]
    assert_whole(unload, beside=others)
    after = unload.objects()
    assert {key: after.get(key) for key in before} == before
    left = strays(unload)
    if query_is_known:
        assert left == []
    elif flat:
        # Nothing says that what lies beside a flat TO is the run's own: it stays, and its place is named.
        assert left and "s3://unload-files/u/results/ (QueryId unknown)" in result.stdout, result.stdout
    else:
        for key in left:
            assert_named(key, result)


def assert_named(key, result):
    """An object that no record names is told of: itself, or the attempt's folder that it lies in."""
    folder = re.match(r"u/results/(\d{4}[ab]*-[0-9a-f]{6})/", key)
    assert key in result.stdout or (folder and folder.group(1) in result.stdout), f"{key}\n{result.stdout}"
