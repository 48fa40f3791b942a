"""Each way in which a load can fail, with what it says and the code it ends with: nothing fails in silence, what is left can be
gone on with, and what others lack does not stop the groups that are whole."""

import json
import re
import time

import pytest
from e2e_harness import expect
from e2e_load import ERRORS, SOURCE, TARGET, Load
from e2e_unload import REGION, bulk_csv, days

RECENT = 19000


def make(start_local, *flags, days_count=5, rows=None, more=("--partition", "day")):
    local = start_local("--unload_rate", "0", *flags)
    return Load(local, rows or bulk_csv(days(RECENT, days_count), 4), *more)


def source_keys(load):
    return [key for key in load.local.keys(SOURCE, REGION, "u/results/") if key.endswith(".csv")]


def forbid(load, bucket, key, action="s3:GetObject"):
    policy = {"Version": "2012-10-17", "Statement": [{"Effect": "Deny", "Principal": "*", "Action": action,
                                                      "Resource": f"arn:aws:s3:::{bucket}/{key}"}]}
    load.local.client("s3", REGION).put_bucket_policy(Bucket=bucket, Policy=json.dumps(policy))


def failed_lines(result):
    return [line for line in result.stdout.splitlines() if line.startswith("failed")]


def test_one_key_is_forbidden(start_local):
    """The group that lacks the file is named and not loaded, the others are; allowed again, a resume brings the rest."""
    load = make(start_local, days_count=6)
    key = source_keys(load)[3]
    forbid(load, SOURCE, key)
    result = expect(load.run(), 1)
    (line,) = failed_lines(result)
    assert key in line and "s3:GetObject" in result.stderr + line, result.stderr
    assert len(load.tasks()) == 5
    load.local.client("s3", REGION).delete_bucket_policy(Bucket=SOURCE)
    command = result.stdout.splitlines()[-1]
    assert command.startswith("ts-batchload resume "), command
    expect(load.resume("last"), 0)
    load.assert_loaded()
    assert all(len(states) == 1 for states in load.tasks().values()), load.tasks()


def test_one_task_fails(start_local):
    """FAILED: the report's first errors are shown and kept; only --retry_failed loads the group again."""
    load = make(start_local, days_count=4)
    load.set_rules("Task:3:fail")
    result = expect(load.run(), 1)
    (line,) = failed_lines(result)
    assert "task " in line and "report" in result.stderr, result.stderr
    assert "--retry_failed" in result.stdout.splitlines()[-1]
    reports = list((load.local.state_dir / load.runs()[-1] / "reports").iterdir())
    assert len(reports) == 1 and json.loads(reports[0].read_text())["taskId"] in reports[0].name
    load.drop_rules()
    again = expect(load.resume("last"), 1)
    assert "--retry_failed" in again.stdout
    assert sum(len(states) for states in load.tasks().values()) == 4
    retried = expect(load.resume("last", "--retry_failed"), 0)
    assert "charge" in retried.stderr
    load.assert_loaded()


def test_the_canary_fails(start_local):
    """Nothing but the canary was submitted."""
    load = make(start_local)
    load.set_rules("Task:1:fail")
    result = expect(load.run(), 1)
    assert "loaded alone before all others, failed" in result.stderr and len(load.tasks()) == 1, result.stderr
    load.drop_rules()
    expect(load.resume("last", "--retry_failed"), 0)
    load.assert_loaded()


def test_others_fill_the_account(start_local):
    """Their tasks are waited for, which is said, and no quota is ever run into with a failure."""
    load = make(start_local, "--task_seconds", "0.2")
    load.occupy(9, seconds=2)
    result = expect(load.run(), 0)
    assert "waiting" in result.stderr and "others" in result.stderr, result.stderr
    load.assert_loaded()


def test_the_service_refuses_for_its_quota(start_local):
    load = make(start_local)
    load.set_rules("CreateBatchLoadTask:2-4:ServiceQuotaExceededException", "CreateBatchLoadTask:5:ThrottlingException")
    expect(load.run(), 0)
    load.assert_loaded()
    assert all(len(states) == 1 for states in load.tasks().values())


def test_a_task_stops(start_local):
    """PROGRESS_STOPPED is resumed, here before its time runs out, and the same task goes on to its end."""
    load = make(start_local, "--resumable_seconds", "62", "--pending_resume_seconds", "0.3", days_count=3)
    load.set_rules("Task:2:stop")
    result = expect(load.run(), 0)
    assert "stopped" in result.stderr and "resumed" in result.stderr, result.stderr
    load.assert_loaded()
    assert all(states == ["SUCCEEDED"] for states in load.tasks().values()), load.tasks()


