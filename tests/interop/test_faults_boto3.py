"""ts-local's failures on demand, as boto3 meets them: --fail and /ts-local/fail."""

import json
import socket
import subprocess
import time
import urllib.error
import urllib.request

import botocore.exceptions
import pytest

SELECT = {"QueryString": "SELECT 1"}
ONCE = {"total_max_attempts": 1, "mode": "standard"}


def fail(local, *rules, method="POST"):
    body = json.dumps({"rules": rules}).encode() if method == "POST" else None
    request = urllib.request.Request(local.endpoint + "/ts-local/fail", data=body, method=method)
    with urllib.request.urlopen(request, timeout=60) as answer:
        return json.load(answer)["rules"]


@pytest.fixture
def faulty(ts_local):
    yield ts_local
    fail(ts_local, method="DELETE")


def refusal(call, **arguments):
    with pytest.raises(botocore.exceptions.ClientError) as error:
        call(**arguments)
    answer = error.value.response
    return answer["ResponseMetadata"]["HTTPStatusCode"], answer["Error"]["Code"]


def test_errors_in_each_services_words(faulty, bucket):
    s3, query, sts = (faulty.client(service, retries=ONCE) for service in ("s3", "timestream-query", "sts"))
    put = {"Bucket": bucket, "Key": "k", "Body": b"x"}
    fail(faulty, "PutObject:2-3:SlowDown", "Query:1:ThrottlingException", "Query:2:InternalServerException",
         "GetCallerIdentity:1:ExpiredToken", "HeadObject:1:ServiceUnavailable")
    s3.put_object(**put)
    assert refusal(s3.put_object, **put) == (503, "SlowDown")
    assert refusal(s3.put_object, **put) == (503, "SlowDown")
    s3.put_object(**put)
    s3.copy_object(Bucket=bucket, Key="c", CopySource=f"{bucket}/k")
    assert refusal(query.query, **SELECT) == (400, "ThrottlingException")
    with pytest.raises(query.exceptions.InternalServerException):
        query.query(**SELECT)
    assert query.query(**SELECT)["Rows"]
    assert refusal(sts.get_caller_identity) == (403, "ExpiredToken")
    assert refusal(s3.head_object, Bucket=bucket, Key="k") == (503, "503")  # a HEAD has no body to say more
    struck = {rule["rule"]: (rule["calls"], rule["struck"]) for rule in fail(faulty, method="GET")}
    assert struck["PutObject:2-3:SlowDown"] == (4, 2) and struck["Query:1:ThrottlingException"] == (3, 1)


def test_botos_own_retries_get_over_them(faulty):
    fail(faulty, "Query:1:ThrottlingException", "Query:2:InternalServerException", "Query:3:reset")
    client = faulty.client("timestream-query", retries={"max_attempts": 5, "mode": "standard"})
    answer = client.query(**SELECT)
    assert answer["Rows"] and answer["ResponseMetadata"]["RetryAttempts"] == 3


@pytest.mark.parametrize("after", [False, True])
@pytest.mark.parametrize("what", ["reset", "InternalError"])
def test_before_and_after_the_effect(faulty, bucket, what, after):
    s3 = faulty.client("s3", retries=ONCE)
    fail(faulty, f"PutObject:1:{what}{'+after' if after else ''}")
    with pytest.raises((botocore.exceptions.ClientError, botocore.exceptions.HTTPClientError)) as error:
        s3.put_object(Bucket=bucket, Key="k", Body=b"x")
    assert isinstance(error.value, botocore.exceptions.HTTPClientError) == (what == "reset")
    assert ("Contents" in s3.list_objects_v2(Bucket=bucket)) == after


def test_hang_and_slow(start_ts_local):
    local = start_ts_local("--fail", "Query:1:hang", "--fail", "Query:2:slow=400")
    client = local.client("timestream-query", read_timeout=0.3, connect_timeout=10, retries=ONCE)
    with pytest.raises(botocore.exceptions.ReadTimeoutError):
        client.query(**SELECT)
    begin = time.monotonic()
    assert local.client("timestream-query", retries=ONCE).query(**SELECT)["Rows"]
    assert time.monotonic() - begin >= 0.4
    fail(local, "ListObjectsV2:1:slow=300")
    begin = time.monotonic()  # a refusal is as late as an answer would be
    assert refusal(local.client("s3", retries=ONCE).list_objects_v2, Bucket="no-such-bucket") == (404, "NoSuchBucket")
    assert time.monotonic() - begin >= 0.3
    fail(local, "Query:1:hang")
    with socket.create_connection(("127.0.0.1", int(local.endpoint.rsplit(":", 1)[1]))) as hung:
        hung.sendall(b"POST / HTTP/1.1\r\nHost: x\r\nX-Amz-Target: Timestream_20181101.Query\r\n"
                     b"Content-Length: 2\r\n\r\n{}")
        while not fail(local, method="GET")[-1]["struck"]:
            time.sleep(0.01)
        assert local.stop() == 0  # a call that hangs does not hold up the end


def test_wrong_rules_are_refused(start_ts_local, ts_local):
    program = ts_local.process.args[0]
    done = subprocess.run([program, "--dir", "unused", "--fail", "Query:1:SlowDown"], capture_output=True, text=True)
    assert done.returncode == 2 and "character 9" in done.stderr and "ThrottlingException" in done.stderr
    with pytest.raises(urllib.error.HTTPError) as error:
        fail(ts_local, "Query:one:reset")
    assert error.value.code == 400 and "character 7" in json.load(error.value)["error"]
    assert fail(ts_local, method="GET") == []


def test_a_rule_for_all_counts_only_services_that_know_the_error(faulty):
    fail(faulty, "*:1:AccessDenied")
    assert faulty.client("timestream-query").query(**SELECT)["Rows"]
    assert refusal(faulty.client("s3", retries=ONCE).list_buckets) == (403, "AccessDenied")
    faulty.client("s3", retries=ONCE).list_buckets()
