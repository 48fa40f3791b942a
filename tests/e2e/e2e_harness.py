"""What the whole-process tests share: ts-local as a process, the two programs as processes, tables as sets of rows.

Nothing of the project's C++ is used to judge it: rows are written and read through boto3.
"""

import atexit
import collections
import functools
import json
import os
import pathlib
import signal
import subprocess
import tempfile
import threading
import time

import boto3
import botocore.config

ROOT = pathlib.Path(__file__).resolve().parents[2]
SHARED = ROOT.parent / "shared"
SAMPLES = ROOT / "data_model_samples"
BIN = pathlib.Path(os.environ.get("TS_BUILD_DIR", ROOT / "build/release")) / "bin"
# Programs under the thread sanitizer need more time for each step: what runs beside them must last longer.
PACE = 3 if BIN.parent.name == "tsan" else 1
ACCOUNT = "123456789012"
KEY, SECRET = "test", "test"
SANITIZER_SIGNS = ("AddressSanitizer", "ThreadSanitizer", "LeakSanitizer", "runtime error:")


@functools.cache
def scratch_state_home():
    """Where runs are remembered that have no ts-local of their own; gone when the tests end."""
    folder = tempfile.TemporaryDirectory(prefix="ts-state-")
    atexit.register(folder.cleanup)
    return folder.name


def clean_env(**extra):
    """The environment of a program under test: nothing of the caller's AWS settings, then `extra` (None removes)."""
    env = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "TSM_"))}
    env.update(AWS_EC2_METADATA_DISABLED="true", AWS_CONFIG_FILE="/dev/null", AWS_SHARED_CREDENTIALS_FILE="/dev/null",
               NO_PROXY="127.0.0.1", no_proxy="127.0.0.1", XDG_STATE_HOME=scratch_state_home())
    env.update({name: value for name, value in extra.items() if value is not None})
    for name in (name for name, value in extra.items() if value is None):
        env.pop(name, None)
    return env


