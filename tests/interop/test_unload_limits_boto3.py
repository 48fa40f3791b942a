"""How UNLOADs fail and go on in ts-local, as boto3 sees it: rate, hour, memory, a client that is gone."""

import concurrent.futures
import json
import os
import pathlib
import time
import urllib.request

import botocore.exceptions
import pytest

SELECT = "SELECT value, city FROM \"db\".\"t\""
ONCE = {"total_max_attempts": 1, "mode": "standard"}


@pytest.fixture
def start(start_ts_local):
    """A ts-local with a table of 5 cities with 20 rows each, and a bucket."""
    def begin(*flags):
        local = start_ts_local(*flags)
        write, now = local.client("timestream-write"), int(time.time())
        write.create_database(DatabaseName="db")
        write.create_table(DatabaseName="db", TableName="t")
        write.write_records(DatabaseName="db", TableName="t", Records=[
            {"Dimensions": [{"Name": "city", "Value": f"c{i // 20}"}], "MeasureName": "m",
             "MeasureValueType": "MULTI", "MeasureValues": [{"Name": "value", "Value": str(i), "Type": "BIGINT"}],
             "Time": str(now - 1000 + i), "TimeUnit": "SECONDS"} for i in range(100)])
        local.client("s3").create_bucket(Bucket="unloads")
        return local
    return begin


def sql(folder, where=""):
    return (f"UNLOAD ({SELECT} {where}) TO 's3://unloads/{folder}' WITH (compression = 'NONE', "
            "partitioned_by = ARRAY['city'])")


def unload(local, *arguments):
    client = local.client("timestream-query", retries=ONCE)
    pages = list(client.get_paginator("query").paginate(QueryString=sql(*arguments)))
    return int(pages[-1]["Rows"][0]["Data"][0]["ScalarValue"]), [page["QueryStatus"] for page in pages]


def refusal(local, *arguments):
    with pytest.raises(botocore.exceptions.ClientError) as error:
        unload(local, *arguments)
    return error.value.response["Error"]["Code"], error.value.response["Error"]["Message"]


def keys(local, folder):
    listed = local.client("s3").list_objects_v2(Bucket="unloads", Prefix=folder + "/")
    return [item["Key"] for item in listed.get("Contents", [])]


def unfinished(local, folder):
    listed = local.client("s3").list_multipart_uploads(Bucket="unloads", Prefix=folder + "/")
    return [(upload["Key"], upload["UploadId"]) for upload in listed.get("Uploads", [])]


def wait_for(condition):
    deadline = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < deadline, "it did not come"
        time.sleep(0.02)


def test_one_start_in_a_service_second(start):
    local = start("--unload_rate", "1", "--time_scale", "0.01")
    assert unload(local, "a")[0] == 100
    assert refusal(local, "b")[0] == "ThrottlingException"
    assert keys(local, "b") == []
    local = start("--unload_rate", "1", "--time_scale", "1000")
    for folder in "abc":
        assert unload(local, folder)[0] == 100


def test_memory_and_the_hour(start):
    local = start("--memory_partitions", "3", "--time_scale", "10000",
                  "--unload_seconds_per_million_rows", str(50e6))  # 72 rows in the hour
    assert unload(local, "fits", "WHERE value < 60")[0] == 60
    assert refusal(local, "memory") == ("QueryExecutionException",
                                        "The query computation exceeds maximum available memory")
    local = start("--time_scale", "10000", "--unload_seconds_per_million_rows", str(50e6))
    code, message = refusal(local, "hour")
    assert code == "QueryExecutionException" and "timed out" in message
    assert len(keys(local, "hour")) == 4 and all("results/city=" in key for key in keys(local, "hour"))
    assert len(unfinished(local, "hour")) == 1 and unfinished(local, "fits") == []
    progress = [status["ProgressPercentage"] for status in unload(local, "fits", "WHERE value < 60")[1]]
    assert progress == sorted(progress) and progress[-1] == 100


def test_a_failed_one_leaves_files_and_an_upload_to_abort(start):
    local = start("--fail", "Unload:1:QueryExecutionException", "--fail", "UnloadWrite:6:SlowDown")
    client = local.client("timestream-query", retries=ONCE)
    page = client.query(QueryString=sql("half"))
    assert page["Rows"] == []
    with pytest.raises(client.exceptions.QueryExecutionException):
        while True:
            page = client.query(QueryString=sql("half"), NextToken=page["NextToken"])
    assert len(keys(local, "half")) == 3 and all(page["QueryId"] in key for key in keys(local, "half"))
    [(key, upload)] = unfinished(local, "half")
    assert key.startswith("half/results/city=c2/" + page["QueryId"]) and key not in keys(local, "half")
    s3 = local.client("s3")
    assert len(s3.list_parts(Bucket="unloads", Key=key, UploadId=upload)["Parts"]) == 1
    s3.abort_multipart_upload(Bucket="unloads", Key=key, UploadId=upload)
    assert unfinished(local, "half") == []
    # Three files were begun before: the sixth is the third of this one.
    code, message = refusal(local, "slow")
    assert code == "QueryExecutionException"
    assert message.startswith("We have detected that Amazon S3 is throttling the writes from UNLOAD command.")
    assert len(keys(local, "slow")) == 2 and len(unfinished(local, "slow")) == 1
    assert unload(local, "well")[0] == 100 and unfinished(local, "well") == []


