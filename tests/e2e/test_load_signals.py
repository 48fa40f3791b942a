"""What a load says to others and to whoever interrupts it: messages to a topic, Ctrl-C, a second process, and nothing secret left."""

import json
import shlex
import signal
import time

from e2e_harness import expect
from e2e_load import Load
from e2e_unload import REGION, bulk_csv, days, run_directory

RECENT = 19000
SLOW = ("--task_seconds", "2")


def make(start_local, *flags, days_count=3):
    local = start_local("--unload_rate", "0", *flags)
    return Load(local, bulk_csv(days(RECENT, days_count), 4), "--partition", "day")


def begun(load, *more, tasks=2, **env):
    """A load whose canary is done and whose next tasks run."""
    process = load.popen(*more, **env)
    deadline = time.monotonic() + 60
    while len(load.local.tasks(REGION)) < tasks:
        assert time.monotonic() < deadline and process.poll() is None, process.communicate()
        time.sleep(0.05)
    return process


# Messages.

def make_topic(load):
    return load.local.client("sns", REGION).create_topic(Name="loads")["TopicArn"]


def messages(load):
    path = load.local.folder / "data" / "sns" / REGION / "loads.jsonl"
    return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


def field(message, name):
    (found,) = [value for key, value in message.items() if key.lower() == name]
    return found


def test_a_topic_hears_of_the_end(start_local):
    load = make(start_local)
    expect(load.run("--sns_topic_arn", make_topic(load)), 0)
    (message,) = messages(load)
    subject, text = field(message, "subject"), field(message, "message")
    assert "done" in subject and len(subject) < 100 and subject.isascii()
    assert "12 rows" in text and load.runs()[-1] in text and not text.startswith("{")


def test_a_topic_hears_of_each_failed_group_and_of_the_end(start_local):
    load = make(start_local, days_count=4)
    load.set_rules("Task:2-3:fail")
    expect(load.run("--sns_topic_arn", make_topic(load)), 1)
    *failures, end = messages(load)
    assert len(failures) == 2
    tasks = {task["TaskId"] for task in load.local.tasks(REGION) if task["TaskStatus"] == "FAILED"}
    assert tasks == {task for task in tasks for message in failures if task in field(message, "message")}
    for message in failures:
        assert "partition_date=" in field(message, "message") and "target.readings" in field(message, "message")
    assert "failed" in field(end, "subject") and "2 of 4 groups" in field(end, "message"), end
    for message in (*failures, end):
        subject = field(message, "subject")
        assert 0 < len(subject) < 100 and subject.isascii() and "\n" not in subject
    # The resume is told of too.
    load.drop_rules()
    expect(load.resume("last", "--retry_failed", "--sns_topic_arn", make_topic(load)), 0)
    assert "done" in field(messages(load)[-1], "subject")


def test_a_topic_that_is_not_there_stops_nothing(start_local):
    load = make(start_local)
    result = expect(load.run("--sns_topic_arn", f"arn:aws:sns:{REGION}:123456789012:absent"), 0)
    assert "absent" in result.stderr, result.stderr
    load.assert_loaded()


def test_a_topic_of_another_region_is_refused(start_local):
    """Before anything is asked or made: also when a run is resumed."""
    load = make(start_local)
    elsewhere = ("--sns_topic_arn", "arn:aws:sns:eu-west-1:123456789012:loads")
    result = expect(load.run(*elsewhere, endpoint="http://127.0.0.1:1"), 2)
    assert "eu-west-1" in result.stderr and REGION in result.stderr, result.stderr
    assert load.runs() == []
    load.set_rules("Task:2:fail")
    expect(load.run(), 1)
    refused = expect(load.resume("last", "--retry_failed", *elsewhere), 2)
    assert "eu-west-1" in refused.stderr and len(load.local.tasks(REGION)) == 3


# Interruption.

def test_interrupted_once(start_local):
    """130; what runs in the service goes on, which is said; the printed command follows it, and no group is loaded twice."""
    load = make(start_local, *SLOW, days_count=8)
    process = begun(load, tasks=3)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 130, err
    assert "interrupted" in out and "goes on in the service" in out, out
    left = load.local.tasks(REGION)
    assert len(left) < 8 and any(task["TaskStatus"] in ("CREATED", "IN_PROGRESS") for task in left)
    state = load.status()["state"]
    assert state == "interrupted", state
    program, *words = shlex.split(out.splitlines()[-1])
    assert program == "ts-batchload" and words[0] == "resume" and "--retry_failed" not in words
    result = expect(load.local.run(program, *words), 0)
    load.assert_loaded()
    assert len(load.tasks()) == 8 and all(states == ["SUCCEEDED"] for states in load.tasks().values()), load.tasks()
    assert "every row proven" in result.stdout


def test_interrupted_while_files_are_copied(start_local):
    load = make(start_local, "--latency_ms", "40", days_count=20)
    process = load.popen("--copy_concurrency", "1")
    deadline = time.monotonic() + 60
    while not load.local.keys("load-files", REGION):
        assert time.monotonic() < deadline and process.poll() is None, process.communicate()
    process.send_signal(signal.SIGTERM)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 130, (out, err)
    expect(load.local.run(*shlex.split(out.splitlines()[-1])), 0)
    load.assert_loaded()
    assert all(len(states) == 1 for states in load.tasks().values())


def test_a_second_process_is_refused(start_local):
    """resume and verify of a run that is under way: exit 2, its process named, and it is not disturbed."""
    load = make(start_local, *SLOW)
    process = begun(load)
    for words in (("resume", "last"), ("verify", "last")):
        result = expect(load.local.run("ts-batchload", *words), 2)
        assert str(process.pid) in result.stderr, result.stderr
    assert process.poll() is None, "it has ended before the test could ask"
    _, err = process.communicate(timeout=60)
    assert process.returncode == 0, err
    load.assert_loaded()


def test_a_finished_run_is_resumed_to_no_effect(start_local):
    load = make(start_local)
    expect(load.run(), 0)
    before = load.local.tasks(REGION)
    result = expect(load.resume("last"), 0)
    assert "every row proven" in result.stdout and load.local.tasks(REGION) == before


# Secrets.

def test_nothing_secret_is_kept(start_local):
    """Neither secret nor signature in any file of the run, nor on the screen, at its most talkative; others can't read the run."""
    key, secret = "AKIALOADERKEYEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYLOADERKEY"
    load = make(start_local, "--principal", f"loader:{key}:{secret}")
    load.set_rules("Task:2:fail")
    result = expect(load.run("--debug", "--json", "--sns_topic_arn", make_topic(load), AWS_ACCESS_KEY_ID=key,
                             AWS_SECRET_ACCESS_KEY=secret), 1)
    folder = run_directory(load.local, load.runs()[-1])
    texts = {str(path): path.read_bytes().decode(errors="replace") for path in folder.rglob("*") if path.is_file()}
    assert any(name.endswith("events.jsonl") for name in texts) and any("/reports/" in name for name in texts)
    for name, text in {**texts, "stdout": result.stdout, "stderr": result.stderr, **dict(enumerate(map(str, messages(load))))}.items():
        for sign in (secret, secret[:20], "Signature=", f"Credential={key}", "AWS4-HMAC"):
            assert sign.lower() not in text.lower(), (name, sign)
    assert "CreateBatchLoadTask" in result.stderr
    assert folder.stat().st_mode & 0o077 == 0