class Local:
    """One ts-local process with a folder of its own; several regions live in it."""

    def __init__(self, folder, *flags):
        self.folder = pathlib.Path(folder)
        self.folder.mkdir(parents=True, exist_ok=True)
        self.flags = [str(flag) for flag in flags]
        self.process = None
        self.port = None
        self.state_home = self.folder / "state"  # of the programs that this one serves

    @property
    def state_dir(self):
        return self.state_home / "ts-migration"

    def start(self):
        port_file = self.folder / "port"
        port_file.unlink(missing_ok=True)
        self.log = open(self.folder / "ts-local.log", "ab")
        self.process = subprocess.Popen(
            [BIN / "ts-local", "--port", "0", "--port_file", port_file, "--dir", self.folder / "data", *self.flags],
            stdin=subprocess.DEVNULL, stdout=self.log, stderr=self.log, env=clean_env())
        deadline = time.monotonic() + 120
        while not port_file.exists():
            if self.process.poll() is not None or time.monotonic() > deadline:
                raise AssertionError(f"ts-local did not come up: {self.log_text()}")
            time.sleep(0.02)
        self.port = int(port_file.read_text().strip())
        return self

    def log_text(self):
        return (self.folder / "ts-local.log").read_text(errors="replace")

    def stop(self):
        """SIGTERM, and a clean end: a crash or a sanitizer's report in the stand-in fails the test that used it."""
        if self.process is None:
            return
        process, self.process = self.process, None
        if process.poll() is None:
            process.send_signal(signal.SIGTERM)
        try:
            code = process.wait(timeout=60)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            raise AssertionError("ts-local did not end within 60 s of SIGTERM") from None
        finally:
            self.log.close()
        text = self.log_text()
        assert code == 0, f"ts-local ended with {code}: {text[-4000:]}"
        assert not any(sign in text for sign in SANITIZER_SIGNS), text[-4000:]

    @property
    def endpoint(self):
        return f"http://127.0.0.1:{self.port}"

    def client(self, service, region):
        return boto3.client(service, region_name=region, endpoint_url=self.endpoint, aws_access_key_id=KEY,
                            aws_secret_access_key=SECRET,
                            config=botocore.config.Config(max_pool_connections=16, read_timeout=70,
                                                          s3={"addressing_style": "path"}))

    def run(self, program, *flags, endpoint=None, timeout=300, **env):
        """Runs ts-unload or ts-batchload to its end; returns the completed process with text streams."""
        process = self.popen(program, *flags, endpoint=endpoint, **env)
        try:
            out, err = process.communicate(timeout=timeout)
        except subprocess.TimeoutExpired:
            process.kill()
            out, err = process.communicate()
            raise AssertionError(f"{program} {flags} took more than {timeout} s\n{out}\n{err}") from None
        return check_no_report(subprocess.CompletedProcess(process.args, process.returncode, out, err))

    def popen(self, program, *flags, endpoint=None, stdout=subprocess.PIPE, **env):
        settings = {"AWS_ENDPOINT_URL": endpoint or self.endpoint, "AWS_ACCESS_KEY_ID": KEY,
                    "AWS_SECRET_ACCESS_KEY": SECRET, "XDG_STATE_HOME": str(self.state_home), **env}
        return subprocess.Popen([BIN / program, *map(str, flags)], cwd=ROOT, env=clean_env(**settings), text=True,
                                stdin=subprocess.DEVNULL, stdout=stdout, stderr=subprocess.PIPE)

    def make_bucket(self, bucket, region):
        settings = {} if region == "us-east-1" else {"CreateBucketConfiguration": {"LocationConstraint": region}}
        self.client("s3", region).create_bucket(Bucket=bucket, **settings)

    def keys(self, bucket, region, prefix=""):
        pages = self.client("s3", region).get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix)
        return [item["Key"] for page in pages for item in page.get("Contents", [])]

    def empty(self, bucket, region, prefix=""):
        s3 = self.client("s3", region)
        for key in self.keys(bucket, region, prefix):
            s3.delete_object(Bucket=bucket, Key=key)

    def make_table(self, region, database, table, memory_hours=24, magnetic_days=7300):
        write = self.client("timestream-write", region)
        try:
            write.create_database(DatabaseName=database)
        except write.exceptions.ConflictException:
            pass
        write.create_table(
            DatabaseName=database, TableName=table,
            RetentionProperties={"MemoryStoreRetentionPeriodInHours": memory_hours,
                                 "MagneticStoreRetentionPeriodInDays": magnetic_days},
            MagneticStoreWriteProperties={"EnableMagneticStoreWrites": True})

    def write(self, region, database, table, records, threads=4):
        """WriteRecords, 100 at a time; returns how many were rejected because their key stands with other data."""
        write = self.client("timestream-write", region)
        batches = [records[i:i + 100] for i in range(0, len(records), 100)]
        rejected, failures = [], []

        def work(mine):
            for batch in mine:
                try:
                    write.write_records(DatabaseName=database, TableName=table, Records=batch)
                except write.exceptions.RejectedRecordsException as error:
                    rejected.extend(error.response["RejectedRecords"])
                except Exception as error:  # carried over to the test's thread
                    failures.append(error)
                    return
        workers = [threading.Thread(target=work, args=(batches[i::threads],)) for i in range(threads)]
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join()
        assert not failures, failures
        return rejected

    def query(self, region, sql):
        """The rows of a query, each a dict of column name to text (nulls are left out)."""
        query = self.client("timestream-query", region)
        for page in query.get_paginator("query").paginate(QueryString=sql):
            names = [column["Name"] for column in page["ColumnInfo"]]
            for row in page["Rows"]:
                yield {name: cell["ScalarValue"] for name, cell in zip(names, row["Data"]) if "ScalarValue" in cell}

    def rows(self, region, database, table):
        """The whole table as a multiset of rows: equal tables have equal multisets, whatever the columns' order."""
        return collections.Counter(frozenset(row.items())
                                   for row in self.query(region, f'SELECT * FROM "{database}"."{table}"'))

    def count(self, region, database, table):
        (row,) = self.query(region, f'SELECT count(*) AS n FROM "{database}"."{table}"')
        return int(row["n"])

    def tasks(self, region):
        write, tasks, token = self.client("timestream-write", region), [], {}
        while True:
            page = write.list_batch_load_tasks(**token)
            tasks += page.get("BatchLoadTasks", [])
            if not page.get("NextToken"):
                return tasks
            token = {"NextToken": page["NextToken"]}


def changed(flags, name, *value):
    """The flags with another value for one of them; with no value the flag and its value are left out."""
    flags = list(map(str, flags))
    if name in flags:
        at = flags.index(name)
        del flags[at:at + 2]
    return flags + ([name, *value] if value else [])


def check_no_report(result):
    assert result.returncode >= 0, f"died of signal {-result.returncode}\n{result.stderr}"
    assert not any(sign in result.stderr for sign in SANITIZER_SIGNS), result.stderr[-8000:]
    return result


def expect(result, code):
    """The exit code asked for, or the whole story in the failure."""
    assert result.returncode == code, (f"{' '.join(map(str, result.args))}\nexit {result.returncode}, expected {code}"
                                       f"\n--- stdout\n{result.stdout}\n--- stderr\n{result.stderr}")
    return result


