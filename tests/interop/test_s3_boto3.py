"""S3, STS and SNS of ts-local as boto3 and the aws CLI see them, and what its signature check refuses."""

import concurrent.futures
import email.utils
import hashlib
import io
import json
import os
import pathlib
import signal
import subprocess
import urllib.error
import urllib.request

import botocore.exceptions
import pytest

ODD_KEYS = [
    "plain.csv",
    "a+b",
    "ü",
    "part=1/x",
    "a%20b",
    "a//b",
    "../x",
    " lead and trail ",
    "a:b",
    "q?u#e&ry=1",
    "emoji-😀",
    "/slash",
    "dot/./dot/../x",
    "quote\"'<>&",
    "star*(paren)!~$@,;",
    "back\\slash|pipe^`{}[]",
    "tab\tline",
    "trailing/",
    "k" * 1024,
]


def code_of(error):
    return error.value.response["Error"]["Code"]


def status_of(error):
    return error.value.response["ResponseMetadata"]["HTTPStatusCode"]


@pytest.mark.parametrize("key", ODD_KEYS)
def test_any_key_goes_round(client, bucket, key):
    s3 = client("s3")
    body = key.encode() * 3
    put = s3.put_object(Bucket=bucket, Key=key, Body=body, Metadata={"note": "x y"})
    assert put["ETag"] == f'"{hashlib.md5(body).hexdigest()}"'
    got = s3.get_object(Bucket=bucket, Key=key)
    assert got["Body"].read() == body
    assert got["Metadata"] == {"note": "x y"}
    assert s3.head_object(Bucket=bucket, Key=key)["ContentLength"] == len(body)
    assert [o["Key"] for o in s3.list_objects_v2(Bucket=bucket)["Contents"]] == [key]
    assert [o["Key"] for o in s3.list_objects_v2(Bucket=bucket, Prefix=key)["Contents"]] == [key]
    if key != "k" * 1024:
        s3.copy_object(Bucket=bucket, Key=key + "2", CopySource={"Bucket": bucket, "Key": key})
        assert s3.get_object(Bucket=bucket, Key=key + "2")["Body"].read() == body
    s3.delete_object(Bucket=bucket, Key=key)
    with pytest.raises(botocore.exceptions.ClientError) as error:
        s3.get_object(Bucket=bucket, Key=key)
    assert code_of(error) == "NoSuchKey"


def test_listing_pages_folders_and_order(client, bucket):
    s3 = client("s3")
    keys = [f"d{i % 7}/k{i:03}" for i in range(60)] + ["top", "é", "z"]
    for key in keys:
        s3.put_object(Bucket=bucket, Key=key, Body=b"")
    expected = sorted(keys, key=lambda k: k.encode())
    for operation in ("list_objects_v2", "list_objects"):
        for size in (1, 7, 1000):
            pages = s3.get_paginator(operation).paginate(Bucket=bucket, PaginationConfig={"PageSize": size})
            assert [o["Key"] for page in pages for o in page.get("Contents", [])] == expected
            folders, objects = [], []
            for page in s3.get_paginator(operation).paginate(
                Bucket=bucket, Delimiter="/", PaginationConfig={"PageSize": size}
            ):
                folders += [p["Prefix"] for p in page.get("CommonPrefixes", [])]
                objects += [o["Key"] for o in page.get("Contents", [])]
            assert folders == [f"d{i}/" for i in range(7)], (operation, size)
            assert objects == ["top", "z", "é"], (operation, size)
    after = s3.list_objects_v2(Bucket=bucket, StartAfter="d6/k055", MaxKeys=2)
    assert [o["Key"] for o in after["Contents"]] == ["top", "z"] and after["IsTruncated"]
    with pytest.raises(botocore.exceptions.ClientError) as error:
        s3.list_objects_v2(Bucket=bucket, ContinuationToken="made-up")
    assert code_of(error) == "InvalidArgument"


