"""The library's S3, STS, SNS and Timestream calls before a judge that is not ours: moto behind a gate
that recomputes every signature with botocore over the raw request line, and that can be told to
serve some regions only or to have another clock. The judge lies beside the project
(../shared/tools/strict_aws.py); without it, or without moto, these tests are skipped loudly."""

import os
import pathlib
import re
import subprocess

import pytest
from strict_judge import KEY, SECRET, StrictJudge, program_environment

ROOT = pathlib.Path(__file__).resolve().parents[2]
CALLS = pathlib.Path(os.environ.get("TS_BUILD_DIR", ROOT / "build")) / "bin" / "judge_calls"
WRONG = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYWRONGKEY02"
TOPIC = "arn:aws:sns:us-east-1:123456789012:judge"

OBJECT_CALLS = ["PutObject", "HeadObject", "GetObject", "GetObject range", "CopyObject",
                "GetObject copy", "ListObjectsV2", "DeleteObject", "GetObject after delete"]
OTHER_CALLS = ["GetCallerIdentity", "HeadBucket of none", "CreateBucket", "CreateBucket dotted",
               "HeadBucket", "GetBucketPolicy of none", "PutBucketPolicy", "GetBucketPolicy",
               "PutObject large", "GetObject large", "PutObject if absent",
               "PutObject if absent, again", "ListObjectsV2 paged", "ListObjectsV2 delimiter",
               "DescribeDatabase of none", "CreateDatabase", "DescribeDatabase", "ListDatabases",
               "CreateTable", "DescribeTable", "ListTables", "WriteRecords", "Query", "Publish"]
ODD_KEYS = ["a//b", "../x", "./y/.", " lead", "trail ", "ü", "a+b", "a%20b", "/lead", "a:b",
            "part=1/x", "part=1/x:y", "q?a=1&b#c", "til~de_(1)'*!", "日本/語.csv", "tab\there"]


@pytest.fixture
def start_judge(tmp_path):
    if not CALLS.exists():
        pytest.fail(f"{CALLS} is not built (TS_BUILD_DIR names the build directory)")
    running = []

    def start():
        running.append(StrictJudge(tmp_path))
        running[-1].client("sns").create_topic(Name="judge")
        return running[-1]

    yield start
    for one in running:
        one.close()


@pytest.fixture
def judge(start_judge):
    return start_judge()


def run_calls(judge, region, *arguments, secret=SECRET, **environment):
    clean = program_environment(
        AWS_ENDPOINT_URL=judge.url, AWS_ACCESS_KEY_ID=KEY, AWS_SECRET_ACCESS_KEY=secret, AWS_REGION=region,
        AWS_CONFIG_FILE=os.devnull, AWS_SHARED_CREDENTIALS_FILE=os.devnull, AWS_EC2_METADATA_DISABLED="true",
        JUDGE_TOPIC_ARN=TOPIC)
    return subprocess.run([str(CALLS), *arguments], env={**clean, **environment},
                          capture_output=True, timeout=120, check=False, encoding="utf-8")


def assert_all_ok(done):
    lines = done.stdout.splitlines()
    bad = [line for line in lines if not line.startswith("ok ")]
    assert bad == [] and lines and done.returncode == 0, done.stdout + done.stderr
    return lines


@pytest.mark.parametrize("region", ["us-east-1", "eu-west-1"])
def test_every_call_is_accepted(judge, region):
    lines = assert_all_ok(run_calls(judge, region))
    for call in OTHER_CALLS:
        assert f"ok {call}" in lines
    for key in ODD_KEYS:
        for call in OBJECT_CALLS:
            assert f"ok {call} [{key}]" in lines
    # Nothing that was sent was refused.
    assert judge.refusals() == 0
    assert "GATE MISMATCH" not in judge.log_file.read_text(errors="replace")
    verified = judge.verified()
    assert {entry["svc"] for entry in verified} == {"s3", "sts", "sns", "timestream"}
    assert {entry["region"] for entry in verified if entry["svc"] != "sns"} == {region}
    # S3 bodies are signed, each by its hash.
    hashes = [entry["payload"] for entry in verified if entry["svc"] == "s3"]
    assert hashes and all(len(value) == 64 for value in hashes)
    targets = [entry["target"].removeprefix("Timestream_20181101.") for entry in verified
               if entry["svc"] == "timestream"]
    assert set(targets) == {
        "CreateDatabase", "DescribeDatabase", "ListDatabases", "CreateTable", "DescribeTable",
        "ListTables", "WriteRecords", "Query", "DescribeEndpoints"}
    # Once for Write and once for Query.
    assert targets.count("DescribeEndpoints") == 2