def test_eight_at_once_take_their_time_and_no_cpu(start):
    # Two polls are throttled: boto3 waits at most 1 s and then 2 s, of the 4 s that an UNLOAD takes.
    local = start("--unload_seconds", "240", "--time_scale", "60", "--unload_rate", "1", "--fail",
                  "Query:40:ThrottlingException", "--fail", "Query:60:ThrottlingException")
    client = local.client("timestream-query", retries={"total_max_attempts": 10, "mode": "standard"})

    def one(folder):
        pages = list(client.get_paginator("query").paginate(QueryString=sql(folder)))
        return pages[-1]["Rows"][0]["Data"][0]["ScalarValue"], len(pages)

    def cpu_seconds():
        fields = pathlib.Path(f"/proc/{local.process.pid}/stat").read_text().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    before, begin = cpu_seconds(), time.monotonic()
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        results = list(pool.map(one, "abcdefgh"))
    took = time.monotonic() - begin
    assert [rows for rows, _ in results] == ["100"] * 8
    assert min(pages for _, pages in results) >= 3
    assert took >= 3.9
    with urllib.request.urlopen(local.endpoint + "/ts-local/fail", timeout=60) as answer:
        assert [rule["struck"] for rule in json.load(answer)["rules"]] == [1, 1]
    assert cpu_seconds() - before < 0.3 * took


def test_it_goes_on_when_its_client_is_cut_off(start):
    """The first answer never arrives, and the connection with it; the query does its work all the same."""
    local = start("--unload_seconds", "2", "--fail", "Query:1:reset+after")
    with pytest.raises(botocore.exceptions.HTTPClientError):
        local.client("timestream-query", retries=ONCE).query(QueryString=sql("cut"))
    assert not any("manifest" in key for key in keys(local, "cut"))
    wait_for(lambda: any("manifest" in key for key in keys(local, "cut")))


def test_many_files_are_closed_again(start):
    """A hundred partitions at once, over and over: no descriptor stays open."""
    local = start()
    now = time.time_ns()
    rows = "time,measure_name,city,n:bigint\n" + "".join(
        f"{now - i - 1},m,c{i % 100:02},{i}\n" for i in range(5000))
    assert local.load("db", "t", rows) == {"ingested": 5000, "rejected": 0, "rejections": []}
    statement = ("UNLOAD (SELECT n, city AS \"partition_city\" FROM \"db\".\"t\" WHERE n IS NOT NULL) TO "
                 "'s3://unloads/many{}' WITH (compression = 'GZIP', partitioned_by = ARRAY['partition_city'])")
    client = local.client("timestream-query")

    def run(i):
        pages = list(client.get_paginator("query").paginate(QueryString=statement.format(i)))
        assert pages[-1]["Rows"][0]["Data"][0]["ScalarValue"] == "5000"

    def descriptors():
        return len(list(pathlib.Path(f"/proc/{local.process.pid}/fd").iterdir()))

    with concurrent.futures.ThreadPoolExecutor(12) as pool:  # 1,200 open files, beyond the usual limit
        list(pool.map(run, range(12)))
        before = descriptors()
        list(pool.map(run, range(12, 24)))
    assert descriptors() <= before + 12  # connections of the pool
    assert len(keys(local, "many3")) == 100 + 2


def test_it_goes_on_without_its_client(start):
    local = start("--unload_seconds_per_million_rows", "5000")
    page = local.client("timestream-query").query(QueryString=sql("alone"))
    assert page["NextToken"] and not any("manifest" in key for key in keys(local, "alone"))
    wait_for(lambda: any("manifest" in key for key in keys(local, "alone")))
    assert len(keys(local, "alone")) == 5 + 2


def test_a_cancelled_one_leaves_no_manifest(start):
    local = start("--unload_seconds_per_million_rows", str(30e6))
    client = local.client("timestream-query", retries=ONCE)
    page = client.query(QueryString=sql("gone"))
    assert "is being cancelled" in client.cancel_query(QueryId=page["QueryId"])["CancellationMessage"]
    with pytest.raises(client.exceptions.ConflictException):
        client.query(QueryString=sql("gone"), NextToken=page["NextToken"])
    wait_for(lambda: "already completed" in client.cancel_query(QueryId=page["QueryId"])["CancellationMessage"])
    assert not any("manifest" in key for key in keys(local, "gone"))