def test_ranges_and_conditions(client, bucket):
    s3 = client("s3")
    etag = s3.put_object(Bucket=bucket, Key="k", Body=b"0123456789")["ETag"]

    def read(**how):
        return s3.get_object(Bucket=bucket, Key="k", **how)["Body"].read()

    assert read(Range="bytes=2-4") == b"234"
    assert read(Range="bytes=7-") == b"789"
    assert read(Range="bytes=-3") == b"789"
    assert read(Range="bytes=8-100") == b"89"
    assert read(Range="lines=1-2") == b"0123456789"
    assert s3.get_object(Bucket=bucket, Key="k", Range="bytes=2-4")["ContentRange"] == "bytes 2-4/10"
    for how, code in (
        ({"Range": "bytes=10-"}, "InvalidRange"),
        ({"IfMatch": '"0"'}, "PreconditionFailed"),
        ({"IfNoneMatch": etag}, "304"),
    ):
        with pytest.raises(botocore.exceptions.ClientError) as error:
            read(**how)
        assert code_of(error) == code
    assert read(IfMatch=etag) == b"0123456789"

    with pytest.raises(botocore.exceptions.ClientError) as error:
        s3.put_object(Bucket=bucket, Key="k", Body=b"other", IfNoneMatch="*")
    assert code_of(error) == "PreconditionFailed"
    with pytest.raises(botocore.exceptions.ClientError) as error:
        s3.put_object(Bucket=bucket, Key="k", Body=b"other", IfMatch='"0"')
    assert code_of(error) == "PreconditionFailed"
    s3.put_object(Bucket=bucket, Key="k", Body=b"other", IfMatch=etag)
    with pytest.raises(botocore.exceptions.ClientError) as error:
        s3.copy_object(
            Bucket=bucket, Key="c", CopySource={"Bucket": bucket, "Key": "k"}, CopySourceIfMatch=etag
        )
    assert code_of(error) == "PreconditionFailed"


def refused(call, code, status):
    with pytest.raises(botocore.exceptions.ClientError) as error:
        call()
    assert (code_of(error), status_of(error)) == (code, status)


def test_conditions_of_writes_and_deletes(client, bucket):
    s3 = client("s3")
    where = {"Bucket": bucket, "Key": "lock"}
    first = s3.put_object(**where, Body=b"1", IfNoneMatch="*")["ETag"]
    second = s3.put_object(**where, Body=b"2", IfMatch=first)["ETag"]
    assert second != first
    refused(lambda: s3.put_object(**where, Body=b"3", IfMatch=first), "PreconditionFailed", 412)
    refused(lambda: s3.delete_object(**where, IfMatch=first), "PreconditionFailed", 412)
    refused(lambda: s3.put_object(**where, Body=b"3", IfNoneMatch='"x"'), "NotImplemented", 501)
    refused(lambda: s3.delete_object(**where, IfMatchSize=1), "NotImplemented", 501)
    assert s3.get_object(**where)["Body"].read() == b"2"
    s3.delete_object(**where, IfMatch=second)
    refused(lambda: s3.put_object(**where, Body=b"3", IfMatch=second), "NoSuchKey", 404)
    refused(lambda: s3.delete_object(**where, IfMatch=second), "NoSuchKey", 404)
    s3.delete_object(**where)  # without a condition it is as well


def test_of_many_conditional_writers_one_wins(client, bucket):
    s3 = client("s3", max_pool_connections=8)
    where = {"Bucket": bucket, "Key": "lock"}
    etag = None
    for _ in range(5):
        condition = {"IfNoneMatch": "*"} if etag is None else {"IfMatch": etag}

        def write(number, condition=condition):
            try:
                return s3.put_object(**where, Body=os.urandom(8) + bytes([number]), **condition)["ETag"]
            except botocore.exceptions.ClientError as error:
                assert error.response["Error"]["Code"] == "PreconditionFailed"
                return None

        with concurrent.futures.ThreadPoolExecutor(8) as pool:
            won = [tag for tag in pool.map(write, range(8)) if tag]
        assert len(won) == 1
        etag = won[0]
        assert s3.head_object(**where)["ETag"] == etag


def test_an_objects_age_is_told_by_one_clock(client, bucket):
    s3 = client("s3")
    s3.put_object(Bucket=bucket, Key="k", Body=b"x")
    for call in (s3.get_object, s3.head_object):
        headers = call(Bucket=bucket, Key="k")["ResponseMetadata"]["HTTPHeaders"]
        date, modified = (email.utils.parsedate_to_datetime(headers[n]) for n in ("date", "last-modified"))
        assert 0 <= (date - modified).total_seconds() < 60


