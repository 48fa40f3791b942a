"""The data model that the library makes of a table is what loads the table back: boto3 writes the rows,
ts-local unloads them, batch load reads them by the generated model, and every row of the new table is
compared with the old one's. The shipped samples are held against the models of their tables too."""

import collections
import json
import os
import pathlib
import subprocess
import time

import pytest

REGION = "us-east-1"
ROOT = pathlib.Path(__file__).resolve().parents[2]
SAMPLES = ROOT / "data_model_samples"
PROGRAM = pathlib.Path(os.environ.get("TS_BUILD_DIR", ROOT / "build/release")) / "bin" / "judge_model"
BIGGEST, SMALLEST = 2**63 - 1, -(2**63)


def ask(process, database, table, time_column, *more):
    return subprocess.run([PROGRAM, database, table, time_column, *more], env=process.environment(REGION),
                          capture_output=True, check=False, encoding="utf-8", timeout=60)


def generated(process, *arguments):
    result = ask(process, *arguments)
    assert result.returncode == 0, result.stderr
    return json.loads(result.stdout)


def in_order(value):
    """Lists of mappings carry no meaning by their order."""
    if isinstance(value, dict):
        return {name: in_order(value[name]) for name in sorted(value)}
    if isinstance(value, list):
        return sorted(map(in_order, value), key=json.dumps)
    return value


def sample(name):
    return in_order(json.loads((SAMPLES / name).read_text(encoding="utf-8")))


class Tables:
    """Database m of one ts-local, and the way of a table out of it and back into another."""

    def __init__(self, process):
        self.process = process
        self.write = process.client("timestream-write", region=REGION)
        self.query = process.client("timestream-query", region=REGION)
        process.client("s3", region=REGION).create_bucket(Bucket="models")
        self.write.create_database(DatabaseName="m")

    def create(self, table):
        self.write.create_table(
            DatabaseName="m", TableName=table,
            RetentionProperties={"MemoryStoreRetentionPeriodInHours": 24, "MagneticStoreRetentionPeriodInDays": 30},
            MagneticStoreWriteProperties={"EnableMagneticStoreWrites": True})

    def put(self, table, *records):
        self.write.write_records(DatabaseName="m", TableName=table, Records=list(records))

    def rows(self, table):
        pages = self.query.get_paginator("query").paginate(QueryString=f'SELECT * FROM "m"."{table}"')
        return collections.Counter(
            frozenset((column["Name"], cell["ScalarValue"])
                      for column, cell in zip(page["ColumnInfo"], row["Data"]) if "ScalarValue" in cell)
            for page in pages for row in page["Rows"])

    def measures(self, table):
        return sorted(generated(self.process, "m", table, "any_time")["measures"])

    def there_and_back(self, table, time_column, model, timestamps=()):
        """Unloads the table, loads it into TABLE_back by the model, returns what the new table holds."""
        added = [f'to_nanoseconds(time) AS "{time_column}"']
        added += [f'to_nanoseconds("{column}") AS "{alias}"' for column, alias in timestamps]
        list(self.query.get_paginator("query").paginate(
            QueryString=f"""UNLOAD (SELECT *, {', '.join(added)} FROM "m"."{table}") TO 's3://models/{table}'
                            WITH (format = 'CSV', compression = 'NONE', include_header = 'true')"""))
        back = table + "_back"
        self.create(back)
        task = self.write.create_batch_load_task(
            DataModelConfiguration={"DataModel": model},
            DataSourceConfiguration={
                "DataSourceS3Configuration": {"BucketName": "models", "ObjectKeyPrefix": f"{table}/results/"},
                "CsvConfiguration": {"QuoteChar": '"', "EscapeChar": "\\"}, "DataFormat": "CSV"},
            ReportConfiguration={"ReportS3Configuration": {"BucketName": "models", "ObjectKeyPrefix": "report"}},
            TargetDatabaseName="m", TargetTableName=back)["TaskId"]
        deadline = time.monotonic() + 60
        while True:
            description = self.write.describe_batch_load_task(TaskId=task)["BatchLoadTaskDescription"]
            if description["TaskStatus"] not in ("CREATED", "IN_PROGRESS"):
                assert description["TaskStatus"] == "SUCCEEDED", description
                return self.rows(back)
            assert time.monotonic() < deadline, description
            time.sleep(0.02)


def single(dimensions, name, value, kind, at):
    return {"Dimensions": [{"Name": key, "Value": text} for key, text in dimensions.items()], "MeasureName": name,
            "MeasureValue": str(value), "MeasureValueType": kind, "Time": str(at), "TimeUnit": "NANOSECONDS"}


def multi(dimensions, name, at, **values):
    """values: attribute=(value, type)."""
    return {"Dimensions": [{"Name": key, "Value": text} for key, text in dimensions.items()], "MeasureName": name,
            "MeasureValues": [{"Name": key, "Value": str(value), "Type": kind}
                              for key, (value, kind) in values.items()],
            "MeasureValueType": "MULTI", "Time": str(at), "TimeUnit": "NANOSECONDS"}


@pytest.fixture(scope="module")
def tables(ts_local):
    return Tables(ts_local)


def test_the_sample_table_gives_the_shipped_sample(start_ts_local):
    process = start_ts_local("--sample")
    answer = generated(process, "sourcedb", "myTable", "nanoseconds")
    assert in_order(answer["model"]) == sample("multi_measure.json")
    assert answer["notes"] == []
    assert {(name, kind) for name, kind, _ in answer["measures"]} == {("climate", "multi"), ("power", "multi")}
    assert {name: dimensions for name, _, dimensions in answer["measures"]}["power"] == ["city", "device"]


