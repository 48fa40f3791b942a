"""What an operator can get wrong: one clear line each, and the documented exit code (README, "Exit codes")."""

import json
import socket
import subprocess

import pytest
from e2e_harness import SMALL_MODEL, changed, check_no_report, expect


def the_line(result, *parts):
    """The error is one line on stderr that holds every part; nothing looks like a crash."""
    lines = [line for line in result.stderr.splitlines() if all(part.lower() in line.lower() for part in parts)]
    assert len(lines) >= 1, f"no line with {parts} in:\n{result.stderr}"
    assert "terminate called" not in result.stderr and "what():" not in result.stderr
    return lines[0]


@pytest.mark.parametrize("program", ["ts-unload", "ts-batchload"])
def test_wrong_flag(small, program):
    flags = small.unload_flags() if program == "ts-unload" else small.load_flags()
    the_line(expect(small.local.run(program, *flags, "--partitoin", "day"), 2), "--partitoin")


@pytest.mark.parametrize("flag,value", [("--partition", "week"), ("--from_time", "yesterday"), ("--s3_uri", "bucket/x"),
                                        ("--iam_role_arn", "BatchLoadRole"), ("--database", "")])
def test_wrong_value_of_unload(small, flag, value):
    the_line(expect(small.local.run("ts-unload", *changed(small.unload_flags(), flag, value)), 2), flag)


@pytest.mark.parametrize("flag,value", [("--num_of_batchload_threads", "6"), ("--num_of_batchload_threads", "0"),
                                        ("--memory_store_retenion_in_hours", "x"),
                                        ("--magnetic_store_retention_in_days", "73001"),
                                        ("--sns_topic_arn", "topic"), ("--multi_part_upload_chunk", "7")])
def test_wrong_value_of_batchload(small, flag, value):
    the_line(expect(small.local.run("ts-batchload", *changed(small.load_flags(), flag, value)), 2), flag)


def test_missing_required_flag(small):
    the_line(expect(small.local.run("ts-unload", "--region", "us-east-1", "--table", "readings"), 2), "--database")
    the_line(expect(small.local.run("ts-batchload", "--region", "us-east-1", "--copy_s3_bucket"), 2), "--s3_source_bucket_location")


def test_missing_file(small, tmp_path):
    flags = changed(small.load_flags(), "--data_model_file", tmp_path / "absent.json")
    result = expect(small.local.run("ts-batchload", *flags), 2)
    the_line(result, "absent.json")


@pytest.mark.parametrize("text,named", [
    ("{ not json", "model.json"),
    (json.dumps({**SMALL_MODEL, "TimeUnit": "FORTNIGHTS"}), "TimeUnit"),
    (json.dumps({**SMALL_MODEL, "DimensionMappings": []}), "DimensionMappings"),
    (json.dumps({name: value for name, value in SMALL_MODEL.items() if name != "MultiMeasureMappings"}), "Measure"),
    (json.dumps({**SMALL_MODEL, "DimensionMapping": []}), "DimensionMapping"),
], ids=["syntax", "enum", "empty", "absent", "unknown"])
def test_malformed_data_model_is_refused_before_any_request(small, text, named):
    small.model.write_text(text)
    with socket.create_server(("127.0.0.1", 0)) as deaf:  # a request to it would hang, not fail
        deaf.settimeout(0.1)
        port = deaf.getsockname()[1]
        the_line(expect(small.load(endpoint=f"http://127.0.0.1:{port}", timeout=20), 2), named)
        with pytest.raises(TimeoutError):
            deaf.accept()


def test_unknown_table(small):
    result = expect(small.local.run("ts-unload", *changed(small.unload_flags(), "--table", "nowhere")), 2)
    the_line(result, "nowhere")
    assert small.local.keys(small.bucket, small.region) == []
    expect(small.unload(), 0)
    flags = [flag for flag in small.load_flags() if flag != "--create_timestream_resource"]
    the_line(expect(small.local.run("ts-batchload", *changed(flags, "--partition_key")), 2), "target")


def test_missing_bucket(small):
    result = expect(small.local.run("ts-unload", *changed(small.unload_flags(), "--s3_uri", "s3://absent-bucket/u")), 2)
    the_line(result, "absent-bucket")


