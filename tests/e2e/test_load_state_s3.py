"""--state s3 of a load: its memory lies in the error bucket too, and another machine goes on with it.

All processes of a test are on one machine; one that has died on another is made by its lock, which names its place.
"""

import json
import shlex
import shutil
import signal
import time

import pytest
from e2e_harness import expect
from e2e_kill import Killer
from e2e_load import ERRORS, QUICK, TARGET, Load
from e2e_unload import REGION, bulk_csv, days

STATE = ("--state", "s3")


@pytest.fixture
def load(start_local):
    local = start_local("--unload_rate", "0", "--task_seconds", "1.5")
    return Load(local, bulk_csv(days(19000, 6), 4), "--partition", "day")


def state_keys(load, bucket=ERRORS):
    return [key for key in load.local.keys(bucket, REGION) if key.startswith("tsm-state-")]


def locks(load, bucket=ERRORS):
    return [key for key in state_keys(load, bucket) if key.endswith("/lock")]


def begun(load, *more, tasks=3, copying=True):
    """A load whose canary is done and whose next tasks run."""
    process = load.popen(*STATE, *more, copying=copying)
    deadline = time.monotonic() + 60
    while len(load.local.tasks(REGION)) < tasks:
        assert process.poll() is None and time.monotonic() < deadline, process.communicate()
        time.sleep(0.05)
    (run,) = load.runs()
    return process, run


def kill(process):
    process.kill()
    process.communicate()


def elsewhere(load, name="b"):
    """The environment of another machine: its own, empty state directory."""
    return {"XDG_STATE_HOME": str(load.local.folder / name)}


def words_elsewhere(run, bucket=ERRORS):
    return ["resume", run, "--region", REGION, *STATE, "--s3_uri", f"s3://{bucket}/tsm-state-{run}", *QUICK]


def resume_elsewhere(load, run, name="b", bucket=ERRORS):
    return load.local.run("ts-batchload", *words_elsewhere(run, bucket), **elsewhere(load, name))


def assert_finished(load):
    """Whole, let go of, and no group was given to two tasks."""
    load.assert_loaded()
    doubled = {prefix: states for prefix, states in load.tasks().items() if states != ["SUCCEEDED"]}
    assert not doubled and len(load.tasks()) == 6, load.tasks()
    assert not locks(load), "the lock outlives the run"


def test_a_clean_end_lets_go_of_the_lock(load):
    expect(load.run(*STATE), 0)
    assert_finished(load)
    assert any("/journal/" in key for key in state_keys(load)), "the memory stays beside the reports"


def test_nothing_of_it_without_the_flag(load):
    expect(load.run(), 0)
    assert state_keys(load) == []


@pytest.mark.parametrize("copying", [True, False], ids=["copied", "in-place"])
@pytest.mark.parametrize("where", ["here", "elsewhere"])
def test_killed_and_resumed(load, where, copying):
    """Tasks that run are followed by the next process, wherever it is, and none is created twice."""
    process, run = begun(load, copying=copying)
    kill(process)
    assert len(locks(load)) == 1
    result = load.resume(run) if where == "here" else resume_elsewhere(load, run)
    expect(result, 0)
    assert f"pid {process.pid} on " in result.stderr, result.stderr
    assert_finished(load)
    shown = expect(load.local.run("ts-batchload", "status", run, **({} if where == "here" else elsewhere(load))), 0).stdout
    assert f"{run}, done" in shown


def test_killed_on_another_machine(load):
    """Whether it lives can't be seen from here: exit 2 says until when, and what to remove; then it is free."""
    process, run = begun(load)
    kill(process)
    shutil.rmtree(load.local.state_home)  # the machine's disk is gone with it
    (key,) = locks(load)
    s3 = load.local.client("s3", REGION)
    lock = json.loads(s3.get_object(Bucket=ERRORS, Key=key)["Body"].read())
    lock.update(host="host-a.example", machine="elsewhere")
    s3.put_object(Bucket=ERRORS, Key=key, Body=json.dumps(lock).encode())
    refused = expect(resume_elsewhere(load, run), 2)
    for said in (f"pid {process.pid} on host-a.example", "not renewed until ", f"remove s3://{ERRORS}/{key}"):
        assert said in refused.stderr, (said, refused.stderr)
    s3.delete_object(Bucket=ERRORS, Key=key)
    expect(resume_elsewhere(load, run), 0)
    assert_finished(load)


def test_refused_while_the_first_process_lives(load):
    """From elsewhere and from here: exit 2, the process named, and the run is not disturbed."""
    process, run = begun(load)
    for refused in (resume_elsewhere(load, run), load.resume(run)):
        assert f"{process.pid}" in expect(refused, 2).stderr, refused.stderr
    assert process.poll() is None, "it has ended before the test could ask"
    out, err = process.communicate(timeout=60)
    assert process.returncode == 0, (out, err)
    assert_finished(load)


