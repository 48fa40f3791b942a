"""ts-local --s3_endpoint: UNLOAD writes into and batch load reads from an S3 that is not ours, moto behind a gate
that recomputes every signature with botocore over the raw request line. The judge lies beside the project
(../shared/tools/strict_aws.py); without it, or without moto, these tests are skipped loudly.
"""

import datetime
import http.server
import ipaddress
import json
import ssl
import subprocess
import threading
import time

import boto3
import botocore.config
import botocore.exceptions
import pytest
from e2e_harness import BIN, ROOT, SAMPLES, SMALL_MODEL, assert_equal_tables, clean_env, expect
from strict_judge import StrictJudge

# ts-local signs with a key of its own, so that the judge's log tells its requests from the programs'.
KEY, SECRET, WRONG = "AKIAFOREIGNEXAMPLE01", "wJalrXUtnFEMI/K7MDENG/bPxRfiFOREIGNKEY1", "wJalrXUtnFEMI/WRONGKEY"
REGION = "us-east-1"
NOWHERE = "http://127.0.0.1:1"
ODD_PREFIX = "part=1/a+b/a%20b/ü (1)'*~"


class Judge(StrictJudge):
    """The judge, which knows the programs' key and ts-local's."""

    def __init__(self, folder):
        super().__init__(folder)
        self.register(KEY, SECRET)
        self.register("test", "test")

    def seen(self):
        """What ts-local sent and the judge verified: (method, path with query, payload hash)."""
        return [(entry["method"], entry["path"], entry["payload"]) for entry in self.verified(KEY)]

    def client(self, service):
        return boto3.client(service, region_name=REGION, endpoint_url=self.url, aws_access_key_id="test",
                            aws_secret_access_key="test",
                            config=botocore.config.Config(s3={"addressing_style": "path"}))

    def keys(self, bucket, prefix=""):
        return [item["Key"] for item in
                self.client("s3").list_objects_v2(Bucket=bucket, Prefix=prefix).get("Contents", [])]


@pytest.fixture
def judge(tmp_path):
    running = Judge(tmp_path)
    yield running
    running.close()


@pytest.fixture
def start(start_local, judge):
    """start(*flags): a ts-local that works on the judge's S3."""
    return lambda *flags: start_local("--s3_endpoint", judge.url, "--s3_access_key", KEY, "--s3_secret_key", SECRET,
                                      *flags)


def elsewhere(judge):
    """The environment in which the programs find S3, STS and SNS at the judge; Timestream stays at ts-local."""
    return {f"AWS_ENDPOINT_URL_{service}": judge.url for service in ("S3", "STS", "SNS")}


def query_failure(local, sql):
    once = botocore.config.Config(retries={"total_max_attempts": 1})
    query = boto3.client("timestream-query", region_name=REGION, endpoint_url=local.endpoint,
                         aws_access_key_id="test", aws_secret_access_key="test", config=once)
    with pytest.raises(botocore.exceptions.ClientError) as error:
        list(query.get_paginator("query").paginate(QueryString=sql))
    return error.value.response["Error"]


def test_a_migration_through_a_foreign_s3(start, judge):
    local = start("--sample")
    unload = local.run("ts-unload", "--region", REGION, "--database", "sourcedb", "--table", "myTable",
                       "--partition", "day", **elsewhere(judge))
    expect(unload, 0)
    bucket = "timestream-unload-sourcedb-mytable-123456789012"
    data = [key for key in judge.keys(bucket, "results/") if key.endswith(".csv")]
    assert len(data) >= 2 and all(key.startswith("results/partition_date=") for key in data)
    load = local.run("ts-batchload", "--region", REGION, "--database", "targetdb", "--table", "myTable",
                     "--create_timestream_resource", "--partition_key", "city",
                     "--copy_s3_bucket", "--s3_source_bucket_location", bucket, "--source_s3_prefix", "results/",
                     "--create_destination_bucket", "--s3_target_bucket", "foreign-load",
                     "--destination_s3_prefix", "dest/", "--create_error_logging_bucket",
                     "--s3_target_error_bucket", "foreign-errors",
                     "--data_model_file", SAMPLES / "multi_measure.json", "--poll_interval", "0.1",
                     "--create_interval", "0.05", **elsewhere(judge))
    expect(load, 0)
    source = local.rows(REGION, "sourcedb", "myTable")
    assert sum(source.values()) > 10_000
    assert_equal_tables(source, local.rows(REGION, "targetdb", "myTable"))

    seen = judge.seen()
    assert all(len(payload) == 64 for _, _, payload in seen)
    written = [path for method, path, _ in seen if method == "PUT"]
    assert sorted(path.split("/", 2)[2] for path in written if path.endswith(".csv")) \
        == sorted(key.replace("=", "%3D") for key in data)
    assert written[-1].endswith("_manifest.json")
    assert any(method == "GET" and "list-type=2" in path for method, path, _ in seen)
    read = {path for method, path, _ in seen if method == "GET" and path.endswith(".csv")}
    assert len(read) == len(data)
    # Nothing of it went into ts-local's own folder, and nothing is left of what waited for its upload.
    assert not (local.folder / "data" / "s3").exists()
    assert list((local.folder / "data" / "spool").iterdir()) == []


