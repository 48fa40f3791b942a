#!/usr/bin/env python3
"""How ts-local bears a big table: rows in by batch load, questions over them, rows out by UNLOAD.

Starts a ts-local of its own on a free port and a fresh folder, makes ROWS rows of sensor readings
spread evenly over DAYS days, puts them as CSV objects, loads one object per batch load task, one
task after another, and asks: COUNT(*), a GROUP BY over one day, a count over a range of time, an
UNLOAD by day. Each answer is checked against what was made. Prints seconds and rows per second for
every step, then the bytes of the database and the objects, and the process's peak memory (VmHWM).

    python3 bench/ts_local_rows.py --ts_local build/release/bin/ts-local [--rows 1000000]
        [--days 10] [--series 500] [--object_rows 1000000] [--dir FOLDER]

Needs Linux (/proc) and boto3; about 150 bytes of disk per row in FOLDER (default: a temporary
folder, removed at the end). Exit code 0 when every answer was right, 1 otherwise.
"""

import argparse
import json
import os
import pathlib
import random
import signal
import subprocess
import sys
import tempfile
import time

import boto3
import botocore.config

REGION = "us-east-1"
DAY_NS = 86_400 * 10**9
DATABASE, TABLE = "bench", "readings"
NAME = f'"{DATABASE}"."{TABLE}"'
MODEL = {
    "TimeColumn": "nanoseconds",
    "TimeUnit": "NANOSECONDS",
    "MeasureNameColumn": "measure_name",
    "DimensionMappings": [{"SourceColumn": "city"}, {"SourceColumn": "device"}],
    "MultiMeasureMappings": {
        "MultiMeasureAttributeMappings": [
            {"SourceColumn": "temperature", "MeasureValueType": "DOUBLE"},
            {"SourceColumn": "samples", "MeasureValueType": "BIGINT"},
            {"SourceColumn": "state", "MeasureValueType": "VARCHAR"},
        ]
    },
}
STATES = ("on", "off", "stand-by", "")


class Server:
    """One ts-local with its folder and clients."""

    def __init__(self, program, folder):
        self.folder = pathlib.Path(folder)
        port_file = self.folder / "port"
        self.process = subprocess.Popen(
            [program, "--port", "0", "--port_file", port_file, "--dir", self.folder / "data"],
            stdout=subprocess.DEVNULL,
        )
        deadline = time.monotonic() + 60
        while not (port_file.exists() and port_file.read_text().strip()):
            if self.process.poll() is not None or time.monotonic() > deadline:
                sys.exit("ts-local did not get ready")
            time.sleep(0.01)
        self.endpoint = f"http://127.0.0.1:{port_file.read_text().strip()}"

    def client(self, service):
        return boto3.client(
            service,
            region_name=REGION,
            endpoint_url=self.endpoint,
            aws_access_key_id="test",
            aws_secret_access_key="test",
            config=botocore.config.Config(
                retries={"max_attempts": 1, "mode": "standard"}, read_timeout=600, proxies={}
            ),
        )

    def peak_kib(self):
        for line in pathlib.Path(f"/proc/{self.process.pid}/status").read_text().splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1])
        sys.exit("/proc tells no peak memory")

    def bytes_below(self, suffixes):
        files = (p for p in self.folder.rglob("*") if p.is_file())
        return sum(p.stat().st_size for p in files if (".db" in p.name or ".sqlite" in p.name) == suffixes)

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(timeout=120)