def test_a_task_stops_and_the_program_too(start_local):
    """Interrupted while a stopped task waits to be resumed; somebody resumes it by hand; the next process follows it."""
    load = make(start_local, days_count=3)
    load.set_rules("Task:2:stop")
    process = load.popen()
    deadline = time.monotonic() + 60
    while "PROGRESS_STOPPED" not in str(load.tasks()):
        assert time.monotonic() < deadline and process.poll() is None, process.communicate()
        time.sleep(0.1)
    process.send_signal(2)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 130 and "goes on in the service" in out, (out, err)
    (stopped,) = [task["TaskId"] for task in load.local.tasks(REGION) if task["TaskStatus"] == "PROGRESS_STOPPED"]
    load.local.client("timestream-write", REGION).resume_batch_load_task(TaskId=stopped)
    expect(load.resume("last"), 0)
    load.assert_loaded()
    assert all(states == ["SUCCEEDED"] for states in load.tasks().values()), load.tasks()


def edited(load, tmp_path, edit):
    """The generated data model, edited; as a file."""
    model = generated(load)
    edit(model)
    path = tmp_path / "model.json"
    path.write_text(json.dumps(model))
    return path


def generated(load):
    told = expect(load.local.run("ts-batchload", "check", *load.flags("--json")), 0)
    (planned,) = [event for event in map(json.loads, told.stdout.splitlines()) if event["kind"] == "table_planned"]
    return json.loads(planned["data_model"])


def test_a_model_that_misses_a_column(start_local, tmp_path):
    load = make(start_local, days_count=2)

    def misspell(model):
        model["DimensionMappings"][0]["SourceColumn"] = "devise"
    result = expect(load.run("--data_model_file", edited(load, tmp_path, misspell)), 2)
    assert "devise" in result.stderr and "device" in result.stderr, result.stderr
    assert not load.local.tasks(REGION)


def test_a_model_that_folds_rows(start_local, tmp_path):
    load = make(start_local, days_count=2)

    def drop(model):
        model["DimensionMappings"] = [one for one in model["DimensionMappings"] if one["SourceColumn"] != "floor"]
    path = edited(load, tmp_path, drop)
    result = expect(load.run("--data_model_file", path), 2)
    assert "--allow_key_change" in result.stderr and "floor" in result.stderr, result.stderr
    result = expect(load.run("--data_model_file", path, "--allow_key_change"), 2)
    assert "--verify" in result.stderr, result.stderr
    assert not load.local.tasks(REGION)
    expect(load.run("--data_model_file", path, "--allow_key_change", "--verify", "none"), 0)


@pytest.mark.parametrize("operation, code, said", [
    ("CreateBatchLoadTask", 3, "timestream:CreateBatchLoadTask"),
    ("CopyObject", 1, "s3:PutObject"),
    ("DescribeTable", 3, "timestream:DescribeTable"),
])
def test_a_permission_is_missing(start_local, operation, code, said):
    load = make(start_local, days_count=2)
    load.set_rules(f"{operation}:1-:AccessDeniedException" if operation != "CopyObject" else "CopyObject:1-:AccessDenied")
    result = expect(load.run(), code)
    assert said in result.stderr + result.stdout, result.stderr
    load.drop_rules()
    if load.runs():
        expect(load.resume("last"), 0)
    else:
        expect(load.run(), 0)
    load.assert_loaded()


def test_foreign_files_at_the_destination(start_local):
    load = make(start_local, days_count=2)
    folder = source_keys(load)[0].rsplit("/", 1)[0]
    foreign = f"dest/{folder}/foreign.csv"
    s3 = load.local.client("s3", REGION)
    s3.put_object(Bucket=TARGET, Key=foreign, Body=b"a,b\n1,2\n")
    result = expect(load.run(), 2)
    assert foreign in result.stderr and "--allow_existing" in result.stderr, result.stderr
    assert not load.local.tasks(REGION) and load.local.keys(TARGET, REGION, "dest/") == [foreign]
    # Copied beside, the group whose folder it lies in still does not load it.
    result = expect(load.run("--allow_existing"), 1)
    assert any(foreign in line for line in failed_lines(result)), result.stdout
    s3.delete_object(Bucket=TARGET, Key=foreign)
    expect(load.resume("last"), 0)
    load.assert_loaded()


def test_foreign_files_in_place(start_local):
    """A file of somebody else's beside a group's: the task is given a longer prefix, and the stranger is not loaded."""
    load = make(start_local, days_count=2)
    folder = source_keys(load)[-1].rsplit("/", 1)[0]
    load.local.client("s3", REGION).put_object(Bucket=SOURCE, Key=f"{folder}/late.csv", Body=b"a,b\n1,2\n")
    expect(load.run(copying=False), 0)
    load.assert_loaded()
    (longer,) = [prefix for prefix in load.tasks() if prefix.startswith(folder)]
    assert not f"{folder}/late.csv".startswith(longer), longer


