"""The library's S3, STS, SNS and Timestream Write calls before a judge that is not ours: moto behind
a gate that recomputes every signature with botocore over the raw request line. The judge lies beside
the project (../shared/tools/strict_aws.py); without it, or without moto, these tests are skipped
loudly."""

import json
import os
import pathlib
import socket
import subprocess
import sys
import time
import urllib.request

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
JUDGE = ROOT.parent / "shared" / "tools" / "strict_aws.py"
CALLS = pathlib.Path(os.environ.get("TS_BUILD_DIR", ROOT / "build")) / "bin" / "judge_calls"
KEY = "AKIAJUDGEEXAMPLE0001"
SECRET = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYJUDGEKEY01"
WRONG = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYWRONGKEY02"
TOPIC = "arn:aws:sns:us-east-1:123456789012:judge"

OBJECT_CALLS = ["PutObject", "HeadObject", "GetObject", "GetObject range", "CopyObject",
                "GetObject copy", "ListObjectsV2", "DeleteObject", "GetObject after delete"]
OTHER_CALLS = ["GetCallerIdentity", "HeadBucket of none", "CreateBucket", "CreateBucket dotted",
               "HeadBucket", "GetBucketPolicy of none", "PutBucketPolicy", "GetBucketPolicy",
               "PutObject large", "GetObject large", "PutObject if absent",
               "PutObject if absent, again", "ListObjectsV2 paged", "ListObjectsV2 delimiter",
               "DescribeDatabase of none", "CreateDatabase", "DescribeDatabase", "ListDatabases",
               "CreateTable", "DescribeTable", "ListTables", "WriteRecords", "Publish"]
ODD_KEYS = ["a//b", "../x", "./y/.", " lead", "trail ", "ü", "a+b", "a%20b", "/lead", "part=1/x:y",
            "q?a=1&b#c", "til~de_(1)'*!", "日本/語.csv", "tab\there"]


def ask(url, body=None):
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(url, data=data, headers={"Content-Type": "text/plain"})
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with opener.open(request, timeout=10) as answer:
        return answer.read().decode()


@pytest.fixture
def judge(tmp_path):
    """A fresh judge with one registered key and one topic; its URL."""
    if not JUDGE.exists():
        pytest.skip("SKIPPED LOUDLY: ../shared/tools/strict_aws.py is absent: no third party judges "
                    "the signatures")
    pytest.importorskip("moto", reason="SKIPPED LOUDLY: moto[server] is not installed")
    boto3 = pytest.importorskip("boto3", reason="SKIPPED LOUDLY: boto3 is not installed")
    if not CALLS.exists():
        pytest.fail(f"{CALLS} is not built (TS_BUILD_DIR names the build directory)")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    url = f"http://127.0.0.1:{port}"
    with open(tmp_path / "judge.log", "wb") as log:
        process = subprocess.Popen([sys.executable, str(JUDGE), str(port)], stdout=log, stderr=log)
    try:
        deadline = time.monotonic() + 60
        while True:
            try:
                ask(f"{url}/gate/keys", {"ak": KEY, "sk": SECRET, "token": None})
                break
            except OSError:
                text = (tmp_path / "judge.log").read_text()
                if process.poll() is not None or time.monotonic() > deadline:
                    pytest.fail("the judge does not start:\n" + text)
                time.sleep(0.1)
        boto3.client("sns", endpoint_url=url, region_name="us-east-1", aws_access_key_id=KEY,
                     aws_secret_access_key=SECRET).create_topic(Name="judge")
        yield url
    finally:
        process.terminate()
        process.wait(timeout=10)


def run_calls(url, region, secret=SECRET):
    environment = {name: value for name, value in os.environ.items()
                   if not name.startswith("AWS_") and not name.lower().endswith("_proxy")}
    environment.update(AWS_ENDPOINT_URL=url, AWS_ACCESS_KEY_ID=KEY, AWS_SECRET_ACCESS_KEY=secret,
                       AWS_REGION=region, JUDGE_TOPIC_ARN=TOPIC)
    return subprocess.run([str(CALLS)], env=environment, capture_output=True, timeout=120,
                          check=False, encoding="utf-8")


@pytest.mark.parametrize("region", ["us-east-1", "eu-west-1"])
def test_every_call_is_accepted(judge, region):
    done = run_calls(judge, region)
    lines = done.stdout.splitlines()
    refused = [line for line in lines if not line.startswith("ok ")]
    assert refused == [] and done.returncode == 0, done.stdout + done.stderr
    for call in OTHER_CALLS:
        assert f"ok {call}" in lines
    for key in ODD_KEYS:
        for call in OBJECT_CALLS:
            assert f"ok {call} [{key}]" in lines
    verified = [entry for entry in json.loads(ask(f"{judge}/gate/log")) if entry["ak"] == KEY]
    assert {entry["svc"] for entry in verified} == {"s3", "sts", "sns", "timestream"}
    assert {entry["region"] for entry in verified if entry["svc"] != "sns"} == {region}
    # S3 bodies are signed, each by its hash.
    hashes = [entry["payload"] for entry in verified if entry["svc"] == "s3"]
    assert hashes and all(len(value) == 64 for value in hashes)
    targets = {entry["target"] for entry in verified if entry["svc"] == "timestream"}
    assert targets == {f"Timestream_20181101.{name}" for name in (
        "CreateDatabase", "DescribeDatabase", "ListDatabases", "CreateTable", "DescribeTable",
        "ListTables", "WriteRecords")}


def test_a_wrong_secret_ends_in_the_services_code(judge):
    done = run_calls(judge, "us-east-1", secret=WRONG)
    assert done.returncode == 1
    lines = dict(line.split(": ", 1) for line in done.stdout.splitlines() if ": " in line)
    assert not any(line.startswith("ok ") for line in done.stdout.splitlines())
    assert "SignatureDoesNotMatch" in lines["FAILED GetCallerIdentity"]
    assert "SignatureDoesNotMatch" in lines["FAILED PutObject large"]
    assert "SignatureDoesNotMatch" in lines["FAILED Publish"]
    assert "InvalidSignatureException" in lines["FAILED CreateDatabase"]
    assert WRONG not in done.stdout + done.stderr
    assert SECRET not in done.stdout + done.stderr
