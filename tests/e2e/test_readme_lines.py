"""The original README's three command lines, unchanged but for the program's name; and those of this README, as they stand."""

import re
import shlex

import pytest
from e2e_harness import ROOT, assert_equal_tables, expect

LINE1 = ("ts-unload --region eu-west-1 --s3_uri s3://timestream-unload-sourcedb-mytable/unload --database sourcedb"
         " --table myTable --iam_role_arn arn:aws:iam::123456789123:role/BatchLoadRole --partition day")
LINE2 = ("ts-batchload --region us-west-2 --create_timestream_resource --database=targetdb --table=myTable"
         " --partition_key city --copy_s3_bucket --s3_source_bucket_location timestream-unload-sourcedb-mytable"
         " --source_s3_prefix unload/results/ --create_destination_bucket"
         " --s3_target_bucket timestream-batchload-targetdb-mytable --destination_s3_prefix dest/"
         " --create_error_logging_bucket --s3_target_error_bucket timestream-batchload-error-logs"
         " --data_model_file data_model_samples/multi_measure.json")
LINE3 = ("ts-batchload --region eu-west-1 --database=targetdb --table=myTable"
         " --s3_target_bucket timestream-unload-sourcedb-mytable --destination_s3_prefix unload/results/"
         " --data_model_file data_model_samples/multi_measure.json --create_timestream_resource --partition_key city"
         " --s3_target_error_bucket timestream-batchload-error-logs")
HERE, THERE = "eu-west-1", "us-west-2"
UNLOAD_BUCKET, ERROR_BUCKET = "timestream-unload-sourcedb-mytable", "timestream-batchload-error-logs"


def run_line(local, line):
    program, *flags = shlex.split(line)
    return local.run(program, *flags)


@pytest.fixture
def sampled(start_local):
    local = start_local("--sample", "--region", HERE)
    local.make_bucket(UNLOAD_BUCKET, HERE)
    return local


def check_target(local, region):
    assert_equal_tables(local.rows(HERE, "sourcedb", "myTable"), local.rows(region, "targetdb", "myTable"))
    table = local.client("timestream-write", region).describe_table(DatabaseName="targetdb", TableName="myTable")["Table"]
    (key,) = table["Schema"]["CompositePartitionKey"]
    assert (key["Type"], key["Name"]) == ("DIMENSION", "city")
    assert table["RetentionProperties"] == {"MemoryStoreRetentionPeriodInHours": 24,
                                            "MagneticStoreRetentionPeriodInDays": 3655}


def test_lines_1_and_2_then_3_is_refused(sampled):
    source = sampled.rows(HERE, "sourcedb", "myTable")
    assert sum(source.values()) > 10_000
    expect(run_line(sampled, LINE1), 0)
    policy = sampled.client("s3", HERE).get_bucket_policy(Bucket=UNLOAD_BUCKET)["Policy"]
    assert "arn:aws:iam::123456789123:role/BatchLoadRole" in policy
    expect(run_line(sampled, LINE2), 0)
    check_target(sampled, THERE)
    # Lines 2 and 3 name one bucket for the reports of two regions: line 3 must stop before it does anything.
    tasks = len(sampled.tasks(HERE))
    refused = expect(run_line(sampled, LINE3), 2)
    assert ERROR_BUCKET in refused.stderr and THERE in refused.stderr and HERE in refused.stderr, refused.stderr
    assert len(sampled.tasks(HERE)) == tasks
    assert "targetdb" not in [d["DatabaseName"] for d in
                              sampled.client("timestream-write", HERE).list_databases()["Databases"]]


def test_lines_1_and_3(sampled):
    sampled.make_bucket(ERROR_BUCKET, HERE)
    expect(run_line(sampled, LINE1), 0)
    expect(run_line(sampled, LINE3), 0)
    check_target(sampled, HERE)


def readme_commands():
    """The commands of the chapter "A migration", each on one line."""
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    chapter = text.split("\n## A migration\n")[1].split("\n## ")[0]
    commands = re.findall(r"^    (ts-\w+ (?:.*\\\n)*.*)", chapter, re.MULTILINE)
    return [re.sub(r"\\\n *", "", command) for command in commands]


def test_this_readmes_lines(sampled):
    """No data model is written by hand: the dry run, the unload, its copy and load abroad, and the load where the files lie."""
    dry, unload, abroad, in_place = readme_commands()
    assert "--dry_run" in dry and "--data_model_file" not in abroad + in_place
    expect(run_line(sampled, dry), 0)
    assert sampled.keys(UNLOAD_BUCKET, HERE) == []
    expect(run_line(sampled, unload), 0)
    # "check with the same flags looks at everything a run would look at, and changes nothing".
    expect(run_line(sampled, abroad.replace("ts-batchload ", "ts-batchload check ", 1)), 0)
    buckets = [bucket["Name"] for bucket in sampled.client("s3", HERE).list_buckets()["Buckets"]]
    assert buckets == [UNLOAD_BUCKET] and sampled.tasks(THERE) == []
    loaded = expect(run_line(sampled, abroad), 0)
    assert "every row proven" in loaded.stdout, loaded.stdout
    check_target(sampled, THERE)
    # "the two examples need error buckets of different names if both are run".
    assert ERROR_BUCKET in expect(run_line(sampled, in_place), 2).stderr
    sampled.make_bucket("errors-here", HERE)
    expect(run_line(sampled, in_place.replace(ERROR_BUCKET, "errors-here")), 0)
    check_target(sampled, HERE)