def test_foreign_files_appear_before_the_task(start_local):
    """After the plan and before the create: the group's prefix is listed once more, and the group does not start."""
    load = make(start_local, "--task_seconds", "1", days_count=3)
    process = load.popen()
    deadline = time.monotonic() + 60
    while not load.tasks():  # the canary loads alone
        assert time.monotonic() < deadline and process.poll() is None, process.communicate()
        time.sleep(0.05)
    folder = source_keys(load)[-1].rsplit("/", 1)[0]
    load.local.client("s3", REGION).put_object(Bucket=TARGET, Key=f"dest/{folder}/late.csv", Body=b"a,b\n1,2\n")
    out, err = process.communicate(timeout=120)
    assert process.returncode == 1 and "late.csv" in out, (out, err)
    load.local.client("s3", REGION).delete_object(Bucket=TARGET, Key=f"dest/{folder}/late.csv")
    expect(load.resume("last"), 0)
    load.assert_loaded()


def test_an_oversized_file(start_local):
    """Over 5 GB: refused in the plan with the remedy; nothing is copied. The object's size is all that the plan sees."""
    load = make(start_local, days_count=2)
    record_key = next(key for key in load.local.keys(SOURCE, REGION, "u/") if "tsm-run-" in key)
    s3 = load.local.client("s3", REGION)
    s3.delete_object(Bucket=SOURCE, Key=record_key)
    big = f"{source_keys(load)[0].rsplit('/', 1)[0]}/big.csv"
    upload = s3.create_multipart_upload(Bucket=SOURCE, Key=big)["UploadId"]
    part = b"x" * (5 * 1024 * 1024)
    s3.put_object(Bucket=SOURCE, Key="part", Body=part * 100)
    parts = [{"PartNumber": i, "ETag": s3.upload_part_copy(Bucket=SOURCE, Key=big, UploadId=upload, PartNumber=i,
                                                          CopySource={"Bucket": SOURCE, "Key": "part"})["CopyPartResult"]["ETag"]}
             for i in range(1, 11)]
    s3.complete_multipart_upload(Bucket=SOURCE, Key=big, UploadId=upload, MultipartUpload={"Parts": parts})
    result = expect(load.run("--verify", "none"), 2)
    assert big in result.stderr and "5.0 GB" in result.stderr and "--copy_only" in result.stderr, result.stderr
    assert not load.local.keys(TARGET, REGION)


def test_data_that_is_older_than_the_table_keeps(start_local):
    load = make(start_local, days_count=2)
    result = expect(load.run("--magnetic_store_retention_in_days", "30"), 2)
    assert re.search(r"--magnetic_store_retention_in_days \d+", result.stderr) or "retention" in result.stderr, result.stderr
    load.local.make_table(REGION, "target", "readings", magnetic_days=30)
    result = expect(load.run(create=False), 2)
    assert "retention" in result.stderr and "update-table" in result.stderr, result.stderr
    assert not load.local.tasks(REGION)


def test_rows_are_there_already(start_local):
    load = make(start_local, days_count=2)
    expect(load.run(), 0)
    result = expect(load.run(), 2)
    assert "--verify none" in result.stderr, result.stderr
    # The same rows again change nothing.
    expect(load.run("--verify", "none"), 0)
    load.assert_loaded()


def test_rows_go_missing_on_the_way(start_local):
    """Rows that the target loses between task and proof: exit 4, each place named; `verify` finds them when they are back."""
    load = make(start_local, "--visible_seconds", "20", "--time_scale", "1", days_count=3)
    result = expect(load.run("--verify_wait", "0s"), 4)
    assert re.search(r"failed .*2022-01-0\d.*expected", result.stdout), result.stdout
    assert "ts-batchload verify" in result.stdout, result.stdout
    result = expect(load.local.run("ts-batchload", "verify", "last", "--verify_wait", "60s"), 0)
    load.assert_loaded()


def test_rows_that_the_service_rejects(start_local):
    """The report's errors are told with file, lines and reason, and it lies in the error bucket and beside the run."""
    load = make(start_local, days_count=3)
    key = source_keys(load)[1]
    s3 = load.local.client("s3", REGION)
    lines = s3.get_object(Bucket=SOURCE, Key=key)["Body"].read().split(b"\n")
    at = lines[0].split(b",").index(b"value")
    row = lines[1].split(b",")
    row[at] = b"twelve"
    lines[1] = b",".join(row)
    s3.put_object(Bucket=SOURCE, Key=key, Body=b"\n".join(lines))
    result = expect(load.run("--verify", "none"), 1)
    assert key.rsplit("/", 1)[1] in result.stderr and "line 2" in result.stderr, result.stderr
    (report,) = load.local.keys(ERRORS, REGION, "batch_load_errors/")
    assert report in result.stderr + result.stdout