class Rows:
    """The rows of the bench: row i of n stands at start + i * step, in series i % series."""

    def __init__(self, count, days, series, start_ns):
        self.count, self.start_ns = count, start_ns
        self.step_ns = max(1, days * DAY_NS // count)
        self.heads = [f"city-{k % 20},device-{k},climate," for k in range(series)]
        chance = random.Random(1)
        self.tails = [
            f"{chance.uniform(-20, 40)!r},{chance.randrange(10**6)},{chance.choice(STATES)}," for _ in range(4096)
        ]

    def csv(self, first, last):
        heads, tails, series = self.heads, self.tails, len(self.heads)
        lines = ["city,device,measure_name,temperature,samples,state,nanoseconds"]
        lines += [
            f"{heads[i % series]}{tails[i * 31 & 4095]}{self.start_ns + i * self.step_ns}"
            for i in range(first, last)
        ]
        lines.append("")
        return "\n".join(lines).encode()

    def between(self, from_ns, to_ns):
        """How many rows have from_ns <= time < to_ns."""
        first = max(0, -((self.start_ns - from_ns) // self.step_ns))
        last = min(self.count, max(0, -((self.start_ns - to_ns) // self.step_ns)))
        return max(0, last - first)


class Bench:
    def __init__(self, server, options):
        self.server, self.options = server, options
        self.s3, self.write, self.query = map(server.client, ("s3", "timestream-write", "timestream-query"))
        self.wrong = 0
        today = time.time_ns() // DAY_NS * DAY_NS
        self.start_ns = today - options.days * DAY_NS
        self.rows = Rows(options.rows, options.days, options.series, self.start_ns)

    def step(self, name, rows, work):
        began = time.monotonic()
        result = work()
        seconds = time.monotonic() - began
        print(f"{name:<28} {seconds:9.2f} s {rows / max(seconds, 1e-9):14,.0f} rows/s", flush=True)
        return result

    def check(self, what, found, expected):
        if found != expected:
            self.wrong += 1
            print(f"WRONG: {what}: {found}, not {expected}")

    def prepare(self):
        for bucket in ("bench-source", "bench-target", "bench-reports"):
            self.s3.create_bucket(Bucket=bucket)
        self.write.create_database(DatabaseName=DATABASE)
        self.write.create_table(
            DatabaseName=DATABASE,
            TableName=TABLE,
            RetentionProperties={
                "MemoryStoreRetentionPeriodInHours": 24,
                "MagneticStoreRetentionPeriodInDays": self.options.days + 30,
            },
            MagneticStoreWriteProperties={"EnableMagneticStoreWrites": True},
        )

    def put_objects(self):
        size = self.options.object_rows
        parts = range(0, self.options.rows, size)
        for first in parts:
            body = self.rows.csv(first, min(first + size, self.options.rows))
            self.s3.put_object(Bucket="bench-source", Key=f"in/{first:012d}/rows.csv", Body=body)
        return [f"in/{first:012d}/" for first in parts]

    def load(self, prefix):
        task = self.write.create_batch_load_task(
            DataModelConfiguration={"DataModel": MODEL},
            DataSourceConfiguration={
                "DataSourceS3Configuration": {"BucketName": "bench-source", "ObjectKeyPrefix": prefix},
                "CsvConfiguration": {"QuoteChar": '"', "EscapeChar": "\\"},
                "DataFormat": "CSV",
            },
            ReportConfiguration={"ReportS3Configuration": {"BucketName": "bench-reports", "ObjectKeyPrefix": "r"}},
            TargetDatabaseName=DATABASE,
            TargetTableName=TABLE,
        )["TaskId"]
        while True:
            found = self.write.describe_batch_load_task(TaskId=task)["BatchLoadTaskDescription"]
            if found["TaskStatus"] not in ("CREATED", "IN_PROGRESS", "PENDING_RESUME"):
                break
            time.sleep(0.05)
        self.check(f"status of {prefix}", found["TaskStatus"], "SUCCEEDED")

    def ask(self, sql):
        pages = self.query.get_paginator("query").paginate(QueryString=sql)
        return [[cell.get("ScalarValue") for cell in row["Data"]] for page in pages for row in page["Rows"]]

    def run(self):
        total = self.options.rows
        self.prepare()
        prefixes = self.step("make and put CSV objects", total, self.put_objects)
        self.step("batch loads", total, lambda: [self.load(prefix) for prefix in prefixes])
        counted = self.step("COUNT(*)", total, lambda: self.ask(f"SELECT count(*) FROM {NAME}"))
        self.check("COUNT(*)", counted, [[str(total)]])

        day = self.start_ns + self.options.days // 2 * DAY_NS
        bounds = f"time >= from_nanoseconds({day}) AND time < from_nanoseconds({day + DAY_NS})"
        in_day = self.rows.between(day, day + DAY_NS)
        groups = self.step(
            "GROUP BY over one day",
            in_day,
            lambda: self.ask(f"SELECT city, count(*), avg(temperature) FROM {NAME} WHERE {bounds} GROUP BY city"),
        )
        self.check("rows of one day", sum(int(group[1]) for group in groups), in_day)

        hour = day + DAY_NS // 24 * 5
        bounds = f"time >= from_nanoseconds({hour}) AND time < from_nanoseconds({hour + 36 * DAY_NS // 24})"
        in_range = self.rows.between(hour, hour + 36 * DAY_NS // 24)
        counted = self.step(
            "count over 36 hours", in_range, lambda: self.ask(f"SELECT count(*) FROM {NAME} WHERE {bounds}")
        )
        self.check("rows of 36 hours", counted, [[str(in_range)]])

        unload = (
            f"UNLOAD (SELECT *, to_nanoseconds(time) AS nanoseconds, date_format(time, '%Y-%m-%d') AS day "
            f"FROM {NAME}) TO 's3://bench-target/out' WITH (partitioned_by = ARRAY['day'], format = 'CSV', "
            f"compression = 'NONE', include_header = 'true', max_file_size = '1GB')"
        )
        reply = self.step("UNLOAD by day", total, lambda: self.ask(unload))
        self.check("rows unloaded", reply[0][0], str(total))
        key = reply[0][2].removeprefix("s3://bench-target/")
        manifest = json.loads(self.s3.get_object(Bucket="bench-target", Key=key)["Body"].read())
        listed = sum(file["file_metadata"]["row_count"] for file in manifest["result_files"])
        self.check("rows of the manifest's files", listed, total)

        database = self.server.bytes_below(True)
        print(f"database                     {database:14,d} bytes {database / total:8.1f} a row")
        print(f"objects                      {self.server.bytes_below(False):14,d} bytes")
        print(f"peak memory of ts-local      {self.server.peak_kib():14,d} KiB")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--ts_local", required=True, metavar="PROGRAM", help="the ts-local to measure")
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--days", type=int, default=10, help="UTC days the rows spread over (at most 100)")
    parser.add_argument("--series", type=int, default=500, help="different combinations of dimensions")
    parser.add_argument("--object_rows", type=int, default=1_000_000, help="rows of one CSV object")
    parser.add_argument("--dir", help="where the bench makes its folder (default: the system's)")
    options = parser.parse_args()
    if min(options.rows, options.days, options.series, options.object_rows) < 1 or options.days > 100:
        parser.error("numbers must be at least 1, and --days at most 100")
    os.environ.pop("AWS_CA_BUNDLE", None)  # plain HTTP to this machine: nothing to verify
    with tempfile.TemporaryDirectory(prefix="ts-local-bench-", dir=options.dir) as folder:
        server = Server(options.ts_local, folder)
        try:
            bench = Bench(server, options)
            bench.run()
        finally:
            server.stop()
    sys.exit(1 if bench.wrong else 0)


if __name__ == "__main__":
    main()
