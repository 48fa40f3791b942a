"""What a load can be asked for: copies alone, nothing but a look, keys of every kind, flags that contradict each other."""

import calendar
import json
import time

import pytest
from e2e_harness import dimensions, expect
from e2e_load import ERRORS, SOURCE, TARGET, Load
from e2e_unload import REGION, bulk_csv, days, rule_calls, set_rules

RECENT = 19000
COUNT_COPIES = "CopyObject:1000000:AccessDenied"
COPY_ONLY = ("--region", REGION, "--copy_only", "--s3_source_bucket_location", SOURCE, "--source_s3_prefix", "any/",
             "--s3_target_bucket", TARGET, "--destination_s3_prefix", "kept/")


def make(start_local, *flags, days_count=3, more=("--partition", "day")):
    local = start_local("--unload_rate", "0", *flags)
    return Load(local, bulk_csv(days(RECENT, days_count), 4), *more)


def everything(local):
    """Buckets with their objects, databases with their tables, tasks: all that a run could change."""
    s3, write = local.client("s3", REGION), local.client("timestream-write", REGION)
    objects = {bucket["Name"]: [(item["Key"], item["ETag"], item["LastModified"])
                                for item in s3.list_objects_v2(Bucket=bucket["Name"]).get("Contents", [])]
               for bucket in s3.list_buckets()["Buckets"]}
    tables = {database["DatabaseName"]: [table["TableName"] for table in
                                         write.list_tables(DatabaseName=database["DatabaseName"])["Tables"]]
              for database in write.list_databases()["Databases"]}
    return objects, tables, local.tasks(REGION)


# Copies alone.

def files_of_any_kind(local):
    """Files of which ts-batchload knows nothing, by name to content."""
    for bucket in (SOURCE, TARGET):
        local.make_bucket(bucket, REGION)
    files = {f"any/{name}": content for name, content in
             {"one.csv": b"a,b\n1,2\n", "image.png": b"\x89PNG", "empty": b"", "sub/dir/two=2.gz": b"\x1f\x8b", "sub/three": b"3",
              "Zürich – +%&.txt": b"text"}.items()}
    for key, content in files.items():
        local.client("s3", REGION).put_object(Bucket=SOURCE, Key=key, Body=content)
    return files


def copied(local):
    s3 = local.client("s3", REGION)
    return {key.removeprefix("kept/"): s3.get_object(Bucket=TARGET, Key=key)["Body"].read()
            for key in local.keys(TARGET, REGION, "kept/")}


def count_copies(local):
    """Counts from here on."""
    set_rules(local, COUNT_COPIES)


def test_copy_only(local):
    """Any files, without data model, error bucket or table; again, all were there; some deleted, those are copied again."""
    files = files_of_any_kind(local)
    count_copies(local)
    result = expect(local.run("ts-batchload", *COPY_ONLY), 0)
    assert "every copy proven" in result.stdout, result.stdout
    assert copied(local) == files and rule_calls(local, COUNT_COPIES) == len(files)
    assert everything(local)[1:] == ({}, [])

    count_copies(local)
    again = expect(local.run("ts-batchload", *COPY_ONLY), 0)
    assert f"{len(files)} were there" in again.stdout, again.stdout
    assert rule_calls(local, COUNT_COPIES) == 0

    for name in ("one.csv", "sub/three"):
        local.client("s3", REGION).delete_object(Bucket=TARGET, Key=f"kept/any/{name}")
    count_copies(local)
    again = expect(local.run("ts-batchload", *COPY_ONLY), 0)
    assert f"{len(files) - 2} were there" in again.stdout, again.stdout
    assert rule_calls(local, COUNT_COPIES) == 2 and copied(local) == files


def test_copy_only_replaces_what_differs_or_stops(local):
    """A file of the same name with other content is of somebody else or of before: it is copied anew, others' names stop."""
    files = files_of_any_kind(local)
    s3 = local.client("s3", REGION)
    s3.put_object(Bucket=TARGET, Key="kept/any/one.csv", Body=b"a,b\n1,3\n")
    s3.put_object(Bucket=TARGET, Key="kept/any/theirs.csv", Body=b"x")
    refused = expect(local.run("ts-batchload", *COPY_ONLY), 2)
    assert "kept/any/theirs.csv" in refused.stderr and "--allow_existing" in refused.stderr, refused.stderr
    expect(local.run("ts-batchload", *COPY_ONLY, "--allow_existing"), 0)
    assert copied(local) == {**files, "any/theirs.csv": b"x"}