def test_from_machine_to_machine(load):
    """Killed on two machines, finished on the third."""
    process, run = begun(load)
    for machine in ("b", "c"):
        kill(process)
        known = len(load.local.tasks(REGION))
        process = load.local.popen("ts-batchload", *words_elsewhere(run), **elsewhere(load, machine))
        deadline = time.monotonic() + 60
        while machine == "b" and len(load.local.tasks(REGION)) == known < 6:
            assert process.poll() is None and time.monotonic() < deadline, process.communicate()
            time.sleep(0.05)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 0, (out, err)
    assert_finished(load)


@pytest.mark.parametrize("phase", ["before", "after"])
def test_killed_at_a_create_and_resumed_elsewhere(start_local, phase):
    """The announcement lies in S3 before the call goes out: the other machine looks for the task before it asks for one."""
    local = start_local("--unload_rate", "0", "--task_seconds", "0.3")
    load = Load(local, bulk_csv(days(19000, 6), 4), "--partition", "day")
    creates = []

    class AtCreate(Killer):
        def _hook(self, n, moment, line):
            if line.endswith("CreateBatchLoadTask") and moment == "before":
                creates.append(n)
            if len(creates) == 3 and moment == phase and n == creates[-1]:
                self._kill(f"{moment} request {n}: {line}")
                self.process.wait()
            return not self.died_at

    killer = AtCreate(local, lambda endpoint: load.popen(*STATE, endpoint=endpoint))
    assert killer.run(None), killer.err
    (run,) = load.runs()
    assert len(local.tasks(REGION)) == (2 if phase == "before" else 3)
    expect(resume_elsewhere(load, run), 0)
    assert_finished(load)


def test_the_printed_command_works_elsewhere(load):
    """It names region and place, for another machine has no plan to tell them."""
    process, run = begun(load)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 130, err
    assert not locks(load), "an interrupted run keeps its lock"
    words = shlex.split(out.splitlines()[-1])
    assert words[:3] == ["ts-batchload", "resume", run]
    expect(load.local.run(*words, **elsewhere(load)), 0)
    assert_finished(load)


def test_copies_alone_keep_their_memory_beside_the_copies(start_local):
    """There is no error bucket: the target has it; killed, another machine copies the rest."""
    local = start_local("--unload_rate", "0", "--latency_ms", "30")
    load = Load(local, bulk_csv(days(19000, 12), 2), "--partition", "day")
    flags = ["--region", REGION, "--copy_only", "--s3_source_bucket_location", "unload-files", "--source_s3_prefix", "u/",
             "--s3_target_bucket", TARGET, "--destination_s3_prefix", "kept/", "--copy_concurrency", "1", *STATE]
    process = local.popen("ts-batchload", *flags)
    deadline = time.monotonic() + 60
    while len(local.keys(TARGET, REGION, "kept/")) < 2:
        assert process.poll() is None and time.monotonic() < deadline, process.communicate()
    kill(process)
    (run,) = load.runs()
    assert len(locks(load, TARGET)) == 1
    expect(resume_elsewhere(load, run, bucket=TARGET), 0)
    assert not locks(load, TARGET)
    assert local.keys(TARGET, REGION, "kept/") == [f"kept/{key}" for key in local.keys("unload-files", REGION, "u/")]


def test_a_refused_load_leaves_no_memory(load):
    """Foreign files in the way: no state stays in S3 that a resume could find nothing in."""
    folder = next(key for key in load.source.keys("u/results/") if key.endswith(".csv")).rsplit("/", 1)[0]
    load.local.client("s3", REGION).put_object(Bucket=TARGET, Key=f"dest/{folder}/theirs.csv", Body=b"a,b\n")
    result = expect(load.run(*STATE), 2)
    assert "theirs.csv" in result.stderr, result.stderr
    assert load.runs() == [] and state_keys(load) == []


def test_a_run_that_is_not_there(load):
    refused = expect(resume_elsewhere(load, "20200101T000000Z-000000"), 2)
    assert "20200101T000000Z-000000" in refused.stderr, refused.stderr
    assert not (load.local.folder / "b" / "ts-migration" / "20200101T000000Z-000000" / "plan.json").exists()


def test_the_flags_go_together(load):
    for words, said in ((("--state", "s3"), "--s3_uri"), (("--s3_uri", "s3://x/y"), "--state s3")):
        assert said in expect(load.local.run("ts-batchload", "resume", "last", *words), 2).stderr
