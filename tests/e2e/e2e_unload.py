"""What the whole-process tests of ts-unload share: tables of rows in bulk, and the judgement of what an unload left.

An unload is judged by what lies in the bucket alone: the run record, the manifests that it names, the CSV files that
they name, read with boto3 and Python's csv; the table is read through boto3.
"""

import collections
import csv
import io
import json
import pathlib
import re
import urllib.request

from e2e_harness import assert_equal_tables, expect

REGION, BUCKET, DATABASE = "us-east-1", "unload-files", "source"
DAY, HOUR = 86400 * 10**9, 3600 * 10**9
NOTES = ["plain", "with, comma", 'with "quotes"', "back\\slash", "two\nlines", "Zürich – 東京", ""]
# What ts-unload appends to the table's columns.
MADE = {"nanoseconds"}


def days(first, count):
    """The midnights of so many days from 1970's day `first`, in nanoseconds."""
    return [(first + i) * DAY for i in range(count)]


def hours(first_day, count):
    return [first_day * DAY + i * HOUR for i in range(count)]


def bulk_csv(partitions, per_partition=3, columns=("floor",)):
    """Rows for ts-local's bulk load: some in each partition, the first and the last nanosecond of it among them."""
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(["time", "measure_name", "device", *columns, "value:double", "n:bigint", "ok:boolean", "note:varchar"])
    step = (partitions[1] - partitions[0]) if len(partitions) > 1 else DAY
    length = min(step, DAY)
    for p, start in enumerate(partitions):
        for i in range(per_partition):
            time = start if i == 0 else start + length - 1 if i == 1 else start + length // per_partition * (i - 1) + i
            extra = ["" if (p + i) % 4 == 0 else str(i % 3) for _ in columns]
            writer.writerow([time, "climate", f"d-{i % 7}", *extra, (p * 31 + i) / 7, p * 2**33 + i,
                             "true" if i % 2 else "false", NOTES[(p + i) % len(NOTES)]])
    return text.getvalue()


class Unload:
    """One table of a ts-local, a bucket, and runs of ts-unload from the one to the other."""

    def __init__(self, local, rows, table="readings", endpoint=None):
        self.local, self.table, self.endpoint = local, table, endpoint
        local.make_table(REGION, DATABASE, table, magnetic_days=73000)
        try:
            local.make_bucket(BUCKET, REGION)
        except Exception as error:  # a second table in the same bucket
            assert "BucketAlreadyOwnedByYou" in str(error), error
        self.written = 0
        if rows:
            self.add(rows)

    def add(self, rows):
        """Rows in bulk; they count as late ones where a run has already passed them."""
        url = f"{self.local.endpoint}/ts-local/rows?database={DATABASE}&table={self.table}&region={REGION}"
        request = urllib.request.Request(url, data=rows.encode(), method="POST")
        with urllib.request.urlopen(request, timeout=300) as answer:
            self.written += json.load(answer)["ingested"]

    def flags(self, *more, prefix="u"):
        flags = ["--region", REGION, "--database", DATABASE, "--table", self.table,
                 "--s3_uri", f"s3://{BUCKET}/{prefix}"]
        if "--start_interval" not in more:
            flags += ["--start_interval", "0.01"]
        return flags + list(more)

    def run(self, *more, prefix="u", **env):
        return self.local.run("ts-unload", *self.flags(*more, prefix=prefix), endpoint=self.endpoint, **env)

    def popen(self, *more, prefix="u", **env):
        return self.local.popen("ts-unload", *self.flags(*more, prefix=prefix), endpoint=self.endpoint, **env)

    def resume(self, run, *more, **env):
        return self.local.run("ts-unload", "resume", run, *more, endpoint=self.endpoint, **env)

    def status(self, run, **env):
        """`status --json`, which must be one JSON document."""
        return json.loads(expect(self.local.run("ts-unload", "status", run, "--json", **env), 0).stdout)

    def runs(self, **env):
        """Ids of the runs that this machine remembers."""
        shown = expect(self.local.run("ts-unload", "list", "--json", **env), 0).stdout
        return [json.loads(line)["run_id"] for line in shown.splitlines()]

    # What the bucket holds.

    def read(self, key):
        return self.local.client("s3", REGION).get_object(Bucket=BUCKET, Key=key)["Body"].read()

    def keys(self, prefix=""):
        return self.local.keys(BUCKET, REGION, prefix)

    def objects(self, prefix=""):
        """Key to ETag and time: what must not change is the same before and after."""
        pages = self.local.client("s3", REGION).get_paginator("list_objects_v2").paginate(Bucket=BUCKET, Prefix=prefix)
        return {item["Key"]: (item["ETag"], item["LastModified"]) for page in pages
                for item in page.get("Contents", [])}

    def uploads(self):
        return self.local.client("s3", REGION).list_multipart_uploads(Bucket=BUCKET).get("Uploads", [])

    def records(self, prefix="u"):
        found = [key for key in self.keys(f"{prefix}/tsm-run-") if re.fullmatch(r".*/tsm-run-[^/]*\.json", key)]
        return [json.loads(self.read(key)) for key in found]

    def record(self, prefix="u"):
        (record,) = self.records(prefix)
        return record

    def table_rows(self, where=""):
        rows = self.local.query(REGION, f'SELECT * FROM "{DATABASE}"."{self.table}" {where}')
        return collections.Counter(frozenset(row.items()) for row in rows)

    def unloaded_rows(self, record):
        """The rows of the files that the record's manifests name, each manifest held against its files."""
        rows = collections.Counter()
        for slice in record["slices"]:
            if not slice["manifest_uri"]:
                assert slice["rows"] == 0, slice
                continue
            manifest = json.loads(self.read(key_of(slice["manifest_uri"])))
            assert manifest["query_metadata"]["total_row_count"] == slice["rows"], slice
            found = 0
            for file in manifest["result_files"]:
                mine = list(csv_rows(self.read(key_of(file["url"]))))
                assert len(mine) == file["file_metadata"]["row_count"], file
                found += len(mine)
                rows.update(frozenset((name, value) for name, value in row.items() if name not in MADE and value != "")
                            for row in mine)
            assert found == slice["rows"], slice
        return rows

    def named(self, records):
        """Every key that records and their manifests account for."""
        keys = set()
        for record in records:
            for slice in record["slices"]:
                if not slice["manifest_uri"]:
                    continue
                manifest_key = key_of(slice["manifest_uri"])
                keys.add(manifest_key)
                folder = manifest_key.rpartition("/")[0]
                keys.update(key for key in self.keys(f"{folder}/{slice['query_id']}_") if key.endswith("_metadata.json"))
                manifest = json.loads(self.read(manifest_key))
                keys.update(key_of(file["url"]) for file in manifest["result_files"])
        return keys


