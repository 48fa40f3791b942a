"""--data_model_out: the model that ts-unload writes loads the table back through ts-batchload as it stands."""

import json
import re
import time

import pytest
import test_real_data
from e2e_harness import assert_equal_tables, dimensions, expect, measures

REGION, BUCKET, ERRORS = "us-east-1", "model-unload", "model-errors"


def there_and_back(local, folder, database, table, key, *unload_flags, load_flags=(), code=0):
    """Unloads with a generated model and loads by it, in place; gives the model, and what ts-unload told."""
    model = folder / "model.json"
    for bucket in (BUCKET, ERRORS):
        local.make_bucket(bucket, REGION)
    unload = expect(local.run("ts-unload", "--region", REGION, "--database", database, "--table", table, "--s3_uri",
                              f"s3://{BUCKET}/u", "--data_model_out", model, "--start_interval", "0.01",
                              *(unload_flags or ("--partition", "day"))), 0)
    assert "data model written to" in unload.stderr
    load = local.run("ts-batchload", "--region", REGION, "--database", "back", "--table", table,
                     "--create_timestream_resource", "--partition_key", key, "--s3_target_bucket", BUCKET,
                     "--destination_s3_prefix", "u/results/", "--s3_target_error_bucket", ERRORS,
                     "--data_model_file", model, "--poll_interval", "0.1", "--create_interval", "0.05", *load_flags,
                     timeout=1200)
    expect(load, code)
    return json.loads(model.read_text()), unload


def assert_back(local, database, table):
    source = local.rows(REGION, database, table)
    assert source
    assert_equal_tables(source, local.rows(REGION, "back", table))


def put(local, table, records):
    local.make_table(REGION, "source", table)
    assert not local.write(REGION, "source", table, records)


