"""--state s3: the run's memory lies beside the data, and another machine goes on with it.

All processes of a test are on one machine; one that has died on another is made by its lock, which names its place.
"""

import json
import shlex
import shutil
import signal
import time

import pytest
from e2e_harness import expect
from e2e_unload import BUCKET, REGION, Unload, assert_whole, attempts, bulk_csv, days

FLAGS = ("--partition", "day", "--max_partitions", "5", "--parallel", "2", "--state", "s3")


@pytest.fixture
def unload(start_local):
    local = start_local("--unload_rate", "0", "--unload_seconds", "1.5")
    return Unload(local, bulk_csv(days(19000, 20), per_partition=8))


def state_keys(unload):
    return [key for key in unload.keys("u/") if "tsm-state-" in key]


def lock_key(unload):
    (key,) = [key for key in state_keys(unload) if key.endswith("/lock")]
    return key


def begun(unload, *flags):
    """A run whose first slice is done and whose later ones run."""
    process = unload.popen(*FLAGS, *flags)
    deadline = time.monotonic() + 60
    while not any(key.endswith("_manifest.json") for key in unload.keys("u/results/")):
        assert process.poll() is None and time.monotonic() < deadline, process.communicate()
        time.sleep(0.05)
    (run,) = unload.runs()
    return process, run


def kill(process):
    process.kill()
    process.communicate()


def elsewhere(unload, name):
    """The environment of another machine: its own, empty state directory."""
    return {"XDG_STATE_HOME": str(unload.local.folder / name)}


def resume_elsewhere(unload, run, name="b"):
    return unload.resume(run, "--region", REGION, "--state", "s3", "--s3_uri", f"s3://{BUCKET}/u",
                         **elsewhere(unload, name))


def move_lock(unload):
    """As if its holder's machine were another one."""
    key = lock_key(unload)
    lock = json.loads(unload.read(key))
    lock.update(host="host-a.example", machine="elsewhere")
    unload.local.client("s3", REGION).put_object(Bucket=BUCKET, Key=key, Body=json.dumps(lock).encode())
    return key


def assert_finished(unload):
    """Whole, let go of, and nothing beside data, record and memory."""
    record = assert_whole(unload)
    assert not [key for key in state_keys(unload) if key.endswith("/lock")], "the lock outlives the run"
    named = unload.named([record])
    loose = [key for key in unload.keys("u/") if key not in named and not key.startswith(("u/tsm-run-", "u/tsm-state-"))]
    assert loose == [] and unload.uploads() == []
    return record


def test_a_clean_end_lets_go_of_the_lock(unload):
    expect(unload.run(*FLAGS), 0)
    assert_finished(unload)
    assert any("/journal/" in key for key in state_keys(unload)), "the memory stays beside the data"


def test_refused_while_the_first_process_lives(unload):
    """From elsewhere and from here: exit 2, the process named, and the run is not disturbed."""
    process, run = begun(unload, "--parallel", "1")
    refused = [expect(resume_elsewhere(unload, run), 2), expect(unload.resume(run), 2)]
    assert process.poll() is None, "it has ended before the test could ask"
    for each in refused:
        assert f"pid {process.pid} on " in each.stderr, each.stderr
    out, err = process.communicate(timeout=60)
    assert process.returncode == 0, err
    assert_finished(unload)


@pytest.mark.parametrize("where", ["here", "elsewhere"])
def test_killed_and_resumed_at_once_on_the_same_machine(unload, where):
    """That the process is gone can be seen: nobody waits for its lock, whichever state directory the resume has."""
    process, run = begun(unload)
    kill(process)
    done = [label for label, each in attempts(unload, run).items() if "done" in each]
    assert "/lock" in lock_key(unload)
    resumed = expect(unload.resume(run) if where == "here" else resume_elsewhere(unload, run), 0)
    assert f"pid {process.pid} on " in resumed.stderr, resumed.stderr
    record = assert_finished(unload)
    ids = {slice["id"]: slice["query_id"] for slice in record["slices"]}
    assert len(ids) == 4
    if where == "here":
        again = attempts(unload, run)
        assert all(again[label] == ["done"] for label in done), again


def test_killed_on_another_machine(unload):
    """Nobody can see from here whether it lives: exit 2 says until when, and what to remove; then it is free."""
    process, run = begun(unload)
    kill(process)
    shutil.rmtree(unload.local.state_home)  # the machine's disk is gone with it
    key = move_lock(unload)
    written = unload.local.client("s3", REGION).head_object(Bucket=BUCKET, Key=key)["LastModified"]
    refused = expect(resume_elsewhere(unload, run), 2)
    until = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(written.timestamp() + 600))
    for said in (f"pid {process.pid} on host-a.example", f"not renewed until {until}", f"remove s3://{BUCKET}/{key}"):
        assert said in refused.stderr, (said, refused.stderr)
    assert json.loads(unload.read(key))["host"] == "host-a.example", "a refused resume left its mark on the lock"

    unload.local.client("s3", REGION).delete_object(Bucket=BUCKET, Key=key)
    expect(resume_elsewhere(unload, run), 0)
    assert_finished(unload)
    shown = expect(unload.local.run("ts-unload", "status", run, **elsewhere(unload, "b")), 0).stdout
    assert f"{run}, done" in shown


def test_from_machine_to_machine(unload):
    """The memory is whole wherever it goes: killed on two machines, finished on the third."""
    process, run = begun(unload)
    for machine in ("b", "c"):
        kill(process)
        process = unload.local.popen("ts-unload", "resume", run, "--region", REGION, "--state", "s3", "--s3_uri",
                                     f"s3://{BUCKET}/u", **elsewhere(unload, machine))
        if machine == "b":
            time.sleep(0.7)
    _, err = process.communicate(timeout=60)
    assert process.returncode == 0, err
    assert len(assert_finished(unload)["slices"]) == 4


def test_the_printed_command_works_elsewhere(unload):
    """It names region and place, for another machine has no plan to tell them."""
    process, run = begun(unload, "--parallel", "1")
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 130, err
    assert not [key for key in state_keys(unload) if key.endswith("/lock")], "an interrupted run keeps its lock"
    words = shlex.split(out.rstrip("\n").rpartition("\n")[2].removeprefix("resume "))
    assert words[:3] == ["ts-unload", "resume", run]
    expect(unload.local.run(*words, **elsewhere(unload, "b")), 0)
    assert_finished(unload)


def test_a_refused_run_leaves_no_memory(unload):
    """Data of nobody's in the way: no state stays in S3 that a resume could find nothing in."""
    unload.local.client("s3", REGION).put_object(Bucket=BUCKET, Key="u/results/theirs.csv", Body=b"a,b\n")
    expect(unload.run(*FLAGS), 2)
    assert unload.runs() == []
    assert state_keys(unload) == []


def test_a_run_that_is_not_there(unload):
    refused = expect(resume_elsewhere(unload, "20200101T000000Z-000000"), 2)
    assert "20200101T000000Z-000000" in refused.stderr, refused.stderr
