"""ts-local's limits, times, stops and other people's tasks of batch load, as boto3 meets them."""

import concurrent.futures
import json
import time
import urllib.error
import urllib.request

import pytest
from botocore.exceptions import ClientError
from test_batch_load_boto3 import Place


def control(local, path, method="GET", **body):
    data = json.dumps(body).encode() if method == "POST" else None
    request = urllib.request.Request(f"{local.endpoint}/ts-local/{path}", data=data, method=method)
    with urllib.request.urlopen(request, timeout=60) as answer:
        return json.load(answer)


def code(call, **arguments):
    with pytest.raises(ClientError) as caught:
        call(**arguments)
    return caught.value.response["Error"]["Code"]


def reach(place, task, status):
    deadline = time.monotonic() + 120
    while True:
        description = place.describe(task)
        if description["TaskStatus"] == status:
            return description
        assert time.monotonic() < deadline, description
        time.sleep(0.005)


def put_days(place, key, days, first_day=2):
    now = time.time_ns()
    place.put(key, [["c", "m", "1", "x", now - (first_day + day) * 86400 * 10**9] for day in range(days)])


def test_quotas_are_held_by_other_peoples_tasks_too(start_ts_local):
    local = start_ts_local("--table_tasks", "2", "--account_tasks", "3", "--task_seconds", "3600")
    place = Place(local).create()
    put_days(place, "in/a.csv", 3)
    assert control(local, "tasks", "POST", region="eu-west-1", database="theirs", count=1) == {"active": 1}
    tasks = [place.start("in/") for _ in range(2)]
    with pytest.raises(ClientError) as caught:
        place.start("in/")
    assert caught.value.response["Error"]["Code"] == "ServiceQuotaExceededException"
    assert "table has 2 active" in caught.value.response["Error"]["Message"]
    place.create_table("u")
    with pytest.raises(ClientError) as caught:
        place.start("in/", table="u")
    assert "account has 3 active" in caught.value.response["Error"]["Message"]
    listed = place.write.list_batch_load_tasks(MaxResults=100)["BatchLoadTasks"]
    assert {task["DatabaseName"] for task in listed} == {"loads", "theirs"}
    (theirs,) = [task["TaskId"] for task in listed if task["DatabaseName"] == "theirs"]
    source = place.describe(theirs)["DataSourceConfiguration"]["DataSourceS3Configuration"]
    assert source["BucketName"] == "somebody-elses-bucket"
    assert control(local, "tasks", "DELETE") == {"active": 0}
    assert place.describe(theirs)["TaskStatus"] == "SUCCEEDED"
    place.start("in/", table="u")
    assert all(place.describe(task)["TaskStatus"] in ("CREATED", "IN_PROGRESS") for task in tasks)
    with pytest.raises(urllib.error.HTTPError) as refused:
        control(local, "tasks", "POST", count=0)
    assert refused.value.code == 400 and "count" in json.load(refused.value)["error"]


def test_a_task_through_all_its_states(start_ts_local):
    local = start_ts_local("--time_scale", "20", "--task_seconds", "20", "--pending_resume_seconds", "10",
                           "--resumable_seconds", "3600", "--fail", "Task:1:stop")
    place = Place(local).create()
    put_days(place, "in/a.csv", 40, first_day=1)
    task = place.start("in/")
    assert place.describe(task)["TaskStatus"] == "CREATED"
    reach(place, task, "IN_PROGRESS")
    stopped = reach(place, task, "PROGRESS_STOPPED")
    assert 0 < stopped["ProgressReport"]["RecordsProcessed"] < 40
    left = stopped["ResumableUntil"].timestamp() - time.time()
    assert 100 < left <= 180
    place.write.resume_batch_load_task(TaskId=task)
    assert place.describe(task)["TaskStatus"] == "PENDING_RESUME"
    assert code(place.write.resume_batch_load_task, TaskId=task) == "ValidationException"
    shown = reach(place, task, "IN_PROGRESS")["ProgressReport"]["RecordsProcessed"]
    assert shown >= stopped["ProgressReport"]["RecordsProcessed"]
    done = reach(place, task, "FAILED")  # rows older than the table's 30 days
    assert done["ProgressReport"]["RecordsProcessed"] == 40
    assert done["ProgressReport"]["RecordIngestionFailures"] > 0
    reports = place.s3.list_objects_v2(Bucket="reports", Prefix="r/")["Contents"]
    assert [task in report["Key"] for report in reports] == [True]