def assert_equal_tables(source, target):
    """Row for row; the failure shows a few of each side instead of tens of thousands."""
    missing, extra = source - target, target - source
    assert not missing and not extra, (
        f"{sum(missing.values())} rows missing, {sum(extra.values())} rows too many\n"
        f"missing: {[dict(row) for row in list(missing)[:3]]}\nextra: {[dict(row) for row in list(extra)[:3]]}")


def dimensions(**values):
    return [{"Name": name, "Value": value} for name, value in values.items()]


def measures(**values):
    """Measure values from Python values: bool, int, float and str become the four types of the data model."""
    kinds = {bool: "BOOLEAN", int: "BIGINT", float: "DOUBLE", str: "VARCHAR"}
    return [{"Name": name, "Type": kinds[type(value)],
             "Value": str(value).lower() if isinstance(value, bool) else repr(value) if isinstance(value, float)
             else str(value)} for name, value in values.items() if value is not None]


NOTES = ["plain", "with, comma", 'with "quotes"', "back\\slash", "two\nlines", "Zürich – 東京", 'both \\" of them', "\r\n", None]


def small_records(days=3, per_day=40, first_day=5):
    """A few recent days of rows with every kind of awkward text; older than the memory store of 24 h."""
    midnight = int(time.time()) // 86400 * 86400
    records = []
    for day in range(first_day, first_day - days, -1):
        for i in range(per_day):
            nanoseconds = (midnight - day * 86400 + i * (86400 // per_day)) * 10**9 + 123456789 + i
            city = ["Zürich", "New York, NY", "São Paulo", "Oslo"][i % 4]
            extra = dimensions(floor=str(i % 3)) if i % 5 == 0 else []
            values = measures(temperature=i / 7, samples=(i - 20) * 2**40, ok=i % 2 == 0, note=NOTES[i % len(NOTES)])
            records.append({"Dimensions": dimensions(city=city, device=f"d-{i % 6}") + extra, "MeasureName": "climate",
                            "MeasureValueType": "MULTI", "MeasureValues": values, "Time": str(nanoseconds),
                            "TimeUnit": "NANOSECONDS"})
    return records


SMALL_MODEL = {
    "TimeColumn": "nanoseconds",
    "TimeUnit": "NANOSECONDS",
    "MeasureNameColumn": "measure_name",
    "DimensionMappings": [{"SourceColumn": name, "DestinationColumn": name} for name in ("city", "device", "floor")],
    "MultiMeasureMappings": {
        "MultiMeasureAttributeMappings": [
            {"SourceColumn": name, "TargetMultiMeasureAttributeName": name, "MeasureValueType": kind}
            for name, kind in (("temperature", "DOUBLE"), ("samples", "BIGINT"), ("ok", "BOOLEAN"), ("note", "VARCHAR"))]},
}


class Small:
    """The small migration most tests use: database `source`, table `readings`, in us-east-1, buckets made beforehand."""

    region, bucket, target, errors = "us-east-1", "small-unload", "small-load", "small-errors"

    def __init__(self, local, folder, **data):
        self.local = local
        self.model = pathlib.Path(folder) / "model.json"
        self.model.write_text(json.dumps(SMALL_MODEL))
        local.make_table(self.region, "source", "readings")
        assert not local.write(self.region, "source", "readings", small_records(**data))
        for bucket in (self.bucket, self.target, self.errors):
            local.make_bucket(bucket, self.region)
        self.source = local.rows(self.region, "source", "readings")
        assert self.source

    def unload_flags(self, *more, prefix="u"):
        return ["--region", self.region, "--database", "source", "--table", "readings",
                "--s3_uri", f"s3://{self.bucket}/{prefix}", "--partition", "day", *more]

    def load_flags(self, *more, prefix="u"):
        return ["--region", self.region, "--database", "target", "--table", "readings", "--create_timestream_resource",
                "--partition_key", "city", "--copy_s3_bucket", "--s3_source_bucket_location", self.bucket,
                "--source_s3_prefix", f"{prefix}/results/", "--s3_target_bucket", self.target,
                "--destination_s3_prefix", "dest/", "--s3_target_error_bucket", self.errors,
                "--data_model_file", self.model, "--poll_interval", "0.1", "--create_interval", "0.05", *more]

    def unload(self, *more, prefix="u", **env):
        return self.local.run("ts-unload", *self.unload_flags(*more, prefix=prefix), **env)

    def load(self, *more, prefix="u", **env):
        return self.local.run("ts-batchload", *self.load_flags(*more, prefix=prefix), **env)

    def loaded(self):
        return self.local.rows(self.region, "target", "readings")
