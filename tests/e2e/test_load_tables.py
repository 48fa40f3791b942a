"""Loads of several tables by one command, and of which unload's files they are: the index of a run of many tables, one table of it,
several records in one prefix, one that has not finished, none at all."""

import json
import re
import threading

import pytest
from e2e_harness import assert_equal_tables, expect
from e2e_load import ERRORS, QUICK, SOURCE, TARGET, Load
from e2e_unload import DATABASE, REGION, Unload, bulk_csv, days, rule_calls, set_rules

RECENT = 19000
ACTIVE = {"CREATED", "IN_PROGRESS", "PENDING_RESUME"}
COUNT_COPIES = "CopyObject:1000000:AccessDenied"
ROWS = {"cars": 3, "trams": 5, "buses": 2}


def make_tables(local):
    """Three tables of a database, unloaded by one run; the buckets of their load."""
    for i, (table, count) in enumerate(ROWS.items()):
        Unload(local, bulk_csv(days(RECENT + i, count), 4), table=table)
    for bucket in (TARGET, ERRORS):
        local.make_bucket(bucket, REGION)


def unload(local, *flags, prefix="u"):
    return expect(local.run("ts-unload", "--region", REGION, "--database", DATABASE, "--s3_uri", f"s3://{SOURCE}/{prefix}",
                            "--partition", "day", "--start_interval", "0.01", *flags), 0)


def load_flags(*more, prefix="u/", copying=True):
    place = ["--copy_s3_bucket", "--s3_source_bucket_location", SOURCE, "--source_s3_prefix", prefix, "--s3_target_bucket", TARGET,
             "--destination_s3_prefix", "dest/"] if copying else ["--s3_target_bucket", SOURCE, "--destination_s3_prefix", prefix]
    return ["--region", REGION, "--create_timestream_resource", "--s3_target_error_bucket", ERRORS, *place, *QUICK, *more]


def tables_there(local, but=DATABASE):
    """Every table of the account but those of the source's database."""
    write = local.client("timestream-write", REGION)
    names = [database["DatabaseName"] for database in write.list_databases()["Databases"]]
    return {(name, table["TableName"]) for name in names if name != but
            for table in write.list_tables(DatabaseName=name)["Tables"]}


def assert_all(local, database, tables=tuple(ROWS)):
    for table in tables:
        assert_equal_tables(local.rows(REGION, DATABASE, table), local.rows(REGION, database, table))


class Watcher:
    """How many tasks of the account were active at once, asked again and again while it is open."""

    def __init__(self, local):
        self.local, self.most, self.stop = local, 0, threading.Event()
        self.thread = threading.Thread(target=self._watch)

    def _watch(self):
        while not self.stop.is_set():
            active = sum(task["TaskStatus"] in ACTIVE for task in self.local.tasks(REGION))
            self.most = max(self.most, active)
            self.stop.wait(0.02)

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.stop.set()
        self.thread.join()


@pytest.mark.parametrize("copying", [True, False], ids=["copied", "in-place"])
def test_several_tables_share_the_accounts_places(start_local, copying):
    """One command, one database for all; never more of the account's tasks at once than it may have."""
    local = start_local("--unload_rate", "0", "--task_seconds", "0.3", "--time_scale", "4")
    make_tables(local)
    unload(local, "--all_tables")
    with Watcher(local) as watcher:
        result = local.run("ts-batchload", *load_flags("--database", "target", "--account_tasks", "2", copying=copying))
    expect(result, 0)
    assert_all(local, "target")
    assert watcher.most == 2, watcher.most
    assert tables_there(local) == {("target", table) for table in ROWS}
    for table in ROWS:
        assert f"target.{table}" in result.stdout, result.stdout
    assert "every row proven" in result.stdout


def test_tables_keep_their_names(start_local):
    """Without --database each goes where it came from in another region, whose database has the same name."""
    local = start_local("--unload_rate", "0")
    make_tables(local)
    unload(local, "--table", "cars,buses")
    other = "eu-west-1"
    for bucket in ("load-there", "errors-there"):
        local.make_bucket(bucket, other)
    result = local.run("ts-batchload", "--region", other, "--create_timestream_resource", "--copy_s3_bucket",
                       "--s3_source_bucket_location", SOURCE, "--source_s3_prefix", "u", "--s3_target_bucket", "load-there",
                       "--s3_target_error_bucket", "errors-there", *QUICK)
    expect(result, 0)
    for table in ("cars", "buses"):
        assert_equal_tables(local.rows(REGION, DATABASE, table), local.rows(other, DATABASE, table))
    listed = local.client("timestream-write", other).list_tables(DatabaseName=DATABASE)["Tables"]
    assert {table["TableName"] for table in listed} == {"cars", "buses"}


