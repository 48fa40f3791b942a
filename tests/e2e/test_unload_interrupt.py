"""Ctrl-C once and twice, and a run as other processes see it while it goes on."""

import json
import re
import signal
import subprocess
import time

import pytest
from e2e_harness import PACE, BIN, KEY, ROOT, SECRET, check_no_report, clean_env, expect
from e2e_proxy import CountingProxy
from e2e_unload import Unload, assert_clean, assert_whole, attempts, bulk_csv, days

# Four slices, two at once, each UNLOAD as long as these seconds.
FLAGS = ("--partition", "day", "--max_partitions", "5", "--parallel", "2")
SECONDS = 2 * PACE


@pytest.fixture
def unload(start_local):
    local = start_local("--unload_rate", "0", "--unload_seconds", SECONDS)
    return Unload(local, bulk_csv(days(19000, 20), per_partition=8))


@pytest.fixture
def proxied(unload):
    """The same behind a proxy that counts the calls."""
    proxy = CountingProxy(unload.local.port)
    unload.endpoint = proxy.endpoint
    yield unload, proxy
    proxy.close()


def calls(proxy, operation):
    return [line for line in proxy.requests if line.endswith("." + operation)]


def wait_for_queries(unload, process, count, run="last"):
    """Until so many UNLOADs are known to run; the run's status at that moment."""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        assert process.poll() is None, process.communicate()
        if unload.runs():
            status = unload.status(run)
            running = [attempt for unit in status["units"] for attempt in unit["attempts"]
                       if attempt["outcome"] == "running" and "AEDACA" in attempt["note"]]
            if len(running) >= count:
                return status
        time.sleep(0.05)
    raise AssertionError(f"{count} UNLOADs do not come to run: {unload.status(run)}")


def end_of(process, code=130):
    out, err = process.communicate(timeout=60)
    return expect(check_no_report(subprocess.CompletedProcess(process.args, process.returncode, out, err)), code)


def printed_command(result):
    """The last line of the output; it may carry a label."""
    last = result.stdout.rstrip("\n").rpartition("\n")[2]
    match = re.fullmatch(r"(?:resume +)?(ts-unload resume .+)", last)
    assert match, result.stdout
    return match[1]


def in_a_shell(unload, command):
    """The command as it is, in a shell that has the run's environment and the programs in its PATH."""
    env = clean_env(AWS_ENDPOINT_URL=unload.endpoint or unload.local.endpoint, AWS_ACCESS_KEY_ID=KEY,
                    AWS_SECRET_ACCESS_KEY=SECRET, XDG_STATE_HOME=str(unload.local.state_home),
                    PATH=f"{BIN}:/usr/bin:/bin")
    return subprocess.Popen(["sh", "-c", f"exec {command}"], cwd=ROOT, env=env, text=True, stdin=subprocess.DEVNULL,
                            stdout=subprocess.PIPE, stderr=subprocess.PIPE)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=lambda number: number.name)
def test_once(proxied, number):
    """Running queries are followed to their end, none is started or cancelled; the printed line completes the run."""
    unload, proxy = proxied
    process = unload.popen(*FLAGS)
    wait_for_queries(unload, process, 2)
    process.send_signal(number)
    result = end_of(process)
    assert attempts(unload, "last") == {"0001": ["done"], "0002": ["done"], "0003": [], "0004": []}
    assert not calls(proxy, "CancelQuery")
    assert len([key for key in unload.keys("u/") if key.endswith("_manifest.json")]) == 2
    assert unload.status("last")["state"] == "interrupted"
    assert unload.record()["state"] == "started"

    end_of(in_a_shell(unload, printed_command(result)), 0)
    assert_whole(unload)
    assert_clean(unload)
    assert attempts(unload, "last") == {f"000{i}": ["done"] for i in range(1, 5)}
    assert len(unload.runs()) == 1


