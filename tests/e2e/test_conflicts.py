"""What stands in the way: other data, other runs, incomplete unloads, other people's tasks and policies."""

import json
import re
import threading
import time
import urllib.request

import pytest
from e2e_harness import PACE, Small, assert_equal_tables, changed, expect


def manifest_key(small, prefix="u"):
    (key,) = [key for key in small.local.keys(small.bucket, small.region, f"{prefix}/") if key.endswith("_manifest.json")]
    return key


def put(small, bucket, key, body=b"x"):
    small.local.client("s3", small.region).put_object(Bucket=bucket, Key=key, Body=body)


def test_foreign_data_in_results(small):
    put(small, small.bucket, "u/results/partition_date=2020-01-01/somebody.csv")
    before = small.local.keys(small.bucket, small.region)
    result = expect(small.unload(), 2)
    assert "u/results/partition_date=2020-01-01/somebody.csv" in result.stderr
    assert small.local.keys(small.bucket, small.region) == before  # the run has left nothing of its own


def records(small, prefix="u"):
    """The runs' records at a destination, by key."""
    s3 = small.local.client("s3", small.region)
    keys = [key for key in small.local.keys(small.bucket, small.region, f"{prefix}/tsm-run-")]
    return {key: json.loads(s3.get_object(Bucket=small.bucket, Key=key)["Body"].read()) for key in keys}


def test_second_unload_into_the_same_place(small):
    """A finished run is nothing in the way: the second writes below a folder of its own and changes nothing there."""
    def etags():
        listed = small.local.client("s3", small.region).list_objects_v2(Bucket=small.bucket)["Contents"]
        return {item["Key"]: item["ETag"] for item in listed}
    expect(small.unload(), 0)
    before, (first,) = etags(), records(small).values()
    expect(small.unload(), 0)
    after = etags()
    assert {key: etag for key, etag in after.items() if key in before} == before
    (second,) = [record for record in records(small).values() if record["run_id"] != first["run_id"]]
    assert (first["rows"], second["rows"]) == (len(small.source), len(small.source))
    (slice_,) = second["slices"]
    folder = slice_["to"].removeprefix(f"s3://{small.bucket}/") + "/"
    assert folder.startswith("u/results/0001-")
    fresh = {key for key in after if key not in before}
    assert {key for key in fresh if not key.startswith(folder)} == {f"u/tsm-run-{second['run_id']}.json"}
    assert sum(key.endswith(".csv") for key in fresh) == second["files"] == 3


def test_another_runs_started_record_alone(small):
    """It may be a run that goes on right now: it keeps nothing from starting, but the flat layout is not taken."""
    other = "u/tsm-run-20200101T000000Z-abcdef.json"
    put(small, small.bucket, other, b"{}")
    expect(small.unload(), 0)
    files = [key for key in small.local.keys(small.bucket, small.region) if key.endswith(".csv")]
    assert len(files) == 3 and all(key.startswith("u/results/0001-") for key in files)
    s3 = small.local.client("s3", small.region)
    assert s3.get_object(Bucket=small.bucket, Key=other)["Body"].read() == b"{}"


def test_data_of_an_unfinished_run_needs_append(small):
    """Its record vouches for nothing yet; with --append it lies beside the new files, untouched."""
    expect(small.unload(), 0)
    ((key, record),) = records(small).items()
    put(small, small.bucket, key, json.dumps({**record, "state": "started"}).encode())
    before = small.local.keys(small.bucket, small.region)
    result = expect(small.unload(), 2)
    for name in [name for name in before if name.endswith(".csv")]:
        assert f"in the way: s3://{small.bucket}/{name}" in result.stderr
    assert "--append" in result.stderr
    assert small.local.keys(small.bucket, small.region) == before
    assert len(list(small.local.state_dir.iterdir())) == 1  # of the first run; the refused one is forgotten
    expect(small.unload("--append"), 0)
    after = small.local.keys(small.bucket, small.region)
    assert set(before) < set(after)
    assert all(name.startswith(("u/results/0001-", "u/tsm-run-")) for name in after if name not in before)


def assert_nothing_was_started(small):
    assert small.local.tasks(small.region) == []
    assert small.local.keys(small.target, small.region) == []
    databases = small.local.client("timestream-write", small.region).list_databases()["Databases"]
    assert "target" not in [database["DatabaseName"] for database in databases]


def drop_records(small):
    for key in records(small):
        small.local.client("s3", small.region).delete_object(Bucket=small.bucket, Key=key)