def key_of(uri):
    assert uri.startswith(f"s3://{BUCKET}/"), uri
    return uri.removeprefix(f"s3://{BUCKET}/")


def csv_rows(data):
    return csv.DictReader(io.StringIO(data.decode(), newline=""), doublequote=False, escapechar="\\", strict=True)


def assert_one_manifest_per_slice(record):
    """The slices cover the range without gap or overlap, each by one query and one manifest of its own."""
    slices = sorted(record["slices"], key=lambda slice: slice["from"])
    assert record["state"] == "done", record
    assert slices[0]["from"] == record["from"] and slices[-1]["end"] == record["end"], record
    for before, after in zip(slices, slices[1:]):
        assert before["end"] == after["from"], (before, after)
    for name in ("id", "query_id", "manifest_uri"):
        values = [slice[name] for slice in slices if slice["manifest_uri"]]
        assert len(set(values)) == len(values), (name, values)
    for total in ("rows", "bytes", "files"):
        assert record[total] == sum(slice[total] for slice in slices), (total, record[total])


def assert_whole(unload, prefix="u", rows=None, beside=()):
    """The one record there, beside those of these runs, vouches for the table, row by row; returns it."""
    (record,) = [record for record in unload.records(prefix) if record["run_id"] not in beside]
    assert_one_manifest_per_slice(record)
    assert_equal_tables(unload.table_rows() if rows is None else rows, unload.unloaded_rows(record))
    return record


def strays(unload, prefix="u"):
    """Objects that no record and no manifest names, and incomplete multipart uploads."""
    records = unload.records(prefix)
    accounted = unload.named(records)
    loose = [key for key in unload.keys(f"{prefix}/") if key not in accounted
             and not re.fullmatch(r".*/tsm-run-[^/]*\.json", key)]
    return loose + [upload["Key"] for upload in unload.uploads()]


def assert_clean(unload, prefix="u"):
    assert strays(unload, prefix) == []


# A rule that strikes at no UNLOAD, but counts them all.
COUNT_UNLOADS = "Unload:1000000:QueryExecutionException"


def rule_calls(local, rule=COUNT_UNLOADS):
    """How many calls or steps this rule of ts-local's has seen."""
    with urllib.request.urlopen(f"{local.endpoint}/ts-local/fail", timeout=30) as answer:
        (found,) = [entry for entry in json.load(answer)["rules"] if entry["rule"] == rule]
    return found["calls"]


def set_rules(local, *rules):
    """Failures from now on, instead of those before."""
    for method, body in (("DELETE", None), ("POST", json.dumps({"rules": list(rules)}).encode())):
        request = urllib.request.Request(f"{local.endpoint}/ts-local/fail", data=body, method=method)
        with urllib.request.urlopen(request, timeout=30) as answer:
            assert answer.status == 200


class Earlier:
    """What lies in the bucket before a run, which must stay as it is: a finished run's files and somebody's object."""

    def __init__(self, unload):
        self.unload = unload
        expect(unload.run("--partition", "day"), 0)
        unload.local.client("s3", REGION).put_object(Bucket=BUCKET, Key="u/results-of-others/report.csv", Body=b"a,b")
        self.runs = [record["run_id"] for record in unload.records()]
        self.objects = unload.objects()

    def assert_untouched(self):
        now = self.unload.objects()
        assert {key: now.get(key) for key in self.objects} == self.objects

    def assert_good(self, result):
        """Exit 0; the table is there once, row by row; nothing of failed attempts; nothing of before is changed."""
        expect(result, 0)
        record = assert_whole(self.unload, beside=self.runs)
        assert [key for key in strays(self.unload) if key not in self.objects] == []
        self.assert_untouched()
        return record


def run_directory(local, run):
    return pathlib.Path(local.folder) / "state" / "ts-migration" / run


def attempts(unload, run):
    """Of each slice, how each attempt ended."""
    return {unit["label"]: [attempt["outcome"] for attempt in unit["attempts"]] for unit in unload.status(run)["units"]}