def test_one_table_of_a_run_of_many(start_local):
    """Its own prefix loads it alone, under any name; --table with the prefix of all is refused."""
    local = start_local("--unload_rate", "0")
    make_tables(local)
    unload(local, "--all_tables")
    refused = expect(local.run("ts-batchload", *load_flags("--database", "target", "--table", "one")), 2)
    assert "keep their names" in refused.stderr, refused.stderr
    assert not local.tasks(REGION) and tables_there(local) == set()
    expect(local.run("ts-batchload", *load_flags("--database", "target", "--table", "one", prefix=f"u/{DATABASE}/trams/")), 0)
    assert tables_there(local) == {("target", "one")}
    assert_equal_tables(local.rows(REGION, DATABASE, "trams"), local.rows(REGION, "target", "one"))


def test_a_failed_table_does_not_stop_the_others(start_local):
    """One of three has a group whose task fails: the others are whole and proven, the resume brings what is missing."""
    local = start_local("--unload_rate", "0")
    make_tables(local)
    unload(local, "--all_tables")
    set_rules(local, "Task:4:fail")
    result = expect(local.run("ts-batchload", *load_flags("--database", "target")), 1)
    whole = [table for table in ROWS if local.rows(REGION, DATABASE, table) == local.rows(REGION, "target", table)]
    assert len(whole) == 2, result.stdout
    (broken,) = set(ROWS) - set(whole)
    assert [line for line in result.stdout.splitlines() if line.startswith("failed")], result.stdout
    assert f"target.{broken}" in result.stdout
    set_rules(local)
    expect(local.run("ts-batchload", "resume", "last", *QUICK, "--retry_failed"), 0)
    assert_all(local, "target")


def test_several_records_must_be_chosen_from(start_local):
    """Two unloads in one prefix: exit 2 lists both; with the one chosen its files are loaded and no other's."""
    local = start_local("--unload_rate", "0")
    load = Load(local, bulk_csv(days(RECENT, 2), 4), "--partition", "day")
    first = load.source.record()
    load.source.add(bulk_csv(days(RECENT + 5, 1), 3))
    expect(load.source.run("--partition", "day"), 0)
    (second,) = [record for record in load.source.records() if record["run_id"] != first["run_id"]]
    result = expect(load.run(), 2)
    assert "--unload_run" in result.stderr, result.stderr
    assert first["run_id"] in result.stderr and second["run_id"] in result.stderr
    absent = expect(load.run("--unload_run", "20200101T000000Z-000000"), 2)
    assert "20200101T000000Z-000000" in absent.stderr and second["run_id"] in absent.stderr, absent.stderr
    assert not local.tasks(REGION) and not local.keys(TARGET, REGION)

    expect(load.run("--unload_run", second["run_id"]), 0)
    load.assert_loaded()
    older = load.beside("target.older")
    expect(older.run("--unload_run", first["run_id"], "--destination_s3_prefix", "older/"), 0)
    assert sum(older.rows().values()) == first["rows"] < second["rows"]


def test_an_unload_that_has_not_finished(start_local):
    """A record that says it is under way is refused with the command that finishes it."""
    local = start_local("--unload_rate", "0")
    load = Load(local, bulk_csv(days(RECENT, 2), 4), "--partition", "day")
    record = load.source.record()
    (key,) = [key for key in load.source.keys("u/tsm-run-")]
    local.client("s3", REGION).put_object(Bucket=SOURCE, Key=key, Body=json.dumps({**record, "state": "started"}).encode())
    for copying in (True, False):
        result = expect(load.run(copying=copying), 2)
        assert f"ts-unload resume {record['run_id']}" in result.stderr, result.stderr
    assert not local.tasks(REGION) and not local.keys(TARGET, REGION) and load.runs() == []


def without_record(local):
    """A load whose record nobody has any more."""
    load = Load(local, bulk_csv(days(RECENT, 3), 4), "--partition", "day", "--max_partitions", "2")
    told = expect(local.run("ts-batchload", "check", *load.flags("--json")), 0)
    (planned,) = [event for event in map(json.loads, told.stdout.splitlines()) if event["kind"] == "table_planned"]
    (key,) = [key for key in load.source.keys("u/tsm-run-")]
    local.client("s3", REGION).delete_object(Bucket=SOURCE, Key=key)
    return load, planned["data_model"]