def test_manifest_is_missing(small):
    expect(small.unload(), 0)
    gone = manifest_key(small)
    small.local.client("s3", small.region).delete_object(Bucket=small.bucket, Key=gone)
    result = expect(small.load(), 2)
    assert f"the manifest {gone} is missing" in result.stderr and "--verify none" in result.stderr
    assert_nothing_was_started(small)
    result = expect(small.load("--verify", "none"), 0)
    assert "verify" in result.stderr
    assert_equal_tables(small.source, small.loaded())


def test_without_record_and_manifest_the_files_are_named(small):
    """Listed as they lie there: files that no manifest names are named before anything is done."""
    expect(small.unload(), 0)
    drop_records(small)
    small.local.client("s3", small.region).delete_object(Bucket=small.bucket, Key=manifest_key(small))
    result = expect(small.load(), 2)
    assert "manifest" in result.stderr and ".csv" in result.stderr and "--verify none" in result.stderr
    assert_nothing_was_started(small)
    expect(small.load("--verify", "none"), 0)
    assert_equal_tables(small.source, small.loaded())


def test_without_a_record_the_manifest_vouches(small):
    """As the original's unloads lie there: the manifest alone tells what the proof expects."""
    expect(small.unload(), 0)
    drop_records(small)
    result = expect(small.load(), 0)
    assert "every row proven" in result.stdout, result.stdout
    assert_equal_tables(small.source, small.loaded())


@pytest.mark.parametrize("recorded", [True, False], ids=["record", "no-record"])
def test_manifest_is_incomplete(small, recorded):
    """Its totals exceed its list, as in a manifest that the real service's was shortened to."""
    expect(small.unload(), 0)
    if not recorded:
        drop_records(small)
    s3, key = small.local.client("s3", small.region), manifest_key(small)
    manifest = json.loads(s3.get_object(Bucket=small.bucket, Key=key)["Body"].read())
    dropped = manifest["result_files"].pop()
    put(small, small.bucket, key, json.dumps(manifest).encode())
    result = expect(small.load(), 2)
    assert key.split("/")[-1] in result.stderr or dropped["url"].split("/")[-1] in result.stderr
    assert_nothing_was_started(small)


@pytest.mark.parametrize("recorded", [True, False], ids=["record", "no-record"])
def test_a_file_of_the_manifest_is_missing(small, recorded):
    expect(small.unload(), 0)
    if not recorded:
        drop_records(small)
    gone = [key for key in small.local.keys(small.bucket, small.region) if key.endswith(".csv")][0]
    small.local.client("s3", small.region).delete_object(Bucket=small.bucket, Key=gone)
    result = expect(small.load(), 2)
    assert gone.split("/")[-1] in result.stderr
    assert_nothing_was_started(small)


@pytest.mark.parametrize("recorded", [True, False], ids=["record", "no-record"])
def test_a_file_of_another_size(small, recorded):
    expect(small.unload(), 0)
    if not recorded:
        drop_records(small)
    key = [key for key in small.local.keys(small.bucket, small.region) if key.endswith(".csv")][0]
    put(small, small.bucket, key, b"city,nanoseconds\n")
    assert key.split("/")[-1] in expect(small.load(), 2).stderr
    assert_nothing_was_started(small)


def test_a_foreign_key_where_a_task_would_read_it(small):
    expect(small.unload(), 0)
    folder = [key for key in small.local.keys(small.bucket, small.region) if key.endswith(".csv")][0].rsplit("/", 1)[0]
    foreign = f"dest/{folder}/foreign.csv"
    put(small, small.target, foreign)
    assert foreign in expect(small.load(), 2).stderr
    assert small.local.tasks(small.region) == []


def test_nothing_to_load(small):
    assert "u/results/" in expect(small.load(), 2).stderr
    assert_nothing_was_started(small)


def test_load_again_changes_nothing(small):
    """The count of a table that holds the rows already proves nothing: that stops it; asked for no proof, the files that
    are there are not copied again and the same rows change nothing."""
    def etags():
        listed = small.local.client("s3", small.region).list_objects_v2(Bucket=small.target)["Contents"]
        return {item["Key"]: (item["ETag"], item["LastModified"]) for item in listed}
    expect(small.unload(), 0)
    expect(small.load(), 0)
    copies, tasks = etags(), len(small.local.tasks(small.region))
    result = expect(small.load(), 2)
    assert "holds 120 rows" in result.stderr and "--verify none" in result.stderr, result.stderr
    assert len(small.local.tasks(small.region)) == tasks and etags() == copies
    expect(small.load("--verify", "none"), 0)
    assert etags() == copies and len(small.local.tasks(small.region)) == 2 * tasks
    assert_equal_tables(small.source, small.loaded())