def test_throttles_and_scripted_failures(start_ts_local):
    # Twice each: the client tries once more by itself.
    local = start_ts_local("--fail", "CreateBatchLoadTask:1-2:ThrottlingException", "--fail", "Task:1:fail",
                           "--fail", "DescribeBatchLoadTask:1-2:ThrottlingException",
                           "--fail", "ListBatchLoadTasks:1-2:ThrottlingException",
                           "--fail", "ResumeBatchLoadTask:1-2:ThrottlingException")
    place = Place(local).create()
    put_days(place, "in/a.csv", 10)
    with pytest.raises(ClientError) as caught:
        place.start("in/")
    assert caught.value.response["Error"]["Code"] == "ThrottlingException"
    task = place.start("in/")
    assert code(place.describe, task=task) == "ThrottlingException"
    assert code(place.write.list_batch_load_tasks) == "ThrottlingException"
    assert code(place.write.resume_batch_load_task, TaskId=task) == "ThrottlingException"
    assert code(place.write.resume_batch_load_task, TaskId=task) == "ValidationException"
    failed = place.finish(task)
    assert failed["TaskStatus"] == "FAILED" and "s3://reports/r/" in failed["ErrorMessage"]
    key = failed["ErrorMessage"].split("s3://reports/")[1]
    report = json.loads(place.s3.get_object(Bucket="reports", Key=key)["Body"].read())
    assert report["taskId"] == task and report["taskErrors"] and report["fileErrors"] == []


def test_a_client_token_makes_one_task(ts_local):
    place = Place(ts_local).create()
    task = place.start("nothing/", ClientToken="once")
    assert place.start("nothing/", ClientToken="once") == task
    with pytest.raises(ClientError) as caught:
        place.start("else/", ClientToken="once")
    assert caught.value.response["Error"]["Code"] == "ConflictException"


def test_rows_are_seen_later_and_conflicts_are_not_told(start_ts_local):
    local = start_ts_local("--time_scale", "100", "--visible_seconds", "100")
    place = Place(local).create()
    place.write.update_table(
        DatabaseName="loads", TableName="t",
        MagneticStoreWriteProperties={
            "EnableMagneticStoreWrites": True,
            "MagneticStoreRejectedDataLocation": {"S3Configuration": {
                "BucketName": "reports", "ObjectKeyPrefix": "rejected", "EncryptionOption": "SSE_S3"}}})
    old = time.time_ns() - 3 * 86400 * 10**9
    place.put("in/a.csv", [["c", "m", "1", "x", old], ["c", "m", "2", "x", old]])
    task = place.finish(place.start("in/"))
    assert task["TaskStatus"] == "SUCCEEDED" and task["ProgressReport"]["RecordsIngested"] == 2
    count = 'SELECT count(*) FROM "loads"."t"'
    assert place.rows(count) == [["0"]]
    deadline = time.monotonic() + 60
    while place.rows(count) == [["0"]]:
        assert time.monotonic() < deadline
        time.sleep(0.05)
    assert place.rows(count) == [["1"]]
    (entry,) = place.s3.list_objects_v2(Bucket="reports", Prefix="rejected/")["Contents"]
    rejected = json.loads(place.s3.get_object(Bucket="reports", Key=entry["Key"])["Body"].read())
    assert len(rejected["rejectedRecords"]) == 1


def test_two_principals(start_ts_local):
    local = start_ts_local("--principal", "reader:R:RS:read=here/*", "--principal", "writer:W:WS:write=there/*")
    own, reader, writer = (local.client("s3", key=key, secret=secret)
                           for key, secret in (("test", "test"), ("R", "RS"), ("W", "WS")))
    for bucket in ("here", "there"):
        own.create_bucket(Bucket=bucket)
    own.put_object(Bucket="here", Key="a", Body=b"bytes")
    copy = {"Bucket": "there", "Key": "a", "CopySource": "here/a"}
    assert code(reader.copy_object, **copy) == code(writer.copy_object, **copy) == "AccessDenied"
    assert reader.get_object(Bucket="here", Key="a")["Body"].read() == b"bytes"
    assert code(reader.put_object, Bucket="there", Key="a", Body=b"") == "AccessDenied"
    assert code(writer.get_object, Bucket="here", Key="a") == "AccessDenied"
    writer.put_object(Bucket="there", Key="a", Body=b"bytes", ACL="bucket-owner-full-control")
    assert [entry["Key"] for entry in writer.list_objects_v2(Bucket="there")["Contents"]] == ["a"]
    assert code(writer.list_objects_v2, Bucket="here") == "AccessDenied"
    sts = local.client("sts", key="W", secret="WS")
    assert sts.get_caller_identity()["Arn"].endswith(":user/writer")
    # The role of that name has its rights, whoever assumes it.
    role = sts.assume_role(RoleArn="arn:aws:iam::123456789012:role/reader", RoleSessionName="session")
    keys = role["Credentials"]
    assumed = local.client("s3", key=keys["AccessKeyId"], secret=keys["SecretAccessKey"])
    assumed._request_signer._credentials.token = keys["SessionToken"]
    assert assumed.get_object(Bucket="here", Key="a")["Body"].read() == b"bytes"
    assert code(assumed.put_object, Bucket="there", Key="b", Body=b"") == "AccessDenied"
    # One key forbidden to one of them, by the bucket's policy.
    own.put_bucket_policy(Bucket="here", Policy=json.dumps({"Version": "2012-10-17", "Statement": [{
        "Effect": "Deny", "Principal": {"AWS": "arn:aws:iam::123456789012:user/reader"},
        "Action": "s3:GetObject", "Resource": "arn:aws:s3:::here/a"}]}))
    assert code(reader.get_object, Bucket="here", Key="a") == "AccessDenied"
    assert own.get_object(Bucket="here", Key="a")["Body"].read() == b"bytes"