def test_gzip_is_inflated_through_a_foreign_s3(start, judge):
    """What goes through this machine is signed as what is copied inside S3; packed into folders of the run's own."""
    local = start("--sample")
    judge.client("s3").create_bucket(Bucket="zipped")
    expect(local.run("ts-unload", "--region", REGION, "--database", "sourcedb", "--table", "myTable", "--s3_uri", "s3://zipped/u",
                     "--partition", "day", "--compression", "gzip", **elsewhere(judge)), 0)
    written = [entry for entry in judge.verified("test") if entry["method"] == "PUT" and ".csv" in entry["path"]]
    assert written == []
    load = local.run("ts-batchload", "--region", REGION, "--database", "targetdb", "--table", "myTable",
                     "--create_timestream_resource", "--copy_s3_bucket", "--s3_source_bucket_location", "zipped",
                     "--source_s3_prefix", "u/", "--create_destination_bucket", "--s3_target_bucket", "foreign-load",
                     "--create_error_logging_bucket", "--s3_target_error_bucket", "foreign-errors", "--group_by", "packed",
                     "--poll_interval", "0.1", "--create_interval", "0.05", **elsewhere(judge))
    expect(load, 0)
    assert_equal_tables(local.rows(REGION, "sourcedb", "myTable"), local.rows(REGION, "targetdb", "myTable"))
    keys = judge.keys("foreign-load")
    assert keys and all(key.startswith("dest/") and key.split("/")[2] == "g0001" and key.endswith(".csv") for key in keys), keys
    assert len(local.tasks(REGION)) == 1
    assert judge.refusals() == 0, judge.requests()


def test_odd_keys_go_out_as_they_were_signed(start, judge):
    local = start()
    s3 = judge.client("s3")
    s3.create_bucket(Bucket="odd")
    s3.create_bucket(Bucket="errors")
    local.make_table(REGION, "db", "t")
    text = "city,measure_name,nanoseconds,note\n" + "".join(
        f"Oslo,m,{(int(time.time()) - 86400 * 2) * 10**9 + i},n{i}\n" for i in range(5))
    s3.put_object(Bucket="odd", Key=ODD_PREFIX + "/in/f 1+2.csv", Body=text.encode())
    s3.put_object(Bucket="odd", Key=ODD_PREFIX + "/in/zwei//%2F&?#.csv", Body=text.replace("Oslo", "Zürich").encode())
    write = local.client("timestream-write", REGION)
    model = {"TimeColumn": "nanoseconds", "TimeUnit": "NANOSECONDS", "MeasureNameColumn": "measure_name",
             "DimensionMappings": [{"SourceColumn": "city", "DestinationColumn": "city"}],
             "MultiMeasureMappings": {"MultiMeasureAttributeMappings": [
                 {"SourceColumn": "note", "MeasureValueType": "VARCHAR"}]}}
    s3.put_object(Bucket="odd", Key=ODD_PREFIX + "/model +.json", Body=json.dumps(model).encode())
    task = write.create_batch_load_task(
        TargetDatabaseName="db", TargetTableName="t",
        DataSourceConfiguration={"DataFormat": "CSV", "DataSourceS3Configuration": {
            "BucketName": "odd", "ObjectKeyPrefix": ODD_PREFIX + "/in/"}},
        ReportConfiguration={"ReportS3Configuration": {"BucketName": "errors"}},
        DataModelConfiguration={"DataModelS3Configuration": {
            "BucketName": "odd", "ObjectKey": ODD_PREFIX + "/model +.json"}})["TaskId"]
    description = wait_for(write, task)
    assert description["TaskStatus"] == "SUCCEEDED", description
    assert local.count(REGION, "db", "t") == 10
    (row,) = local.query(REGION, f"UNLOAD (SELECT * FROM db.t) TO 's3://odd/out/part=1/a+b c%20d' "
                                 "WITH (compression = 'NONE', include_header = 'true')")
    assert row["rows"] == "10"
    (data,) = judge.keys("odd", "out/part=1/a+b c%20d/results/")
    body = s3.get_object(Bucket="odd", Key=data)
    assert body["ContentType"] == "text/csv" and body["Body"].read().count(b"\n") == 11
    manifest = s3.get_object(Bucket="odd", Key=row["manifestFile"].removeprefix("s3://odd/"))
    assert json.loads(manifest["Body"].read())["result_files"][0]["url"] == f"s3://odd/{data}"