def test_many_are_deleted_at_once(client, bucket):
    s3 = client("s3")
    keys = ODD_KEYS + ["cr\rlf\n"]
    for key in keys + ["kept"]:
        s3.put_object(Bucket=bucket, Key=key, Body=b"")
    objects = [{"Key": key} for key in keys] + [{"Key": f"none-{i}"} for i in range(1000 - len(keys))]
    answer = s3.delete_objects(Bucket=bucket, Delete={"Objects": objects, "Quiet": True})
    assert "Deleted" not in answer and "Errors" not in answer
    assert [o["Key"] for o in s3.list_objects_v2(Bucket=bucket)["Contents"]] == ["kept"]
    told = s3.delete_objects(Bucket=bucket, Delete={"Objects": [{"Key": "kept"}, {"Key": "never"}]})
    assert [d["Key"] for d in told["Deleted"]] == ["kept", "never"]

    def delete(*objects):
        return lambda: s3.delete_objects(Bucket=bucket, Delete={"Objects": list(objects)})

    refused(delete(*({"Key": f"k{i}"} for i in range(1001))), "MalformedXML", 400)
    refused(delete({"Key": "bell\x07"}), "MalformedXML", 400)
    refused(delete({"Key": "k", "ETag": '"0"'}), "NotImplemented", 501)
    refused(delete({"Key": "k", "VersionId": "v"}), "NotImplemented", 501)

    def without_checksum(request, **_):
        for name in list(request.headers):
            if name.lower().startswith(("content-md5", "x-amz-checksum", "x-amz-sdk-checksum")):
                del request.headers[name]

    s3.meta.events.register("before-sign.s3.DeleteObjects", without_checksum)
    refused(delete({"Key": "k"}), "InvalidRequest", 400)


def test_multipart_uploads_are_listed_by_page(client, bucket):
    s3 = client("s3")
    keys = ["a b", "a/1", "a/1", "a/1", "a/2", "a/ü+%", "b", "tab\tline"]
    made = sorted((key.encode(), s3.create_multipart_upload(Bucket=bucket, Key=key)["UploadId"]) for key in keys)
    for size in (1, 2, 3, 1000):
        pages = s3.get_paginator("list_multipart_uploads").paginate(
            Bucket=bucket, PaginationConfig={"PageSize": size}
        )
        assert [(u["Key"].encode(), u["UploadId"]) for page in pages for u in page.get("Uploads", [])] == made
    below = s3.list_multipart_uploads(Bucket=bucket, Prefix="a/")["Uploads"]
    assert [(u["Key"].encode(), u["UploadId"]) for u in below] == [one for one in made if one[0].startswith(b"a/")]
    # A key alone starts after every upload of it.
    after = s3.list_multipart_uploads(Bucket=bucket, KeyMarker="a/1")["Uploads"]
    assert [u["Key"] for u in after] == ["a/2", "a/ü+%", "b", "tab\tline"]
    for key, upload in made:
        where = {"Bucket": bucket, "Key": key.decode(), "UploadId": upload}
        s3.abort_multipart_upload(**where)
        refused(lambda where=where: s3.abort_multipart_upload(**where), "NoSuchUpload", 404)
    assert "Uploads" not in s3.list_multipart_uploads(Bucket=bucket)


def test_the_library_finds_what_a_run_with_its_state_in_s3_asks_for(ts_local, client, bucket):
    s3 = client("s3")
    # More than one page of them.
    for i in range(1001):
        s3.create_multipart_upload(Bucket=bucket, Key=f"part=1/ü+{i}")
    program = pathlib.Path(os.environ["TS_BUILD_DIR"]) / "bin" / "judge_calls"
    done = subprocess.run([program, "state", bucket], env=ts_local.environment(), capture_output=True,
                          encoding="utf-8", timeout=120, check=False)
    bad = [line for line in done.stdout.splitlines() if not line.startswith("ok ")]
    assert (bad, done.returncode) == ([], 0), done.stderr
    for call in ("DeleteObjects", "lock of another", "unlock", "journal", "ListMultipartUploads [part=1/ü+1000]"):
        assert f"ok {call}" in done.stdout.splitlines()
    assert "Uploads" not in s3.list_multipart_uploads(Bucket=bucket)
    left = [o["Key"] for o in s3.list_objects_v2(Bucket=bucket)["Contents"]]
    assert left == ["many"] + [f"state/journal/{n}.json" for n in ("0000000003", "0000000012", "header")]