def test_the_other_shipped_samples_fit_tables_of_their_kind(tables):
    now = time.time_ns()
    tables.create("cloudwatch")
    tables.put("cloudwatch", single({"resource": "i-1", "metric": "cpu"}, "value", 0.5, "DOUBLE", now))
    tables.create("clicks")
    shopper = {name: "x" for name in ("channel", "ip_address", "session_id", "user_id", "user_group")}
    tables.put("clicks", multi(shopper, "Purchase", now, query=("q", "VARCHAR"), product_id=("p", "VARCHAR"),
                               product=("shoe", "VARCHAR"), quantity=(2, "BIGINT")))
    for table, file in (("cloudwatch", "single_measure_mixed.json"), ("clicks", "clickstream.json")):
        answer = generated(tables.process, "m", table, "nanoseconds")
        assert in_order(answer["model"]) == sample(file)
        assert answer["notes"] == []


def test_the_sample_of_a_mixed_table_loads_it(tables):
    now = time.time_ns()
    tables.create("devices")
    device = {"device": "d-1", "site": "Zürich"}
    tables.put("devices", single(device, "battery", 0.75, "DOUBLE", now),
               multi(device, "position", now, latitude=(47.4, "DOUBLE"), longitude=(8.5, "DOUBLE"),
                     fixed_at=(now - 12_345_678_901, "TIMESTAMP")))
    aliases = ("timestamp", "fixed_at", "fixed_at_nanoseconds")
    answer = generated(tables.process, "m", "devices", "nanoseconds", *aliases)
    assert in_order(answer["model"]) == sample("mixed_with_timestamp.json")
    model = json.loads((SAMPLES / "mixed_with_timestamp.json").read_text(encoding="utf-8"))
    before = tables.rows("devices")
    assert sum(before.values()) == 2
    assert tables.there_and_back("devices", "nanoseconds", model, [aliases[1:]]) == before


def test_single_measures_of_each_type_come_back(tables):
    now = time.time_ns()
    tables.create("single")
    host = {"host": 'a "b", c\\', "Straße": "Köln"}
    tables.put("single", single(host, "cpu", 0.1, "DOUBLE", now), single(host, "cpu", 5e-324, "DOUBLE", now - 1),
               single(host, 'odd: "name", ü', 1e300, "DOUBLE", now), single(host, "n", BIGGEST, "BIGINT", now),
               single(host, "n", SMALLEST, "BIGINT", now - 1), single(host, "up", "true", "BOOLEAN", now),
               single(host, "up", "false", "BOOLEAN", now - 1), single(host, "text", ' "x",\n\\', "VARCHAR", now))
    before = tables.rows("single")
    assert sum(before.values()) == 8
    answer = generated(tables.process, "m", "single", "nanoseconds")
    assert answer["notes"] == []
    assert {(m["MeasureName"], m["SourceColumn"], m["MeasureValueType"])
            for m in answer["model"]["MixedMeasureMappings"]} == {
        ("cpu", "measure_value::double", "DOUBLE"), ('odd: "name", ü', "measure_value::double", "DOUBLE"),
        ("n", "measure_value::bigint", "BIGINT"), ("up", "measure_value::boolean", "BOOLEAN"),
        ("text", "measure_value::varchar", "VARCHAR")}
    assert tables.there_and_back("single", "nanoseconds", answer["model"]) == before
    assert tables.measures("single_back") == tables.measures("single")


def test_a_mixed_table_with_timestamps_comes_back(tables):
    """Single and multi measures in one table, two multi-measure names that share a column, TIMESTAMP
    measures, and a dimension with the usual name of the time's alias."""
    now = time.time_ns()
    tables.create("mixed")
    at = {"nanoseconds": "a dimension"}
    tables.put("mixed", single(at, "cpu", 1.5, "DOUBLE", now),
               single({**at, "host": "h"}, "n", SMALLEST, "BIGINT", now),
               multi(at, "net", now, rx=(BIGGEST, "BIGINT"), seen=(now - 7, "TIMESTAMP"), both=(0.5, "DOUBLE")),
               multi(at, "net", now - 1, rx=(0, "BIGINT")),
               multi(at, "disk", now, free=("false", "BOOLEAN"), both=(-2, "DOUBLE")),
               multi(at, "disk", now - 1, seen=(0, "TIMESTAMP"), label=('naïve, "x"', "VARCHAR")))
    before = tables.rows("mixed")
    assert sum(before.values()) == 6
    refused = ask(tables.process, "m", "mixed", "nanoseconds")
    assert refused.returncode == 1
    assert 'two columns named "nanoseconds"' in refused.stderr
    answer = generated(tables.process, "m", "mixed", "at_ns", "timestamp", "seen", "seen_ns")
    assert len(answer["notes"]) == 2, answer["notes"]
    assert "seen" in answer["notes"][0] and '"disk"' in answer["notes"][1]
    after = tables.there_and_back("mixed", "at_ns", answer["model"], [("seen", "seen_ns")])
    assert after == before
    assert tables.measures("mixed_back") == tables.measures("mixed")


def test_an_empty_table_has_nothing_to_map(tables):
    tables.create("empty")
    result = ask(tables.process, "m", "empty", "nanoseconds")
    assert result.returncode == 1
    assert "nothing to map" in result.stderr