def wait_for(write, task):
    deadline = time.monotonic() + 60
    while True:
        description = write.describe_batch_load_task(TaskId=task)["BatchLoadTaskDescription"]
        if description["TaskStatus"] in ("SUCCEEDED", "FAILED", "PROGRESS_STOPPED"):
            return description
        assert time.monotonic() < deadline, description
        time.sleep(0.05)


def test_a_bad_file_is_reported_in_the_foreign_s3(start, judge, tmp_path):
    local = start()
    s3 = judge.client("s3")
    for bucket in ("bad-load", "bad-errors"):
        s3.create_bucket(Bucket=bucket)
    s3.put_object(Bucket="bad-load", Key="in/a.csv", Body=b"nanoseconds,measure_name,city,device,floor,temperature,samples,ok,note\n"
                  b"soon,climate,Oslo,d,1,1.5,2,true,x\n")
    model = tmp_path / "model.json"
    model.write_text(json.dumps(SMALL_MODEL))
    flags = ["--region", REGION, "--database", "target", "--table", "readings", "--create_timestream_resource",
             "--partition_key", "city", "--s3_target_bucket", "bad-load", "--destination_s3_prefix", "in/",
             "--s3_target_error_bucket", "bad-errors", "--verify", "none", "--data_model_file", model, "--poll_interval", "0.1"]
    result = expect(local.run("ts-batchload", *flags, **elsewhere(judge)), 1)
    assert "in/a.csv, line 2" in result.stderr, result.stderr
    (report,) = judge.keys("bad-errors")
    assert report.endswith("_report.json")
    # Columns that the model names and the file lacks cost nothing: they are seen in the file's header before.
    s3.put_object(Bucket="bad-load", Key="in/a.csv", Body=b"nanoseconds,city\nsoon,Oslo\n")
    result = expect(local.run("ts-batchload", *flags, **elsewhere(judge)), 2)
    assert "in/a.csv" in result.stderr and '"measure_name"' in result.stderr, result.stderr
    assert len(local.tasks(REGION)) == 1


def test_a_bucket_that_is_missing_or_abroad(start, judge):
    local = start("--sample")
    judge.client("s3").create_bucket(
        Bucket="abroad", CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
    unload = "UNLOAD (SELECT * FROM sourcedb.myTable) TO 's3://{}/u' WITH (compression = 'NONE')"
    missing = query_failure(local, unload.format("no-such-bucket"))
    assert missing["Code"] == "ValidationException" and "no-such-bucket does not exist" in missing["Message"]
    abroad = query_failure(local, unload.format("abroad"))
    assert abroad["Code"] == "ValidationException" and "is in eu-west-1" in abroad["Message"]


def test_a_wrong_key_is_access_denied_in_the_judges_words(start_local, judge):
    local = start_local("--sample", "--s3_endpoint", judge.url, "--s3_access_key", KEY, "--s3_secret_key", WRONG)
    result = local.run("ts-unload", "--region", REGION, "--database", "sourcedb", "--table", "myTable",
                       **elsewhere(judge))
    expect(result, 3)
    assert "AccessDeniedException" in result.stderr and "SignatureDoesNotMatch" in result.stderr
    assert WRONG not in result.stderr + result.stdout + local.log_text()
    assert judge.seen() == []


def test_an_s3_that_cannot_be_reached(start_local, judge):
    """The programs reach S3, ts-local does not: the service's error names operation and endpoint, and ends the run
    once the patience is over."""
    local = start_local("--sample", "--s3_endpoint", NOWHERE)
    result = local.run("ts-unload", "--region", REGION, "--database", "sourcedb", "--table", "myTable",
                       "--give_up_after", "2s", **elsewhere(judge), timeout=60)
    expect(result, 1)
    failed = [line for line in result.stdout.splitlines() if line.startswith("failed ")]
    assert len(failed) == 1 and "nothing moved for" in failed[0] and NOWHERE in failed[0]
    assert NOWHERE in result.stderr and "ServiceUnavailable" in result.stderr and "GetBucketLocation" in result.stderr
    assert not judge.keys("timestream-unload-sourcedb-mytable-123456789012", "results/")


def make_certificate(folder):
    """A key and a certificate for 127.0.0.1 that signs itself; the paths of both."""
    x509 = pytest.importorskip("cryptography.x509")
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.datetime.now(datetime.timezone.utc)
    certificate = (x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
                   .serial_number(1).not_valid_before(now - datetime.timedelta(hours=1))
                   .not_valid_after(now + datetime.timedelta(hours=1))
                   .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]),
                                  critical=False)
                   .sign(key, hashes.SHA256()))
    pem = serialization.Encoding.PEM
    (folder / "key.pem").write_bytes(key.private_bytes(pem, serialization.PrivateFormat.PKCS8,
                                                       serialization.NoEncryption()))
    (folder / "certificate.pem").write_bytes(certificate.public_bytes(pem))
    return folder / "key.pem", folder / "certificate.pem"


