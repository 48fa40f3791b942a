"""kill -9 of ts-batchload at seeded points with failures on, again and again, each time resumed: in the end every row is there
once, no group was given to two tasks, and the counts are equal."""

import random
import time

import pytest
from e2e_harness import expect
from e2e_kill import Killer, kill_points
from e2e_load import SOURCE, Load
from e2e_proxy import CountingProxy
from e2e_unload import bulk_csv, days

# Always run; the others once, without sanitizers.
SHORT, LONG = range(6), range(6, 50)
ROWS_PER_DAY, DAYS = 5, 14


def rules_of(chance):
    """Some of the failures that a load has to live with, mild enough to end."""
    seed = chance.randrange(1000)
    return chance.sample([f"CreateBatchLoadTask:12%/{seed}:ThrottlingException", f"CreateBatchLoadTask:12%/{seed + 1}:reset+after",
                          f"CreateBatchLoadTask:8%/{seed + 2}:reset", f"DescribeBatchLoadTask:8%/{seed}:InternalServerException",
                          f"DescribeBatchLoadTask:8%/{seed}:reset", f"ListBatchLoadTasks:10%/{seed}:ThrottlingException",
                          f"CopyObject:15%/{seed}:SlowDown", f"CopyObject:8%/{seed}:reset+after", f"ListObjectsV2:5%/{seed}:SlowDown",
                          "CreateBatchLoadTask:3:ServiceQuotaExceededException", f"Query:10%/{seed}:ThrottlingException"], 4)


def shape_of(chance):
    """Where the groups lie and what they are."""
    return chance.choice([("copy", ()), ("copy", ("--group_by", "packed")), ("copy", ("--safe_prefixes",)), ("place", ())])


@pytest.mark.parametrize("seed", [*SHORT, *(pytest.param(seed, marks=pytest.mark.many) for seed in LONG)])
def test_ts_batchload(start_local, seed):
    chance = random.Random(seed)
    local = start_local("--unload_rate", "0", "--task_seconds", str(chance.choice([0, 0.1, 0.4])))
    load = Load(local, bulk_csv(days(19000, DAYS), ROWS_PER_DAY), "--partition", "day", "--max_partitions", "5")
    kind, more = shape_of(chance)
    copy = kind == "copy"
    started = time.monotonic()
    proxy = CountingProxy(local.port)
    elsewhere = ("--destination_s3_prefix", "rehearsal/") if copy else ()
    expect(load.beside("rehearsal.readings").run(*more, *elsewhere, copying=copy, endpoint=proxy.endpoint), 0)
    proxy.close()
    requests, seconds = len(proxy.requests), time.monotonic() - started
    known = load.runs()
    load.set_rules(*rules_of(chance))

    story = []
    for point in kill_points(chance, requests, seconds):
        mine = [run for run in load.runs() if run not in known]
        start = (lambda endpoint: local.popen("ts-batchload", "resume", mine[0], "--poll_interval", "0.05", "--start_interval", "0.02",
                                              endpoint=endpoint)) if mine else (
            lambda endpoint: load.popen(*more, copying=copy, endpoint=endpoint))
        killer = Killer(local, start)
        killer.run(point)
        story.append(f"{'resume' if mine else 'run'}: {killer.died_at or killer.process.returncode}")
        print(f"seed {seed}: {story[-1]}")
    mine = [run for run in load.runs() if run not in known]
    assert len(mine) <= 1, mine
    last = load.resume(mine[0]) if mine else load.run(*more, copying=copy)
    print(f"seed {seed}: {kind} {more} {story}; last: exit {last.returncode}")
    expect(last, 0)
    load.assert_loaded()
    doubled = {prefix: states for prefix, states in load.tasks().items() if len(states) > 1}
    assert not doubled, f"groups with more than one task: {doubled}\n{last.stderr}"
    if not copy:
        assert all(prefix.startswith("u/results/") for prefix in load.tasks()), SOURCE
