"""Data models that change what is loaded: the generated one, edited as the samples show, each loaded and compared row by row with
what the source's rows become; and models that are refused."""

import collections
import json

import pytest
from e2e_harness import SAMPLES, assert_equal_tables, dimensions, expect, measures
from e2e_load import Load
from e2e_unload import REGION, Unload, bulk_csv, days

RECENT = 19000


def make(start_local, *unload_flags):
    local = start_local("--unload_rate", "0")
    return Load(local, bulk_csv(days(RECENT, 3), 5), "--partition", "day", *unload_flags)


def generated(load):
    told = expect(load.local.run("ts-batchload", "check", *load.flags("--json")), 0)
    (planned,) = [event for event in map(json.loads, told.stdout.splitlines()) if event["kind"] == "table_planned"]
    return json.loads(planned["data_model"])


def edited(load, tmp_path, edit):
    model = generated(load)
    edit(model)
    path = tmp_path / "model.json"
    path.write_text(json.dumps(model))
    return path


def attributes(model):
    return model["MultiMeasureMappings"]["MultiMeasureAttributeMappings"]


def attribute(model, name):
    (found,) = [one for one in attributes(model) if one["SourceColumn"] == name]
    return found


def become(rows, change):
    """The multiset of rows after `change` of each, given as a dict."""
    made = collections.Counter()
    for row, count in rows.items():
        made[frozenset(change(dict(row)).items())] += count
    return made


def source_rows(load):
    return load.local.rows(REGION, "source", "readings")


def rename(model):
    (device,) = [one for one in model["DimensionMappings"] if one["SourceColumn"] == "device"]
    device["DestinationColumn"] = "sensor"
    attribute(model, "value")["TargetMultiMeasureAttributeName"] = "celsius"


def renamed(row):
    row["sensor"] = row.pop("device")
    row["celsius"] = row.pop("value")
    return row


def drop(model):
    model["MultiMeasureMappings"]["MultiMeasureAttributeMappings"] = [one for one in attributes(model)
                                                                      if one["SourceColumn"] not in ("n", "note")]


def dropped(row):
    return {name: value for name, value in row.items() if name not in ("n", "note")}


def other_name(model):
    del model["MeasureNameColumn"]
    model["MultiMeasureMappings"]["TargetMultiMeasureName"] = "weather"


def other_named(row):
    return {**row, "measure_name": "weather"}


def change_types(model):
    attribute(model, "n")["MeasureValueType"] = "DOUBLE"
    attribute(model, "ok")["MeasureValueType"] = "VARCHAR"


def of_changed_types(row):
    return {**row, "n": float(row["n"])}


CHANGES = {
    "renamed": (rename, renamed, ["celsius", "sensor"]),
    "dropped": (drop, dropped, ["n", "note"]),
    "other-measure-name": (other_name, other_named, ["weather"]),
    "other-types": (change_types, of_changed_types, ["n", "ok"]),
}


@pytest.mark.parametrize("change", CHANGES)
def test_an_edited_model(start_local, tmp_path, change):
    """What check says of it names each column that differs; what it loads is what the source's rows become."""
    edit, expected, named = CHANGES[change]
    load = make(start_local)
    flags = ("--data_model_file", edited(load, tmp_path, edit))
    told = expect(load.local.run("ts-batchload", "check", *load.flags(*flags)), 0).stdout
    notes = "\n".join(line for line in told.splitlines() if line.startswith(("note", " ")))
    for name in named:
        assert name in notes, (name, told)
    result = expect(load.run(*flags), 0)
    assert "every row proven" in result.stdout, result.stdout
    loaded = load.rows()
    if change == "other-types":
        loaded = become(loaded, of_changed_types)
        (types,) = [{column["name"]: column["type"] for column in described(load)}]
        assert (types["n"], types["ok"]) == ("double", "varchar"), types
    assert_equal_tables(become(source_rows(load), expected), loaded)


def described(load):
    """Name and type of the target's columns."""
    for row in load.local.query(REGION, 'DESCRIBE "target"."readings"'):
        yield {"name": row["Column"], "type": row["Type"]}


def test_measure_values_of_single_measures_by_another_name(start_local, tmp_path):
    """A single-measure table: a measure's name changed, and another left out with all its rows."""
    local = start_local("--unload_rate", "0")
    source = Unload(local, "")
    records = [{"Dimensions": dimensions(device=f"d{i % 2}"), "MeasureName": name, "MeasureValueType": kind, "MeasureValue": value,
                "Time": str(RECENT * 86400 * 10**9 + i * 3600 * 10**9), "TimeUnit": "NANOSECONDS"}
               for i in range(12) for name, kind, value in (("load", "DOUBLE", str(i / 4)), ("state", "VARCHAR", f"s{i}"))]
    assert not local.write(REGION, "source", "readings", records)
    load = Load.of(source, "--partition", "day")

    def edit(model):
        (mapping,) = [one for one in model["MixedMeasureMappings"] if one["MeasureName"] == "load"]
        mapping["TargetMeasureName"] = "power"
        assert {one["MeasureName"] for one in model["MixedMeasureMappings"]} == {"load", "state"}
    result = expect(load.run("--data_model_file", edited(load, tmp_path, edit)), 0)
    assert "every row proven" in result.stdout
    assert_equal_tables(become(source_rows(load), lambda row: {
        **row, "measure_name": row["measure_name"].replace("load", "power")}), load.rows())