def test_copy_only_makes_the_bucket(local):
    files = files_of_any_kind(local)
    flags = ["fresh-files" if flag == TARGET else flag for flag in COPY_ONLY]
    assert "fresh-files" in expect(local.run("ts-batchload", *flags), 2).stderr
    expect(local.run("ts-batchload", *flags, "--create_destination_bucket"), 0)
    assert local.keys("fresh-files", REGION) == sorted(f"kept/{key}" for key in files)


def test_copied_before_and_then_loaded(start_local):
    """Copied alone, then loaded in place from where the copies lie: the record is with them."""
    load = make(start_local)
    flags = ["--region", REGION, "--copy_only", "--s3_source_bucket_location", SOURCE, "--source_s3_prefix", "u/", "--s3_target_bucket",
             TARGET, "--destination_s3_prefix", "moved/"]
    expect(load.local.run("ts-batchload", *flags), 0)
    in_place = [TARGET if flag == SOURCE else flag for flag in load.flags(copying=False, prefix="moved/u")]
    expect(load.local.run("ts-batchload", *in_place), 0)
    load.assert_loaded()


@pytest.mark.parametrize("flags, said", [
    (("--no_copy", "--copy_s3_bucket", "--s3_source_bucket_location", SOURCE), "--no_copy contradicts --copy_s3_bucket"),
    (("--no_copy", "--copy_only", "--s3_source_bucket_location", SOURCE), "--no_copy contradicts --copy_only"),
    (("--no_copy", "--s3_source_bucket_location", SOURCE), "--s3_source_bucket_location"),
    (("--no_copy", "--group_by", "packed"), "--group_by packed"),
    (("--no_copy", "--safe_prefixes"), "--safe_prefixes"),
    (("--copy_s3_bucket",), "--s3_source_bucket_location"),
    (("--copy_only",), "--s3_source_bucket_location"),
    (("--kms_key", "k"), "--encryption"),
])
def test_flags_that_contradict(local, flags, said):
    """Refused before a request goes out."""
    result = expect(local.run("ts-batchload", "--region", REGION, *flags, endpoint="http://127.0.0.1:1"), 2)
    assert said in result.stderr, result.stderr


def test_no_copy_spells_out_the_default(start_local):
    load = make(start_local)
    expect(load.run("--no_copy", copying=False), 0)
    load.assert_loaded()
    assert load.local.keys(TARGET, REGION) == []


# Looks that change nothing.

@pytest.mark.parametrize("copying", [True, False], ids=["copied", "in-place"])
@pytest.mark.parametrize("how", ["check", "--dry_run"])
def test_a_look_changes_nothing(start_local, how, copying):
    """No bucket, no database, no table, no object, no task, no run: and it names what a run would make and do."""
    load = make(start_local)
    flags = load.flags("--create_error_logging_bucket", copying=copying)
    flags[flags.index(ERRORS)] = "fresh-errors"
    if copying:
        flags[flags.index(TARGET)] = "fresh-files"
        flags.append("--create_destination_bucket")
    words = ["check", *flags] if how == "check" else [*flags, how]
    before, directories = everything(load.local), set(load.local.state_dir.iterdir())
    result = expect(load.local.run("ts-batchload", *words), 0)
    assert everything(load.local) == before and load.runs() == []
    named = ["fresh-errors", "database target", "target.readings", "3 groups", *(["fresh-files"] if copying else [])]
    for name in named:
        assert name in result.stdout, (name, result.stdout)
    events = [json.loads(line) for line in expect(load.local.run("ts-batchload", *words, "--json"), 0).stdout.splitlines()]
    assert events[-1]["kind"] == "run_ended" and (events[-1]["outcome"], events[-1]["exit_code"]) == ("dry_run", 0)
    (table,) = [event for event in events if event["kind"] == "table_planned"]
    assert (table["files"], table["rows"]) == (3, 12) and "DimensionMappings" in json.loads(table["data_model"])
    assert everything(load.local) == before and load.runs() == []
    assert set(load.local.state_dir.iterdir()) == directories