STATE_CALLS = ["GetObject times", "PutObject if match", "PutObject if match, changed",
               "DeleteObject if match, changed", "HeadObject times", "DeleteObject if match",
               "PutObject if match, gone", "ListMultipartUploads"]


def test_what_a_run_with_its_state_in_s3_asks_for(judge):
    s3 = judge.client("s3")
    s3.create_bucket(Bucket="there")
    for key in ODD_KEYS:
        s3.create_multipart_upload(Bucket="there", Key=key)
    before = len(judge.verified())
    lines = assert_all_ok(run_calls(judge, "us-east-1", "state", "there"))
    for key in ODD_KEYS:
        for call in STATE_CALLS:
            assert f"ok {call} [{key}]" in lines
    assert "Uploads" not in s3.list_multipart_uploads(Bucket="there")
    assert judge.refusals() == 0
    posts = [entry for entry in judge.verified()[before:] if entry["method"] == "POST"]
    assert len(posts) == 2 and all(entry["path"].startswith("/there?delete") for entry in posts)


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


def test_timestream_calls_go_to_the_discovered_address(start_judge):
    regional, cell = start_judge(), start_judge()
    regional.configure(advertise=cell.url)
    assert_all_ok(run_calls(regional, "us-east-1", "timestream"))

    def targets(judge):
        return [entry["target"].removeprefix("Timestream_20181101.") for entry in judge.verified()
                if entry["svc"] == "timestream"]

    assert targets(regional) == ["DescribeEndpoints", "DescribeEndpoints"]
    assert "DescribeEndpoints" not in targets(cell)
    assert {"CreateDatabase", "WriteRecords", "Query"} <= set(targets(cell))
    assert regional.refusals() == cell.refusals() == 0


@pytest.mark.parametrize("mode, refusals", [
    # The refusal of a PUT names the region in its body; that of a HEAD has none, so the bucket is
    # asked, by a GET whose refusal says it.
    ("objects", ["PUT"]),
    ("head", ["HEAD", "HEAD", "GET"]),
])
def test_a_bucket_of_another_region_is_found_once(judge, mode, refusals):
    judge.client("s3", "eu-west-1").create_bucket(
        Bucket="there", CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
    judge.configure(regions=["eu-west-1"])
    before = len(judge.verified())
    lines = assert_all_ok(run_calls(judge, "us-east-1", mode, "there"))
    assert len(lines) >= len(OBJECT_CALLS)
    # One call went astray, all others straight to the right region.
    assert [method for method, _, status in judge.requests() if status == "400"] == refusals
    assert judge.refusals() == len(refusals)
    verified = judge.verified()[before:]
    assert len(verified) >= len(OBJECT_CALLS)
    assert {entry["region"] for entry in verified} == {"eu-west-1"}


@pytest.mark.parametrize("offset", [600, -600])
@pytest.mark.parametrize("mode", [[], ["timestream"], ["objects", "there"], ["head", "there"]],
                         ids=lambda mode: mode[0] if mode else "all")
def test_a_clock_that_is_ten_minutes_off_costs_one_refusal(judge, offset, mode):
    judge.client("s3").create_bucket(Bucket="there")
    judge.configure(clock_offset=offset, skew=300)
    assert_all_ok(run_calls(judge, "us-east-1", *mode))
    assert judge.refusals() == 1
    assert "GATE MISMATCH" not in judge.log_file.read_text(errors="replace")


def test_identity_tells_source_and_caller(judge):
    done = run_calls(judge, "us-east-1", "identity")
    assert done.returncode == 0, done.stderr
    assert re.fullmatch(r"source=.*environment.* account=\d{12} arn=arn:aws:\S+\n", done.stdout)
    assert [entry["svc"] for entry in judge.verified()].count("sts") == 1
    assert SECRET not in done.stdout + done.stderr