class OverTls(http.server.BaseHTTPRequestHandler):
    """Answers every GET as GetBucketLocation does and takes every PUT; `put` are the bodies by path."""

    put = {}
    protocol_version = "HTTP/1.1"

    def answer(self, body):
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_GET(self):
        self.answer(b'<LocationConstraint xmlns="http://s3.amazonaws.com/doc/2006-03-01/"/>')

    def do_PUT(self):
        self.put[self.path] = self.rfile.read(int(self.headers["Content-Length"]))
        self.answer(b"")

    def log_message(self, *_):
        pass


def test_https_only_where_the_certificate_is_trusted(start_local, tmp_path, monkeypatch):
    key, certificate = make_certificate(tmp_path)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), OverTls)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    flags = ["--sample", "--s3_endpoint", f"https://127.0.0.1:{server.server_port}"]
    unload = "UNLOAD (SELECT * FROM sourcedb.myTable LIMIT 3) TO 's3://tls' WITH (compression = 'NONE')"
    try:
        refused = query_failure(start_local(*flags), unload)
        assert refused["Code"] == "InternalServerException" and "certificate" in refused["Message"]
        assert OverTls.put == {}
        monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
        (row,) = start_local(*flags).query(REGION, unload)
        assert row["rows"] == "3"
        (manifest,) = [json.loads(body) for path, body in OverTls.put.items() if path.endswith("_manifest.json")]
        ((path, body),) = [item for item in OverTls.put.items() if item[0].endswith(".csv")]
        assert manifest["query_metadata"] | {"total_row_count": 3, "total_content_length_in_bytes": len(body)} \
            == manifest["query_metadata"]
        assert manifest["result_files"][0]["url"] == "s3:/" + path
    finally:
        server.shutdown()
        server.server_close()


def test_ts_local_itself_refuses_s3_and_says_where_it_is(start_local):
    local = start_local("--s3_endpoint", NOWHERE)
    s3 = local.client("s3", REGION)
    with pytest.raises(botocore.exceptions.ClientError) as error:
        s3.put_object(Bucket="b", Key="k", Body=b"x")
    assert error.value.response["Error"]["Code"] == "NotImplemented"
    assert NOWHERE in error.value.response["Error"]["Message"]
    with pytest.raises(botocore.exceptions.ClientError) as error:
        s3.head_bucket(Bucket="b")
    assert error.value.response["ResponseMetadata"]["HTTPStatusCode"] == 501
    identity = local.client("sts", REGION).get_caller_identity()
    assert identity["Account"] == "123456789012"


@pytest.mark.parametrize("flags, said", [
    (["--s3_endpoint", "127.0.0.1:4566"], "http://host[:port]"),
    (["--s3_endpoint", "http://127.0.0.1:4566/path"], "http://host[:port]"),
    (["--s3_endpoint", "http://user@host"], "http://host[:port]"),
    (["--s3_endpoint", "http://host:70000"], "http://host[:port]"),
    (["--s3_access_key", "a", "--s3_secret_key", "b"], "--s3_endpoint"),
    (["--s3_endpoint", "http://h", "--s3_access_key", "a"], "--s3_secret_key"),
])
def test_flags_are_checked(tmp_path, flags, said):
    done = subprocess.run([BIN / "ts-local", "--dir", tmp_path / "d", *flags], capture_output=True, text=True,
                          timeout=60, env=clean_env(), cwd=ROOT, check=False)
    assert done.returncode == 2 and said in done.stderr, done.stderr