def test_buckets_are_made_in_the_tables_region(start_local):
    load = make(start_local)
    flags = load.flags("--create_destination_bucket", "--create_error_logging_bucket")
    flags[flags.index(TARGET)], flags[flags.index(ERRORS)] = "fresh-files", "fresh-errors"
    absent = expect(load.local.run("ts-batchload", *load.flags("--s3_target_error_bucket", "fresh-errors")), 2)
    assert "fresh-errors" in absent.stderr and "--create_error_logging_bucket" in absent.stderr, absent.stderr
    expect(load.local.run("ts-batchload", *flags), 0)
    load.assert_loaded()


# Keys of the new table.

def key_of_target(load):
    told = load.local.client("timestream-write", REGION).describe_table(DatabaseName="target", TableName="readings")["Table"]
    return told["Schema"]["CompositePartitionKey"]


@pytest.mark.parametrize("flags, key", [
    ((), [{"Type": "MEASURE"}]),
    (("--partition_key", "device"), [{"Type": "DIMENSION", "Name": "device", "EnforcementInRecord": "REQUIRED"}]),
    (("--partition_key", "measure_name"), [{"Type": "MEASURE"}]),
    (("--partition_key", "floor", "--partition_key_enforcement", "optional"),
     [{"Type": "DIMENSION", "Name": "floor", "EnforcementInRecord": "OPTIONAL"}]),
], ids=["none", "dimension", "measure_name", "optional"])
def test_partition_keys(start_local, flags, key):
    load = make(start_local)
    expect(load.run(*flags), 0)
    load.assert_loaded()
    assert key_of_target(load) == key


@pytest.mark.parametrize("flags, said", [
    (("--partition_key", "floor"), "--partition_key_enforcement optional"),  # some rows have none
    (("--partition_key", "flor"), "floor"),
    (("--partition_key", "value"), "value"),
])
def test_partition_keys_that_would_lose_rows(start_local, flags, said):
    load = make(start_local)
    before = everything(load.local)
    result = expect(load.run(*flags), 2)
    assert said in result.stderr, result.stderr
    assert everything(load.local) == before and load.runs() == []


# Versions.

def put_in_the_way(load, row):
    """A row of the source's time and dimensions with other values, by whoever writes to the target."""
    text, _, fraction = row["time"].partition(".")
    seconds = calendar.timegm(time.strptime(text, "%Y-%m-%d %H:%M:%S"))
    record = {"Dimensions": dimensions(**{name: row[name] for name in ("device", "floor") if name in row}),
              "MeasureName": "climate", "MeasureValueType": "MULTI", "Time": str(seconds * 10**9 + int(fraction)),
              "TimeUnit": "NANOSECONDS", "MeasureValues": [{"Name": "n", "Type": "BIGINT", "Value": "-77"}]}
    assert not load.local.write(REGION, "target", "readings", [record])


def first_of(rows):
    return dict(sorted(rows.elements(), key=lambda row: dict(row)["time"])[0])


def test_a_higher_version_replaces_what_is_in_the_way(start_local):
    """A row of other values came between a group's failure and its retry: with --record_version the source's values win."""
    load = make(start_local, days_count=2)
    load.set_rules("Task:2:fail")
    expect(load.run(), 1)
    load.drop_rules()
    put_in_the_way(load, first_of(load.local.rows(REGION, "source", "readings") - load.rows()))
    refused = expect(load.resume("last", "--record_version", "2"), 2)
    assert "--retry_failed" in refused.stderr, refused.stderr
    expect(load.resume("last", "--retry_failed", "--record_version", "2"), 0)
    load.assert_loaded()


@pytest.mark.parametrize("version", [None, 2])
def test_rows_in_the_way_of_a_load(start_local, version):
    """Of one version they stay, and the service tells nobody: that it can't be seen is said. A higher version replaces them."""
    load = make(start_local, days_count=2)
    load.local.make_table(REGION, "target", "readings")
    row = first_of(load.local.rows(REGION, "source", "readings"))
    put_in_the_way(load, row)
    more = ("--record_version", str(version)) if version else ()
    result = load.run("--verify", "none", *more, create=False)
    if version:
        expect(result, 0)
        load.assert_loaded()
    else:
        expect(result, 0)
        assert "lost in silence" in result.stderr and "not all of it proven" in result.stdout, result.stderr
        assert sum((load.local.rows(REGION, "source", "readings") - load.rows()).values()) == 1
