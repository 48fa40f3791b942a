"""Several tables in one run: which are chosen, where each goes, and what they share."""

import json
import time

import pytest
from e2e_harness import dimensions, expect, measures

REGION, BUCKET = "us-east-1", "scope-unload"
TABLES = {("shop", "clicks"): 5, ("shop", "orders"): 3, ("shop", "orders_test"): 2, ("plant", "orders"): 4,
          ("plant", "Odd-Name_1.x"): 6}


def records(count):
    """One row an hour, of yesterday and before."""
    start = (int(time.time()) // 86400 - 2) * 86400
    return [{"Dimensions": dimensions(city=f"c{i % 2}"), "MeasureName": "m", "MeasureValueType": "MULTI",
             "MeasureValues": measures(load=i / 2), "Time": str((start + i * 3600) * 10**9), "TimeUnit": "NANOSECONDS"}
            for i in range(count)]


@pytest.fixture
def shop(local):
    for (database, table), count in TABLES.items():
        local.make_table(REGION, database, table)
        assert not local.write(REGION, database, table, records(count))
    local.make_bucket(BUCKET, REGION)
    return local


def unload(local, *flags, prefix="u", **more):
    return local.run("ts-unload", "--region", REGION, "--s3_uri", f"s3://{BUCKET}/{prefix}", "--start_interval", "0.01",
                     *flags, **more)


def read_json(local, key):
    return json.loads(local.client("s3", REGION).get_object(Bucket=BUCKET, Key=key)["Body"].read())


def assert_unloaded(local, tables, prefix="u"):
    """The index names exactly these tables; each has its record, and all its rows, in its own folder."""
    (index_key,) = [key for key in local.keys(BUCKET, REGION, f"{prefix}/") if key.count("/") == 1]
    index = read_json(local, index_key)
    assert (index["version"], index["kind"], index["state"]) == (2, "index", "done")
    found = {(entry["database"], entry["table"]): entry["record"] for entry in index["tables"]}
    assert set(found) == set(tables)
    for (database, table), uri in found.items():
        folder = f"{prefix}/{database}/{table}/"
        assert uri == f"s3://{BUCKET}/{folder}tsm-run-{index['run_id']}.json"
        record = read_json(local, uri.removeprefix(f"s3://{BUCKET}/"))
        assert (record["database"], record["table"], record["run_id"]) == (database, table, index["run_id"])
        assert (record["state"], record["rows"]) == ("done", TABLES[database, table])
        assert all(part["manifest_uri"].startswith(f"s3://{BUCKET}/{folder}") for part in record["slices"])
    folders = {tuple(key.split("/")[1:3]) for key in local.keys(BUCKET, REGION, f"{prefix}/") if key.count("/") > 1}
    assert folders == set(tables)


def test_tables_by_name(shop):
    result = expect(unload(shop, "--database", "shop", "--table", "clicks,orders"), 0)
    assert_unloaded(shop, [("shop", "clicks"), ("shop", "orders")])
    assert "unloaded  shop.clicks" in result.stdout and "unloaded  shop.orders" in result.stdout
    assert "index     s3://scope-unload/u/tsm-run-" in result.stdout


def test_all_tables_of_a_database_by_patterns(shop):
    expect(unload(shop, "--database", "shop", "--all_tables"), 0)
    assert_unloaded(shop, [key for key in TABLES if key[0] == "shop"])
    expect(unload(shop, "--database", "shop", "--all_tables", "--exclude", "*_test", prefix="v"), 0)
    assert_unloaded(shop, [("shop", "clicks"), ("shop", "orders")], prefix="v")
    expect(unload(shop, "--database", "shop", "--all_tables", "--include", "orders*", "--include", "cl?cks",
                  "--exclude", "orders_*", prefix="w"), 0)
    assert_unloaded(shop, [("shop", "clicks"), ("shop", "orders")], prefix="w")


def test_all_databases_and_names_that_need_quoting(shop):
    result = expect(unload(shop, "--all_databases"), 0)
    assert_unloaded(shop, TABLES)
    assert sum(line.startswith("unloaded  ") for line in result.stdout.splitlines()) == len(TABLES)
    expect(unload(shop, "--all_databases", "--include", "plant.*", "--exclude", "shop.orders", prefix="v"), 0)
    assert_unloaded(shop, [key for key in TABLES if key[0] == "plant"], prefix="v")


def test_a_pattern_that_leaves_one_table_needs_no_index(shop):
    expect(unload(shop, "--all_databases", "--include", "*.Odd-*"), 0)
    keys = shop.keys(BUCKET, REGION)
    (record,) = [key for key in keys if key.startswith("u/tsm-run-")]
    assert read_json(shop, record)["table"] == "Odd-Name_1.x"
    assert all(key.startswith(("u/results/", "u/tsm-run-")) or key.count("/") == 1 for key in keys)


def test_what_cannot_be_chosen_is_said(shop):
    for flags, said in ((("--database", "shop", "--all_tables", "--include", "nothing*"), "no table"),
                        (("--database", "shop", "--table", "orders,absent"), "absent"),
                        (("--database", "shop", "--table", "orders", "--exclude", "o*"), "--exclude"),
                        (("--database", "absent", "--all_tables"), "absent")):
        result = expect(unload(shop, *flags), 2)
        assert said in result.stderr, result.stderr
        assert "Traceback" not in result.stderr
    result = expect(shop.run("ts-unload", "--region", REGION, "--database", "shop", "--all_tables"), 2)
    assert "--s3_uri" in result.stderr
    assert shop.keys(BUCKET, REGION) == []
    assert not shop.state_dir.exists() or not list(shop.state_dir.iterdir())


def test_a_table_without_rows_among_others(shop):
    shop.make_table(REGION, "shop", "empty")
    expect(unload(shop, "--database", "shop", "--table", "empty,orders"), 0)
    (index,) = [read_json(shop, key) for key in shop.keys(BUCKET, REGION, "u/") if key.count("/") == 1]
    rows = {entry["table"]: read_json(shop, entry["record"].split("/", 3)[3])["rows"] for entry in index["tables"]}
    assert rows == {"empty": 0, "orders": 3}


def test_all_tables_share_one_rate_of_starts(start_local):
    """The service takes one UNLOAD a second: with four at once none is refused, and none starts earlier."""
    local = start_local("--unload_rate", "1")
    for name in ("a", "b", "c", "d"):
        local.make_table(REGION, "rate", name)
        assert not local.write(REGION, "rate", name, records(2))
    local.make_bucket(BUCKET, REGION)
    result = local.run("ts-unload", "--region", REGION, "--database", "rate", "--all_tables", "--s3_uri",
                       f"s3://{BUCKET}/u", "--parallel", "4", "--verify", "none", "--json")
    expect(result, 0)
    events = [json.loads(line) for line in result.stdout.splitlines()]
    begun = [event["time"] for event in events if event["kind"] == "slice_started"]
    seconds = [int(text[11:13]) * 3600 + int(text[14:16]) * 60 + float(text[17:23]) for text in begun]
    gaps = [(after - before) % 86400 for before, after in zip(seconds, seconds[1:])]
    assert len(begun) == 4 and all(gap >= 0.95 for gap in gaps), gaps
    assert not [event for event in events if "hrottl" in json.dumps(event)]
    assert events[-1]["attempts"] == 4