def test_a_finished_run_is_not_begun_again(small):
    """resume of a load that is done says how it stands and makes no task and no copy."""
    expect(small.unload(), 0)
    expect(small.load(), 0)
    tasks = len(small.local.tasks(small.region))
    result = expect(small.local.run("ts-batchload", "resume", "last"), 0)
    assert "every row proven" in result.stdout, result.stdout
    assert len(small.local.tasks(small.region)) == tasks


def test_without_the_create_flags_missing_things_are_named(small):
    expect(small.unload(), 0)
    flags = ["nowhere-load" if flag == small.target else flag for flag in small.load_flags()]
    assert "--create_destination_bucket" in expect(small.local.run("ts-batchload", *flags), 2).stderr
    flags = ["nowhere-errors" if flag == small.errors else flag for flag in small.load_flags()]
    assert "--create_error_logging_bucket" in expect(small.local.run("ts-batchload", *flags), 2).stderr
    flags = [flag for flag in small.load_flags() if flag not in ("--create_timestream_resource",)]
    assert "--create_timestream_resource" in expect(small.local.run("ts-batchload", *flags), 2).stderr


def test_foreign_active_tasks_take_their_places(start_local, tmp_path):
    """Other clients' tasks run on the target table, one of them for real: they keep their places and are not disturbed;
    ours wait for a free one, which is said with the task's id, and never are more than five active on the table."""
    seconds = 1.5 * PACE
    local = start_local("--task_seconds", str(seconds))
    small = Small(local, tmp_path)
    region = small.region
    expect(small.unload(), 0)
    local.make_table(region, "target", "readings")
    header = "city,device,measure_name,nanoseconds,temperature\n"
    start = (int(time.time()) // 86400 - 9) * 86400 * 10**9
    rows = "".join(f"Oslo,foreign,climate,{start + i * 1000},{i}.5\n" for i in range(1000))
    put(small, small.target, "foreign/big.csv", (header + rows).encode())
    columns = [{"SourceColumn": "temperature", "TargetMultiMeasureAttributeName": "temperature", "MeasureValueType": "DOUBLE"}]
    occupy(small, "target", "readings", 4, seconds)
    others = {item["TaskId"] for item in local.tasks(region)}
    task = local.client("timestream-write", region).create_batch_load_task(
        TargetDatabaseName="target", TargetTableName="readings",
        DataSourceConfiguration={"DataSourceS3Configuration": {"BucketName": small.target, "ObjectKeyPrefix": "foreign/"},
                                 "DataFormat": "CSV"},
        ReportConfiguration={"ReportS3Configuration": {"BucketName": small.errors, "ObjectKeyPrefix": "foreign"}},
        DataModelConfiguration={"DataModel": {
            "TimeColumn": "nanoseconds", "TimeUnit": "NANOSECONDS", "MeasureNameColumn": "measure_name",
            "DimensionMappings": [{"SourceColumn": "city"}, {"SourceColumn": "device"}],
            "MultiMeasureMappings": {"MultiMeasureAttributeMappings": columns}}})["TaskId"]
    others.add(task)
    seen = []  # (active tasks of others, of ours), as seen together while the program ran
    done = threading.Event()

    def watch():
        while not done.is_set():
            active = {item["TaskId"] for item in local.tasks(region) if item["TaskStatus"] in ("CREATED", "IN_PROGRESS")}
            seen.append((len(active & others), len(active - others)))
            time.sleep(0.02)
    watcher = threading.Thread(target=watch)
    watcher.start()
    result = local.run("ts-batchload", *changed(small.load_flags(), "--partition_key"))
    done.set()
    watcher.join()
    expect(result, 0)
    assert "waiting" in result.stderr and task in result.stderr, result.stderr
    assert (5, 0) in seen, "the foreign tasks ended too early for this test to show anything"
    assert max(theirs + ours for theirs, ours in seen) <= 5
    described = local.client("timestream-write", region).describe_batch_load_task(TaskId=task)["BatchLoadTaskDescription"]
    assert (described["TaskStatus"], described["ProgressReport"]["RecordsIngested"]) == ("SUCCEEDED", 1000)
    ours = {row: n for row, n in small.loaded().items() if dict(row)["device"] != "foreign"}
    assert ours == dict(small.source)


def occupy(small, database, table, count, seconds):
    body = json.dumps({"database": database, "table": table, "count": count, "seconds": seconds}).encode()
    request = urllib.request.Request(f"{small.local.endpoint}/ts-local/tasks", data=body, method="POST")
    urllib.request.build_opener(urllib.request.ProxyHandler({})).open(request, timeout=30).close()


def statements(small):
    policy = json.loads(small.local.client("s3", small.region).get_bucket_policy(Bucket=small.bucket)["Policy"])
    return policy["Statement"]


def test_an_existing_policy_is_kept_and_added_to(small):
    role = "arn:aws:iam::123456789123:role/BatchLoadRole"
    own = {"Sid": "Mine", "Effect": "Deny", "Principal": "*", "Action": ["s3:DeleteBucket"],
           "Resource": f"arn:aws:s3:::{small.bucket}", "Condition": {"Bool": {"aws:SecureTransport": "false"}}}
    small.local.client("s3", small.region).put_bucket_policy(
        Bucket=small.bucket, Policy=json.dumps({"Version": "2012-10-17", "Id": "ours", "Statement": own}))
    expect(small.unload("--iam_role_arn", role), 0)
    after = statements(small)
    assert own in after and len(after) == 3
    granted = {json.dumps(s["Action"]): s for s in after if s != own}
    assert all(role in json.dumps(s["Principal"]) and s["Effect"] == "Allow" for s in granted.values())
    assert any("s3:GetObject" in action for action in granted)
    assert any("s3:ListBucket" in action for action in granted)
    # The same role again adds nothing; another role adds its own two.
    expect(small.unload("--iam_role_arn", role, prefix="second"), 0)
    assert statements(small) == after
    expect(small.unload("--iam_role_arn", role.replace("BatchLoadRole", "Other"), prefix="third"), 0)
    assert len(statements(small)) == 5 and all(s in statements(small) for s in after)


def move_a_row_out_of_retention(small, key):
    """One row of the file to a time long past, the file's size the same; gives the line where it lies."""
    s3 = small.local.client("s3", small.region)
    body = s3.get_object(Bucket=small.bucket, Key=key)["Body"].read()
    at = re.search(rb"(?<=,)1(?=\d{18}(,|\n|\r))", body).start()
    s3.put_object(Bucket=small.bucket, Key=key, Body=body[:at] + b"0" + body[at + 1:])
    return body[:at].count(b"\n") + 1


def test_failed_groups_are_told_to_sns(small):
    """One folder with a row outside the target's retention: the others load, the topic hears of it, exit 1."""
    topic = small.local.client("sns", small.region).create_topic(Name="loads")["TopicArn"]
    expect(small.unload(), 0)
    key = max(key for key in small.local.keys(small.bucket, small.region) if key.endswith(".csv"))
    failed_day = key.split("partition_date=")[1].split("/")[0]
    line = move_a_row_out_of_retention(small, key)
    result = expect(small.load("--sns_topic_arn", topic), 1)
    assert "outside the time range" in result.stdout + result.stderr  # the report's own words
    assert key.split("/")[-1] in result.stderr and f"{line}" in result.stderr and "retention" in result.stderr
    assert "--retry_failed" in result.stdout.splitlines()[-1]
    published = [json.loads(text) for text in
                 (small.local.folder / "data" / "sns" / small.region / "loads.jsonl").read_text().splitlines()]
    told = json.dumps(published)
    assert failed_day in told and "outside the time range" in told
    subjects = [message.get("Subject", message.get("subject")) for message in published]
    assert len(published) == 2 and all(subject and len(subject) < 100 for subject in subjects), published
    loaded = {dict(row)["time"][:10] for row in small.loaded()}
    whole = {dict(row)["time"][:10] for row in small.source} - {failed_day}
    assert whole <= loaded and len(whole) == 2
    assert {row for row in small.loaded() if dict(row)["time"][:10] in whole} == {
        row for row in small.source if dict(row)["time"][:10] in whole}


def test_data_older_than_the_asked_retention_stops_in_the_plan(small):
    expect(small.unload(), 0)
    result = expect(small.load("--magnetic_store_retention_in_days", "4"), 2)
    assert re.search(r"give --magnetic_store_retention_in_days \d+ or more", result.stderr), result.stderr
    assert_nothing_was_started(small)