def test_latency_holds_answers_back_side_by_side(start_ts_local):
    local = start_ts_local("--latency_ms", "200")
    url = f"{local.endpoint}/ts-local/tasks"

    def ask(_):
        started = time.monotonic()
        with urllib.request.urlopen(url, timeout=60) as answer:
            answer.read()
        return time.monotonic() - started

    started = time.monotonic()
    with concurrent.futures.ThreadPoolExecutor(64) as pool:
        times = list(pool.map(ask, range(128)))
    assert min(times) >= 0.2
    assert time.monotonic() - started < 10, "one after another they would take 25 s"


def test_copies_as_the_load_makes_them(ts_local, bucket):
    """Parts of a range, pinned to the source's ETag; KMS, whose ETags are no MD5s; the ACL header."""
    s3 = ts_local.client("s3")
    body = b"x" * (6 << 20)
    etag = s3.put_object(Bucket=bucket, Key="source", Body=body)["ETag"]
    upload = s3.create_multipart_upload(Bucket=bucket, Key="copy", ACL="bucket-owner-full-control",
                                        ServerSideEncryption="aws:kms", SSEKMSKeyId="alias/some-key")
    assert upload["ServerSideEncryption"] == "aws:kms" and upload["SSEKMSKeyId"] == "alias/some-key"
    part = {"Bucket": bucket, "Key": "copy", "UploadId": upload["UploadId"], "CopySource": f"{bucket}/source"}
    assert code(s3.upload_part_copy, PartNumber=1, CopySourceIfMatch='"other"', **part) == "PreconditionFailed"
    parts = []
    for number, span in enumerate((f"0-{(5 << 20) - 1}", f"{5 << 20}-{(6 << 20) - 1}"), 1):
        copied = s3.upload_part_copy(PartNumber=number, CopySourceIfMatch=etag,
                                     CopySourceRange=f"bytes={span}", **part)
        parts.append({"PartNumber": number, "ETag": copied["CopyPartResult"]["ETag"]})
    assert len(s3.list_parts(Bucket=bucket, Key="copy", UploadId=upload["UploadId"])["Parts"]) == 2
    done = s3.complete_multipart_upload(Bucket=bucket, Key="copy", UploadId=upload["UploadId"],
                                        MultipartUpload={"Parts": parts})
    assert done["ServerSideEncryption"] == "aws:kms" and done["SSEKMSKeyId"] == "alias/some-key"
    assert s3.get_object(Bucket=bucket, Key="copy")["Body"].read() == body

    plain = s3.copy_object(Bucket=bucket, Key="plain", CopySource=f"{bucket}/source", CopySourceIfMatch=etag,
                           ACL="bucket-owner-full-control")
    assert plain["CopyObjectResult"]["ETag"] == etag
    encrypted = s3.copy_object(Bucket=bucket, Key="encrypted", CopySource=f"{bucket}/source",
                               ServerSideEncryption="aws:kms", SSEKMSKeyId="alias/some-key")
    assert encrypted["CopyObjectResult"]["ETag"] != etag
    assert encrypted["ServerSideEncryption"] == "aws:kms" and encrypted["SSEKMSKeyId"] == "alias/some-key"
    head = s3.head_object(Bucket=bucket, Key="encrypted")
    assert head["SSEKMSKeyId"] == "alias/some-key" and head["ETag"] == encrypted["CopyObjectResult"]["ETag"]
    assert code(s3.copy_object, Bucket=bucket, Key="plain", CopySource=f"{bucket}/source",
                CopySourceIfMatch='"other"') == "PreconditionFailed"
    later = s3.list_objects_v2(Bucket=bucket, StartAfter="encrypted")["Contents"]
    assert [entry["Key"] for entry in later] == ["plain", "source"]
    # An error in the body of a 200: the client must read it, here it tries once more.
    fail = "CopyObject:1:InternalError+in200"
    assert control(ts_local, "fail", "POST", rules=[fail])["rules"][0]["rule"] == fail
    s3.copy_object(Bucket=bucket, Key="again", CopySource=f"{bucket}/source")
    assert control(ts_local, "fail")["rules"] == [{"rule": fail, "calls": 2, "struck": 1}]
    control(ts_local, "fail", "DELETE")
    s3.delete_object(Bucket=bucket, Key="again")
    abandoned = s3.create_multipart_upload(Bucket=bucket, Key="abandoned")["UploadId"]
    s3.abort_multipart_upload(Bucket=bucket, Key="abandoned", UploadId=abandoned)
    assert "Uploads" not in s3.list_multipart_uploads(Bucket=bucket)