def test_checksums_are_checked(client, bucket):
    s3 = client("s3")
    for wrong in (
        {"ContentMD5": "1B2M2Y8AsgTpgAmY7PhCfg=="},
        {"ChecksumCRC32": "AAAAAA=="},
        {"ChecksumSHA256": "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU="},
    ):
        with pytest.raises(botocore.exceptions.ClientError) as error:
            s3.put_object(Bucket=bucket, Key="k", Body=b"x", **wrong)
        assert code_of(error) == "BadDigest"
    assert "Contents" not in s3.list_objects_v2(Bucket=bucket)
    for algorithm in ("CRC32", "SHA1", "SHA256"):
        put = s3.put_object(Bucket=bucket, Key="k", Body=b"123456789", ChecksumAlgorithm=algorithm)
        assert put[f"Checksum{algorithm}"]
        # A stream: sent in chunks with the checksum in a trailer.
        s3.put_object(Bucket=bucket, Key="k2", Body=io.BytesIO(os.urandom(300_000)), ChecksumAlgorithm=algorithm)


def test_bucket_rules(client):
    us, eu = client("s3"), client("s3", region="eu-west-1")
    us.create_bucket(Bucket="rules-us")
    us.create_bucket(Bucket="rules-us")  # us-east-1 alone says yes twice
    with pytest.raises(botocore.exceptions.ClientError) as error:
        eu.create_bucket(Bucket="rules-eu")
    assert code_of(error) == "IllegalLocationConstraintException"
    eu.create_bucket(Bucket="rules-eu", CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
    with pytest.raises(botocore.exceptions.ClientError) as error:
        eu.create_bucket(Bucket="rules-eu", CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
    assert code_of(error) == "BucketAlreadyOwnedByYou"
    for name in ("Upper", "ab", "a..b", "1.2.3.4", "-a-b"):
        with pytest.raises((botocore.exceptions.ClientError, botocore.exceptions.ParamValidationError)):
            us.create_bucket(Bucket=name)
    assert us.get_bucket_location(Bucket="rules-us")["LocationConstraint"] is None
    assert us.get_bucket_location(Bucket="rules-eu")["LocationConstraint"] == "eu-west-1"
    assert us.head_bucket(Bucket="rules-us")["BucketRegion"] == "us-east-1"
    assert {b["Name"] for b in us.list_buckets()["Buckets"]} >= {"rules-us", "rules-eu"}
    eu.put_object(Bucket="rules-eu", Key="k", Body=b"")
    with pytest.raises(botocore.exceptions.ClientError) as error:
        eu.delete_bucket(Bucket="rules-eu")
    assert code_of(error) == "BucketNotEmpty"
    eu.delete_object(Bucket="rules-eu", Key="k")
    eu.delete_bucket(Bucket="rules-eu")
    with pytest.raises(botocore.exceptions.ClientError) as error:
        eu.list_objects_v2(Bucket="rules-eu")
    assert code_of(error) == "NoSuchBucket"


def test_another_region_is_redirected(ts_local, client):
    eu = client("s3", region="eu-west-1")
    eu.create_bucket(Bucket="redirected", CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
    eu.put_object(Bucket="redirected", Key="k", Body=b"here")
    # The raw answer, which boto3 follows by itself below.
    raw = client("s3")
    seen = []
    raw.meta.events.register("before-parse.s3.GetObject", lambda response_dict, **_: seen.append(response_dict))
    assert raw.get_object(Bucket="redirected", Key="k")["Body"].read() == b"here"
    assert seen[0]["status_code"] == 301
    assert seen[0]["headers"]["x-amz-bucket-region"] == "eu-west-1"
    assert b"<Code>PermanentRedirect</Code>" in seen[0]["body"]
    assert b"<Region>eu-west-1</Region>" in seen[0]["body"]
    # A copy is decided by the destination's region; its source may lie in another.
    us = client("s3")
    us.create_bucket(Bucket="redirected-us")
    us.copy_object(Bucket="redirected-us", Key="c", CopySource="redirected/k")
    assert us.get_object(Bucket="redirected-us", Key="c")["Body"].read() == b"here"


def test_policy_denies_by_action_and_key(client, bucket):
    s3 = client("s3")
    with pytest.raises(botocore.exceptions.ClientError) as error:
        s3.get_bucket_policy(Bucket=bucket)
    assert code_of(error) == "NoSuchBucketPolicy"
    for wrong in ("{}", "no json", '{"Statement":[{"Effect":"Maybe"}]}'):
        with pytest.raises(botocore.exceptions.ClientError) as error:
            s3.put_bucket_policy(Bucket=bucket, Policy=wrong)
        assert code_of(error) == "MalformedPolicy"
    for key in ("open/a", "shut/a", "shut/b"):
        s3.put_object(Bucket=bucket, Key=key, Body=b"x")

    def statement(**fields):
        base = {"Effect": "Deny", "Principal": "*", "Action": "s3:GetObject"}
        return {**base, "Resource": f"arn:aws:s3:::{bucket}/shut/*", **fields}

    def put(*statements):
        text = json.dumps({"Version": "2012-10-17", "Statement": list(statements)})
        s3.put_bucket_policy(Bucket=bucket, Policy=text)
        assert s3.get_bucket_policy(Bucket=bucket)["Policy"] == text

    put(statement(), statement(Action=["s3:Delete*"], Resource=[f"arn:aws:s3:::{bucket}/shut/?"]))
    assert s3.get_object(Bucket=bucket, Key="open/a")["Body"].read() == b"x"
    for call in (
        lambda: s3.get_object(Bucket=bucket, Key="shut/a"),
        lambda: s3.head_object(Bucket=bucket, Key="shut/a"),
        lambda: s3.delete_object(Bucket=bucket, Key="shut/a"),
        lambda: s3.copy_object(Bucket=bucket, Key="copy", CopySource=f"{bucket}/shut/a"),
    ):
        with pytest.raises(botocore.exceptions.ClientError) as error:
            call()
        assert status_of(error) == 403
    deleted = s3.delete_objects(Bucket=bucket, Delete={"Objects": [{"Key": "open/a"}, {"Key": "shut/b"}]})
    assert [d["Key"] for d in deleted["Deleted"]] == ["open/a"]
    assert [(e["Key"], e["Code"]) for e in deleted["Errors"]] == [("shut/b", "AccessDenied")]

    put(statement(Principal={"AWS": "arn:aws:iam::999999999999:root"}), statement(Effect="Allow"))
    assert s3.get_object(Bucket=bucket, Key="shut/a")["Body"].read() == b"x"
    put(statement(Principal={"AWS": "arn:aws:iam::123456789012:root"}))
    with pytest.raises(botocore.exceptions.ClientError) as error:
        s3.get_object(Bucket=bucket, Key="shut/a")
    assert code_of(error) == "AccessDenied"
    s3.delete_bucket_policy(Bucket=bucket)
    assert s3.get_object(Bucket=bucket, Key="shut/a")["Body"].read() == b"x"


def test_multipart(client, bucket):
    s3 = client("s3")
    part = os.urandom(5 << 20)
    upload = s3.create_multipart_upload(Bucket=bucket, Key="big", ContentType="text/csv", Metadata={"a": "b"})
    where = {"Bucket": bucket, "Key": "big", "UploadId": upload["UploadId"]}
    tags = [s3.upload_part(**where, PartNumber=n, Body=body)["ETag"] for n, body in ((1, part), (2, b"tail"))]
    listed = s3.list_parts(**where)["Parts"]
    assert [(p["PartNumber"], p["Size"], p["ETag"]) for p in listed] == [(1, 5 << 20, tags[0]), (2, 4, tags[1])]
    assert [u["Key"] for u in s3.list_multipart_uploads(Bucket=bucket)["Uploads"]] == ["big"]

    def complete(*parts):
        return s3.complete_multipart_upload(
            **where, MultipartUpload={"Parts": [{"PartNumber": n, "ETag": e} for n, e in parts]}
        )

    for parts, code in (
        ([(2, tags[1]), (1, tags[0])], "InvalidPartOrder"),
        ([(1, tags[1])], "InvalidPart"),
        ([(1, tags[0]), (3, tags[1])], "InvalidPart"),
    ):
        with pytest.raises(botocore.exceptions.ClientError) as error:
            complete(*parts)
        assert code_of(error) == code
    done = complete((1, tags[0]), (2, tags[1]))
    digests = hashlib.md5(part).digest() + hashlib.md5(b"tail").digest()
    assert done["ETag"] == f'"{hashlib.md5(digests).hexdigest()}-2"'
    got = s3.get_object(Bucket=bucket, Key="big")
    assert got["Body"].read() == part + b"tail"
    assert (got["ContentType"], got["Metadata"]) == ("text/csv", {"a": "b"})
    with pytest.raises(botocore.exceptions.ClientError) as error:
        s3.list_parts(**where)
    assert code_of(error) == "NoSuchUpload"

    # Copied in parts, with ranges.
    copy = s3.create_multipart_upload(Bucket=bucket, Key="copy")["UploadId"]
    where = {"Bucket": bucket, "Key": "copy", "UploadId": copy}
    source = {"CopySource": {"Bucket": bucket, "Key": "big"}}
    first = s3.upload_part_copy(**where, **source, PartNumber=1, CopySourceRange=f"bytes=0-{(5 << 20) - 1}")
    last = s3.upload_part_copy(**where, **source, PartNumber=2, CopySourceRange=f"bytes={5 << 20}-{(5 << 20) + 3}")
    with pytest.raises(botocore.exceptions.ClientError) as error:
        s3.upload_part_copy(**where, **source, PartNumber=3, CopySourceRange="bytes=5-99999999")
    assert code_of(error) == "InvalidArgument"
    complete((1, first["CopyPartResult"]["ETag"]), (2, last["CopyPartResult"]["ETag"]))
    assert s3.get_object(Bucket=bucket, Key="copy")["Body"].read() == part + b"tail"

    small = s3.create_multipart_upload(Bucket=bucket, Key="small")["UploadId"]
    where = {"Bucket": bucket, "Key": "small", "UploadId": small}
    tags = [s3.upload_part(**where, PartNumber=n, Body=b"x")["ETag"] for n in (1, 2)]
    with pytest.raises(botocore.exceptions.ClientError) as error:
        complete((1, tags[0]), (2, tags[1]))
    assert code_of(error) == "EntityTooSmall"
    s3.abort_multipart_upload(**where)
    assert "Uploads" not in s3.list_multipart_uploads(Bucket=bucket)


def test_copy_directives_and_encryption(client, bucket):
    s3 = client("s3")
    s3.put_object(Bucket=bucket, Key="k", Body=b"x", ContentType="text/csv", Metadata={"a": "1"})
    source = {"Bucket": bucket, "Key": "k"}
    s3.copy_object(Bucket=bucket, Key="same", CopySource=source)
    assert s3.head_object(Bucket=bucket, Key="same")["Metadata"] == {"a": "1"}
    s3.copy_object(Bucket=bucket, Key="new", CopySource=source, MetadataDirective="REPLACE", Metadata={"b": "2"})
    assert s3.head_object(Bucket=bucket, Key="new")["Metadata"] == {"b": "2"}
    with pytest.raises(botocore.exceptions.ClientError) as error:
        s3.copy_object(Bucket=bucket, Key="k", CopySource=source)
    assert code_of(error) == "InvalidRequest"
    kms = s3.copy_object(Bucket=bucket, Key="kms", CopySource=source, ServerSideEncryption="aws:kms")
    assert kms["ServerSideEncryption"] == "aws:kms"
    assert kms["CopyObjectResult"]["ETag"] != s3.head_object(Bucket=bucket, Key="k")["ETag"]


def test_what_is_not_there_is_refused(client, bucket):
    s3 = client("s3")
    for call in (
        lambda: s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"}),
        lambda: s3.put_object(Bucket=bucket, Key="k", Body=b"", Tagging="a=b"),
        lambda: s3.get_bucket_lifecycle_configuration(Bucket=bucket),
    ):
        with pytest.raises(botocore.exceptions.ClientError) as error:
            call()
        assert code_of(error) == "NotImplemented"


def test_small_calls_of_the_tools(client, bucket):
    s3 = client("s3")
    assert s3.get_bucket_acl(Bucket=bucket)["Grants"][0]["Permission"] == "FULL_CONTROL"
    s3.put_public_access_block(Bucket=bucket, PublicAccessBlockConfiguration={"BlockPublicAcls": True})
    s3.put_object(Bucket=bucket, Key="k", Body=b"")
    assert s3.get_object_tagging(Bucket=bucket, Key="k")["TagSet"] == []


def test_virtual_host_style(ts_local, client, bucket):
    s3 = client("s3")
    s3.put_object(Bucket=bucket, Key="deep/k", Body=b"x")
    hosted = ts_local.client("s3", s3={"addressing_style": "virtual"})
    port = ts_local.endpoint.rsplit(":", 1)[1]

    def by_host(request, **_):
        # What <bucket>.localhost resolves to, without asking a resolver.
        request.url = request.url.replace(ts_local.endpoint + "/" + bucket, ts_local.endpoint)
        request.headers["Host"] = f"{bucket}.localhost:{port}"

    hosted.meta.events.register("before-sign.s3.GetObject", by_host)
    assert hosted.get_object(Bucket=bucket, Key="deep/k")["Body"].read() == b"x"


@pytest.mark.parametrize(
    "service,call,wrong_secret,unknown_key,status",
    [
        ("s3", lambda c: c.list_buckets(), "SignatureDoesNotMatch", "InvalidAccessKeyId", 403),
        ("sts", lambda c: c.get_caller_identity(), "SignatureDoesNotMatch", "InvalidClientTokenId", 403),
        ("sns", lambda c: c.list_topics(), "SignatureDoesNotMatch", "InvalidClientTokenId", 403),
        (
            "timestream-write",
            lambda c: c.list_databases(),
            "InvalidSignatureException",
            "UnrecognizedClientException",
            400,
        ),
    ],
)
def test_wrong_credentials(client, service, call, wrong_secret, unknown_key, status):
    for credentials, code in (({"secret": "wrong"}, wrong_secret), ({"key": "AKIAWRONG"}, unknown_key)):
        with pytest.raises(botocore.exceptions.ClientError) as error:
            call(client(service, **credentials))
        assert (code_of(error), status_of(error)) == (code, status)


def test_unsigned_and_tampered_requests(ts_local, client, bucket):
    with pytest.raises(urllib.error.HTTPError) as error:
        urllib.request.urlopen(f"{ts_local.endpoint}/{bucket}/k")
    assert error.value.code == 403
    s3 = client("s3")

    def tamper(request, **_):
        request.body = b"tampered!"

    s3.meta.events.register("before-send.s3.PutObject", tamper)
    with pytest.raises(botocore.exceptions.ClientError) as error:
        s3.put_object(Bucket=bucket, Key="k", Body=b"original!")
    assert code_of(error) == "XAmzContentSHA256Mismatch"
    assert "Contents" not in client("s3").list_objects_v2(Bucket=bucket)


def test_sts_and_sns(ts_local, client):
    identity = client("sts").get_caller_identity()
    assert identity["Account"] == "123456789012"
    assert identity["Arn"].startswith("arn:aws:iam::123456789012:")
    sns = client("sns")
    topic = sns.create_topic(Name="failures")["TopicArn"]
    assert topic == "arn:aws:sns:us-east-1:123456789012:failures"
    assert [t["TopicArn"] for t in sns.list_topics()["Topics"]] == [topic]
    sns.publish(TopicArn=topic, Subject="one failed", Message="line 1\nline 2: ü")
    sns.publish(TopicArn=topic, Message='{"default":"d"}', MessageStructure="json")
    lines = (ts_local.dir / "data/sns/us-east-1/failures.jsonl").read_text().splitlines()
    first = json.loads(lines[0])
    assert (first["Subject"], first["Message"]) == ("one failed", "line 1\nline 2: ü")
    assert len(lines) == 2
    for arguments, code in (
        ({"TopicArn": topic + "x", "Message": "m"}, "NotFound"),
        ({"TopicArn": topic.replace("us-east-1", "eu-west-1"), "Message": "m"}, "InvalidParameter"),
        ({"TopicArn": topic, "Message": "m", "Subject": "s" * 100}, "InvalidParameter"),
        ({"TopicArn": topic, "Message": "m", "Subject": "a\nb"}, "InvalidParameter"),
        ({"TopicArn": topic, "Message": "m", "MessageStructure": "email"}, "InvalidParameter"),
        ({"TopicArn": topic, "Message": ""}, "InvalidParameter"),
    ):
        with pytest.raises(botocore.exceptions.ClientError) as error:
            sns.publish(**arguments)
        assert code_of(error) == code, arguments


def test_endpoint_discovery_stays_here(ts_local, client):
    found = client("timestream-write").describe_endpoints()["Endpoints"]
    assert found == [{"Address": ts_local.endpoint, "CachePeriodInMinutes": 1440}]


def test_aws_cli_copies_large_files(ts_local, bucket, tmp_path):
    big = tmp_path / "big.bin"
    big.write_bytes(os.urandom(20 << 20))
    digest = hashlib.md5(big.read_bytes()).hexdigest()
    ts_local.aws("s3", "cp", str(big), f"s3://{bucket}/in/big.bin")
    ts_local.aws("s3", "cp", f"s3://{bucket}/in/big.bin", f"s3://{bucket}/out/big+ü.bin")
    back = tmp_path / "back.bin"
    ts_local.aws("s3", "cp", f"s3://{bucket}/out/big+ü.bin", str(back))
    assert hashlib.md5(back.read_bytes()).hexdigest() == digest
    listing = ts_local.aws("s3", "ls", "--recursive", f"s3://{bucket}").stdout
    assert listing.count("20971520") == 2 and "out/big+ü.bin" in listing
    folder = tmp_path / "folder" / "part=1"
    folder.mkdir(parents=True)
    (folder / "a b.csv").write_text("x")
    ts_local.aws("s3", "sync", str(tmp_path / "folder"), f"s3://{bucket}/sync/")
    assert "part=1/a b.csv" in ts_local.aws("s3", "ls", "--recursive", f"s3://{bucket}/sync/").stdout
    ts_local.aws("s3", "rm", "--recursive", f"s3://{bucket}/")
    assert ts_local.aws("s3", "ls", f"s3://{bucket}", check=False).stdout == ""
    ts_local.aws("s3api", "create-bucket", "--bucket", bucket + "2")
    ts_local.aws("s3", "rb", f"s3://{bucket}2")
    assert ts_local.aws("s3api", "head-bucket", "--bucket", bucket + "2", check=False).returncode != 0


def test_restart_keeps_everything(start_ts_local):
    process = start_ts_local()
    s3 = process.client("s3")
    s3.create_bucket(Bucket="kept")
    s3.put_object(Bucket="kept", Key="k", Body=b"x")
    upload = s3.create_multipart_upload(Bucket="kept", Key="m")["UploadId"]
    s3.upload_part(Bucket="kept", Key="m", UploadId=upload, PartNumber=1, Body=b"part")
    process.stop(signal.SIGKILL)
    process.start()
    s3 = process.client("s3")
    assert s3.get_object(Bucket="kept", Key="k")["Body"].read() == b"x"
    assert s3.list_parts(Bucket="kept", Key="m", UploadId=upload)["Parts"][0]["Size"] == 4


def test_wrong_starts_are_one_clear_line(start_ts_local, tmp_path):
    process = start_ts_local()
    program = process.process.args[0]
    port = process.endpoint.rsplit(":", 1)[1]
    (tmp_path / "file").write_text("")
    for arguments, status, text in (
        (["--dir", tmp_path / "d", "--port", port], 3, "cannot listen"),
        (["--dir", process.dir / "data", "--port", "0"], 3, "another ts-local uses"),
        (["--dir", tmp_path / "file" / "d"], 3, str(tmp_path / "file")),
        (["--dir", tmp_path / "d", "--no-such-flag"], 2, "--no-such-flag"),
        ([], 2, "--dir"),
        (["--dir", tmp_path / "d", "--access_key", "a"], 2, "--secret_key"),
        (["--dir", tmp_path / "d", "--account", "12"], 2, "12 digits"),
    ):
        ended = subprocess.run([program, *map(str, arguments)], capture_output=True, text=True, timeout=60)
        assert (ended.returncode, text in ended.stderr) == (status, True), (arguments, ended.stderr)