def deny(small, bucket, action, key):
    policy = {"Version": "2012-10-17", "Statement": [{"Sid": "Forbidden", "Effect": "Deny", "Principal": "*",
                                                      "Action": action, "Resource": f"arn:aws:s3:::{bucket}/{key}"}]}
    small.local.client("s3", small.region).put_bucket_policy(Bucket=bucket, Policy=json.dumps(policy))


def test_a_forbidden_key_among_many_fails_its_group_only(small):
    """A Deny on one source file: the other folders arrive, the forbidden one is listed, exit 1; without it all is well."""
    expect(small.unload(), 0)
    files = sorted(key for key in small.local.keys(small.bucket, small.region, "u/results/") if key.endswith(".csv"))
    forbidden = files[1]
    deny(small, small.bucket, "s3:GetObject", forbidden)
    result = expect(small.load(), 1)
    the_line(result, forbidden.split("/")[-1])
    assert "AccessDenied" in result.stderr or "denied" in result.stderr.lower()
    day = forbidden.split("partition_date=")[1].split("/")[0]
    arrived = {dict(row)["time"][:10] for row in small.loaded()}
    assert arrived == {dict(row)["time"][:10] for row in small.source} - {day}
    small.local.client("s3", small.region).delete_bucket_policy(Bucket=small.bucket)
    expect(small.local.run("ts-batchload", "resume", "last", "--poll_interval", "0.1", "--start_interval", "0.05"), 0)
    assert small.loaded() == small.source


def test_unload_into_a_forbidden_place(small):
    deny(small, small.bucket, "s3:PutObject", "u/results/*")
    result = small.unload()
    assert result.returncode in (3, 5), result.stderr
    the_line(result, "denied")


@pytest.mark.parametrize("program", ["ts-unload", "ts-batchload"])
def test_no_credentials(small, program):
    flags = small.unload_flags() if program == "ts-unload" else small.load_flags()
    result = expect(small.local.run(program, *flags, AWS_ACCESS_KEY_ID=None, AWS_SECRET_ACCESS_KEY=None), 3)
    the_line(result, "credentials", "AWS_ACCESS_KEY_ID")


@pytest.mark.parametrize("program", ["ts-unload", "ts-batchload"])
def test_wrong_secret(small, program):
    flags = small.unload_flags() if program == "ts-unload" else small.load_flags()
    result = expect(small.local.run(program, *flags, AWS_SECRET_ACCESS_KEY="wrong-secret-0815"), 3)
    assert "SignatureDoesNotMatch" in result.stderr or "InvalidSignatureException" in result.stderr or \
        "403" in result.stderr, result.stderr
    assert "wrong-secret-0815" not in result.stderr + result.stdout


def test_no_region(small):
    the_line(expect(small.local.run("ts-unload", *changed(small.unload_flags(), "--region")), 3), "region")


@pytest.mark.parametrize("program", ["ts-unload", "ts-batchload"])
def test_refused_connection(small, program):
    flags = small.unload_flags() if program == "ts-unload" else small.load_flags()
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]  # free again, and nobody listens, once this block is left
    result = expect(small.local.run(program, *flags, endpoint=f"http://127.0.0.1:{port}", timeout=60), 5)
    the_line(result, f"127.0.0.1:{port}")


@pytest.mark.parametrize("program", ["ts-unload", "ts-batchload"])
def test_stdout_on_a_full_disk(small, program):
    flags = small.unload_flags()
    if program == "ts-batchload":
        expect(small.unload(), 0)
        flags = small.load_flags()
    with open("/dev/full", "w", encoding="utf-8") as full:
        process = small.local.popen(program, *flags, stdout=full)
        _, stderr = process.communicate(timeout=120)
    result = check_no_report(subprocess.CompletedProcess(process.args, process.returncode, "", stderr))
    the_line(expect(result, 3), "no space left")


def test_version_and_help(local):
    for program in ("ts-unload", "ts-batchload"):
        assert expect(local.run(program, "--version"), 0).stdout.strip()
        text = expect(local.run(program, "--help"), 0).stdout
        assert "--region" in text and "--endpoint-url" in text