def test_twice(proxied):
    """The second one cancels the queries: no manifest comes of them, and resume makes them again."""
    unload, proxy = proxied
    process = unload.popen(*FLAGS)
    wait_for_queries(unload, process, 2)
    process.send_signal(signal.SIGINT)
    time.sleep(0.2)  # two signals at once are one to the kernel
    process.send_signal(signal.SIGINT)
    begun = time.monotonic()
    result = end_of(process)
    assert len(calls(proxy, "CancelQuery")) == 2
    ended = attempts(unload, "last")
    assert [len(ended[label]) for label in sorted(ended)] == [1, 1, 0, 0]
    assert not {"done", "running"} & {outcome for each in ended.values() for outcome in each}, ended
    time.sleep(max(0, SECONDS - (time.monotonic() - begun)))  # were they still running, they would end now
    assert not [key for key in unload.keys() if key.endswith("_manifest.json")]

    end_of(in_a_shell(unload, printed_command(result)), 0)
    assert_whole(unload)
    assert_clean(unload)
    assert [each[-1] for each in attempts(unload, "last").values()] == ["done"] * 4


def test_a_resume_is_interrupted_too(unload):
    """What it prints goes on with the same run: nothing is done twice."""
    process = unload.popen(*FLAGS, "--parallel", "1")
    wait_for_queries(unload, process, 1)
    process.send_signal(signal.SIGINT)
    first = printed_command(end_of(process))
    (run,) = unload.runs()
    process = in_a_shell(unload, first)
    wait_for_queries(unload, process, 1, run)
    process.send_signal(signal.SIGINT)
    second = printed_command(end_of(process))
    assert second == first and run in second
    end_of(in_a_shell(unload, second), 0)
    assert_whole(unload)
    assert_clean(unload)
    assert attempts(unload, run) == {f"000{i}": ["done"] for i in range(1, 5)}


def test_seen_while_it_runs(unload):
    """status and list of another process; a resume is refused and names the process that runs it."""
    process = unload.popen(*FLAGS)
    try:
        status = wait_for_queries(unload, process, 2)
        run = status["run_id"]
        assert (status["tool"], status["schema_version"], status["state"]) == ("ts-unload", 1, "running")
        assert [unit["label"] for unit in status["units"]] == ["0001", "0002", "0003", "0004"]
        shown = expect(unload.local.run("ts-unload", "status", run), 0).stdout
        assert re.search(f"^run +{run}, running$", shown, re.M), shown
        percents = [int(percent) for percent in re.findall(r"^  000[12]  (\d+)%, .* query AEDACA", shown, re.M)]
        assert len(percents) == 2 and all(percent < 100 for percent in percents), shown
        assert "resume" not in shown
        (line,) = expect(unload.local.run("ts-unload", "list"), 0).stdout.splitlines()
        assert line.startswith(f"{run}  running  "), line

        refused = expect(unload.resume(run), 2)
        assert re.search(rf"\bprocess {process.pid}\b", refused.stderr), refused.stderr
        assert process.poll() is None
    finally:
        result = end_of(process, 0)
    assert run in result.stderr
    assert unload.status(run)["state"] == "done"
    assert_whole(unload)
    assert_clean(unload)


def test_the_end_as_an_event(unload):
    """With --json the command is a field of the last event."""
    process = unload.popen(*FLAGS, "--json")
    wait_for_queries(unload, process, 2)
    process.send_signal(signal.SIGINT)
    end = json.loads(end_of(process).stdout.splitlines()[-1])
    assert (end["kind"], end["outcome"], end["exit_code"]) == ("run_ended", "interrupted", 130)
    end_of(in_a_shell(unload, end["resume_command"]), 0)
    assert_whole(unload)


def test_a_finished_run(proxied):
    """Nothing is left to do: exit 0, nothing asked of the table, not an object changed."""
    unload, proxy = proxied
    expect(unload.run("--partition", "day"), 0)
    before, asked = unload.objects(), len(calls(proxy, "Query"))
    expect(unload.resume("last"), 0)
    assert unload.objects() == before
    assert len(calls(proxy, "Query")) == asked


def test_a_run_that_is_not_there(unload):
    refused = expect(unload.resume("20200101T000000Z-000000"), 2)
    assert "20200101T000000Z-000000" in refused.stderr and "ts-unload list" in refused.stderr