def test_two_measure_names_made_one(start_local, tmp_path):
    """Rows of two names at one time and place fall together: that stops, and with consent the rest is loaded unproven."""
    local = start_local("--unload_rate", "0")
    source = Unload(local, "")
    records = [{"Dimensions": dimensions(device="d"), "MeasureName": name, "MeasureValueType": "MULTI", "MeasureValues": measures(v=i),
                "Time": str(RECENT * 86400 * 10**9 + i * 10**9), "TimeUnit": "NANOSECONDS"}
               for i in range(6) for name in ("inside", "outside")]
    assert not local.write(REGION, "source", "readings", records)
    load = Load.of(source, "--partition", "day")
    model = ("--data_model_file", edited(load, tmp_path, other_name))
    refused = expect(load.run(*model), 2)
    assert "--allow_key_change" in refused.stderr and "measure" in refused.stderr, refused.stderr
    assert not local.tasks(REGION)
    expect(load.run(*model, "--allow_key_change", "--verify", "none"), 0)
    assert sum(load.rows().values()) == 6


def put_type(name, kind):
    return lambda model: attribute(model, name).update(MeasureValueType=kind)


@pytest.mark.parametrize("edit, said", [
    (put_type("value", "NUMBER"), "NUMBER"),
    (lambda model: model.pop("TimeColumn"), "TimeColumn"),
    (lambda model: model.update(TimeColumn="nanosecond"), "nanosecond"),
    (lambda model: model.update(TimeUnit="HOURS"), "HOURS"),
    (lambda model: attribute(model, "value").update(TargetMultiMeasureAttributeName="time"), "time"),
    (lambda model: attribute(model, "value").update(TargetMultiMeasureAttributeName="n"), "n"),
    (lambda model: model.update(MixedMeasureMappings=[]), "MixedMeasureMappings"),
    (lambda model: model["DimensionMappings"].append({"SourceColumn": "note", "DestinationColumn": "device"}), "device"),
], ids=["no-such-type", "no-time", "misspelt-time", "no-such-unit", "reserved", "twice", "both-kinds", "two-dimensions"])
def test_a_wrong_model_costs_nothing(start_local, tmp_path, edit, said):
    """Refused with its fault named, by check and by the run alike, and nothing was made."""
    load = make(start_local)
    flags = load.flags("--data_model_file", edited(load, tmp_path, edit), "--partition_key", "device")
    for words in (["check", *flags], flags):
        result = expect(load.local.run("ts-batchload", *words), 2)
        assert said in result.stderr, result.stderr
    assert not load.local.tasks(REGION) and load.runs() == []
    databases = load.local.client("timestream-write", REGION).list_databases()["Databases"]
    assert [database["DatabaseName"] for database in databases] == ["source"]


def test_text_as_numbers_costs_one_group(start_local, tmp_path):
    """That no value is a number can't be told before: check says what will be refused, and the canary alone is submitted."""
    load = make(start_local)
    flags = ("--data_model_file", edited(load, tmp_path, put_type("note", "BIGINT")))
    told = expect(load.local.run("ts-batchload", "check", *load.flags(*flags)), 0).stdout
    assert '"note" changes from VARCHAR to BIGINT' in told, told
    result = expect(load.run(*flags), 1)
    assert "loaded alone before all others, failed" in result.stderr and "The value of the column note" in result.stderr, result.stderr
    assert len(load.local.tasks(REGION)) == 1


def test_types_against_the_target(start_local):
    """The target has a column of another type: refused, with both types named."""
    load = make(start_local)
    load.local.make_table(REGION, "target", "readings")
    assert not load.local.write(REGION, "target", "readings", [
        {"Dimensions": dimensions(device="x"), "MeasureName": "climate", "MeasureValueType": "MULTI", "TimeUnit": "NANOSECONDS",
         "MeasureValues": measures(value="text"), "Time": str((RECENT - 99) * 86400 * 10**9)}])
    result = expect(load.run(create=False), 2)
    assert "value" in result.stderr and "varchar" in result.stderr.lower() and "double" in result.stderr.lower(), result.stderr
    assert not load.local.tasks(REGION)


@pytest.mark.parametrize("sample", sorted(SAMPLES.glob("*.json")), ids=lambda path: path.stem)
def test_the_samples_are_read(local, sample):
    """Each is a data model as far as can be told without its files: what is then refused is the missing bucket."""
    result = expect(local.run("ts-batchload", "--region", REGION, "--database", "d", "--table", "t", "--data_model_file", sample,
                              "--s3_target_bucket", "absent-files", "--s3_target_error_bucket", "absent-errors"), 2)
    assert "absent-files" in result.stderr and "data_model" not in result.stderr, result.stderr