def start():
    return (int(time.time()) // 86400 - 4) * 86400 * 10**9


def row(i, values, name="m"):
    """The i-th record, eight a day: of multi-measure values, or of one type and value."""
    record = {"Dimensions": dimensions(city=["Zürich", "Oslo"][i % 2], device=f"d{i % 3}"), "MeasureName": name,
              "Time": str(start() + i * 3 * 3600 * 10**9 + i), "TimeUnit": "NANOSECONDS"}
    if isinstance(values, list):
        return {**record, "MeasureValueType": "MULTI", "MeasureValues": values}
    return {**record, "MeasureValueType": values[0], "MeasureValue": values[1]}


SINGLES = [("DOUBLE", "0.125"), ("BIGINT", str(2**60)), ("BOOLEAN", "true"), ("VARCHAR", 'a "quoted, text"')]


def test_the_sample_table(start_local, tmp_path):
    local = start_local("--sample", "--region", REGION)
    model, _ = there_and_back(local, tmp_path, "sourcedb", "myTable", "city")
    assert "MultiMeasureMappings" in model
    assert_back(local, "sourcedb", "myTable")


def test_awkward_texts_and_several_slices(small, tmp_path):
    there_and_back(small.local, tmp_path, "source", "readings", "city", "--partition", "day", "--max_partitions", "1")
    assert_back(small.local, "source", "readings")


def test_single_measures_of_every_type(local, tmp_path):
    names = ["temperature", "count", "on", "state"]
    put(local, "single", [row(i, SINGLES[i % 4], names[i % 4]) for i in range(24)])
    model, _ = there_and_back(local, tmp_path, "source", "single", "city")
    assert sorted(mapping["MeasureName"] for mapping in model["MixedMeasureMappings"]) == sorted(names)
    assert_back(local, "source", "single")


def test_a_mixed_table(local, tmp_path):
    """Two multi-measure names with columns of their own beside two single ones."""
    records = []
    for i in range(24):
        records.append([
            lambda: row(i, measures(load=i / 8, ok=True), "power"),
            lambda: row(i, measures(note="it's, so", count=i), "log"),
            lambda: row(i, SINGLES[0], "temperature"),
            lambda: row(i, SINGLES[3], "state")][i % 4]())
    put(local, "mixed", records)
    model, unload = there_and_back(local, tmp_path, "source", "mixed", "device")
    kinds = {mapping["MeasureName"]: mapping["MeasureValueType"] for mapping in model["MixedMeasureMappings"]}
    assert kinds == {"power": "MULTI", "log": "MULTI", "temperature": "DOUBLE", "state": "VARCHAR"}
    assert "multi-measure names that each map every multi-measure column" in unload.stderr
    assert_back(local, "source", "mixed")


def test_timestamp_measures(local, tmp_path):
    """As epoch nanoseconds beside the text, in a multi-measure record and as a measure of its own."""
    moment = start() + 987_654_321
    put(local, "stamps", [
        row(i, measures(load=i / 2) + [{"Name": "seen", "Type": "TIMESTAMP", "Value": str(moment + i)}]) if i % 2
        else row(i, SINGLES[0], "temperature") for i in range(16)])
    model, unload = there_and_back(local, tmp_path, "source", "stamps", "city")
    text = json.dumps(model)
    assert '"seen_nanoseconds"' in text and '"TIMESTAMP"' in text
    assert "TIMESTAMP measures, loaded from nanoseconds since 1970" in unload.stderr
    assert_back(local, "source", "stamps")


def test_columns_with_the_names_that_are_added(local, tmp_path):
    """Dimensions and measures called as what ts-unload adds: each keeps its name, and the added ones get others."""
    extra = dimensions(partition_date="2020-01-01", nanoseconds_2="dim")
    records = []
    for i in range(16):
        record = row(i, measures(nanoseconds=i * 10, partition_date_2="text", load=i / 2))
        record["Dimensions"] = record["Dimensions"] + extra
        records.append(record)
    put(local, "collide", records)
    model, _ = there_and_back(local, tmp_path, "source", "collide", "city")
    assert model["TimeColumn"] == "nanoseconds_3"
    folders = {key.split("/")[2].split("=")[0] for key in local.keys(BUCKET, REGION, "u/results/")}
    assert folders == {"partition_date_3"}
    assert_back(local, "source", "collide")


def test_measures_called_as_the_columns_of_single_values_and_stamps(local, tmp_path):
    """A TIMESTAMP measure beside a column that has the name its nanoseconds would get."""
    values = measures(seen_nanoseconds=5) + [{"Name": "seen", "Type": "TIMESTAMP", "Value": str(start())}]
    put(local, "stamp", [row(i, values) for i in range(8)])
    model, _ = there_and_back(local, tmp_path, "source", "stamp", "city")
    sources = {mapping["TargetMultiMeasureAttributeName"]: mapping["SourceColumn"]
               for mapping in model["MultiMeasureMappings"]["MultiMeasureAttributeMappings"]}
    assert sources == {"seen": "seen_nanoseconds_2", "seen_nanoseconds": "seen_nanoseconds"}
    assert_back(local, "source", "stamp")


def test_chosen_columns_are_all_that_is_mapped(small, tmp_path):
    model, unload = there_and_back(small.local, tmp_path, "source", "readings", "city", "--columns",
                                   "city,device,floor,measure_name,temperature")
    assert re.search("measures not in the files.*samples", unload.stderr)
    wanted = {"city", "device", "floor", "measure_name", "temperature", "time"}
    source = [{name: cell for name, cell in dict(r).items() if name in wanted} for r in small.source]
    back = [dict(r) for r in small.local.rows(REGION, "back", "readings").elements()]
    assert sorted(map(str, map(sorted, map(dict.items, source)))) == sorted(map(str, map(sorted, map(dict.items, back))))


def test_a_table_that_was_never_written_gets_none_and_that_is_said(local, tmp_path):
    local.make_table(REGION, "source", "empty")
    local.make_bucket(BUCKET, REGION)
    result = expect(local.run("ts-unload", "--region", REGION, "--database", "source", "--table", "empty", "--s3_uri",
                              f"s3://{BUCKET}/u", "--data_model_out", tmp_path / "model.json"), 0)
    assert "--data_model_out: no data model for source.empty" in result.stderr
    assert not (tmp_path / "model.json").exists()


@pytest.mark.slow
@pytest.mark.timeout(1500)
def test_cloudwatch(local, tmp_path):
    records = test_real_data.cloudwatch_records()
    local.make_table(REGION, "cloudwatch", "metrics")
    assert len(local.write(REGION, "cloudwatch", "metrics", records)) <= 22
    model, _ = there_and_back(local, tmp_path, "cloudwatch", "metrics", "resource",
                              load_flags=("--magnetic_store_retention_in_days", "7300"))
    assert [mapping["MeasureName"] for mapping in model["MixedMeasureMappings"]] == ["value"]
    assert local.count(REGION, "back", "metrics") == 67_718
    assert_back(local, "cloudwatch", "metrics")


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_clickstream(local, tmp_path):
    records = test_real_data.clickstream_records()
    local.make_table(REGION, "shop", "clicks")
    assert not local.write(REGION, "shop", "clicks", records)
    there_and_back(local, tmp_path, "shop", "clicks", "channel")
    assert local.count(REGION, "back", "clicks") == 13_009
    assert_back(local, "shop", "clicks")