@pytest.mark.parametrize("copying", [True, False], ids=["copied", "in-place"])
def test_without_a_record(start_local, tmp_path, copying):
    """The files are listed, and their manifests vouch for each and for the rows."""
    local = start_local("--unload_rate", "0")
    load, model = without_record(local)
    nothing = expect(load.run(copying=copying), 2)
    assert "no data model" in nothing.stderr and "--data_model_file" in nothing.stderr, nothing.stderr
    (tmp_path / "model.json").write_text(model)
    result = expect(load.run("--data_model_file", tmp_path / "model.json", copying=copying), 0)
    assert "every row proven" in result.stdout, result.stdout
    load.assert_loaded()


def test_without_a_record_into_a_table_with_rows(start_local):
    """The model is made of the files' header and of the columns that the target has, of a row outside of what is loaded."""
    local = start_local("--unload_rate", "0")
    load, _ = without_record(local)
    local.make_table(REGION, "target", "readings")
    assert "no data model" in expect(load.run(create=False), 2).stderr
    seed_row(local)
    result = expect(load.run("--verify", "none", create=False), 0)
    assert "header" in result.stderr, result.stderr
    back = {row: count for row, count in load.rows().items() if dict(row)["device"] != "seed"}
    assert back == dict(local.rows(REGION, DATABASE, "readings"))


def seed_row(local):
    local.write(REGION, "target", "readings", [{
        "Dimensions": [{"Name": "device", "Value": "seed"}, {"Name": "floor", "Value": "0"}], "MeasureName": "climate",
        "MeasureValueType": "MULTI", "Time": str((RECENT - 50) * 86400 * 10**9), "TimeUnit": "NANOSECONDS",
        "MeasureValues": [{"Name": "value", "Type": "DOUBLE", "Value": "1.5"}, {"Name": "n", "Type": "BIGINT", "Value": "1"},
                          {"Name": "ok", "Type": "BOOLEAN", "Value": "true"}, {"Name": "note", "Type": "VARCHAR", "Value": "x"}]}])


def test_without_a_record_an_incomplete_unload_is_refused(start_local):
    """A file that no manifest names: nothing vouches for it."""
    local = start_local("--unload_rate", "0")
    load = Load(local, bulk_csv(days(RECENT, 2), 4), "--partition", "day")
    gone = [key for key in load.source.keys("u/") if "tsm-run-" in key or key.endswith("_manifest.json")]
    for key in gone:
        local.client("s3", REGION).delete_object(Bucket=SOURCE, Key=key)
    result = expect(load.run(), 2)
    assert "manifest" in result.stderr and "--verify none" in result.stderr, result.stderr
    assert not local.tasks(REGION) and not local.keys(TARGET, REGION)


def test_packed_makes_the_fewest_tasks(start_local):
    """A thousand small files are ten tasks, for a task takes a hundred."""
    local = start_local("--unload_rate", "0")
    load = Load(local, bulk_csv(days(RECENT - 900, 1000), 1), "--partition", "day")
    assert sum(key.endswith(".csv") for key in load.source.keys("u/results/")) == 1000
    expect(load.run("--group_by", "packed"), 0)
    load.assert_loaded()
    tasks = load.tasks()
    assert len(tasks) == 10 and all(states == ["SUCCEEDED"] for states in tasks.values()), tasks
    for prefix in tasks:
        assert re.fullmatch(r"dest/.+/g\d+/", prefix), prefix
        assert len(local.keys(TARGET, REGION, prefix)) <= 100


def test_safe_prefixes(start_local):
    """No task is given a prefix with '=', nor does a copy lie under one; gone on with, nothing is copied again."""
    local = start_local("--unload_rate", "0")
    load = Load(local, bulk_csv(days(RECENT, 4), 4), "--partition", "day", "--max_partitions", "2")
    load.set_rules(COUNT_COPIES)
    expect(load.run("--safe_prefixes"), 0)
    load.assert_loaded()
    assert len(load.tasks()) == 4 and not [prefix for prefix in load.tasks() if "=" in prefix], load.tasks()
    copies = local.keys(TARGET, REGION)
    assert len(copies) == 4 and not [key for key in copies if "=" in key], copies
    assert rule_calls(local, COUNT_COPIES) == 4
    refused = expect(load.run("--safe_prefixes", copying=False), 2)
    assert "--copy_s3_bucket" in refused.stderr, refused.stderr
