"""Everything UNLOAD can do: formats, encryption, columns, predicates, order, partitions by column; and what it can't."""

import collections
import gzip
import json
import subprocess
import urllib.request

import pytest
from e2e_harness import BIN, Small, assert_equal_tables, changed, check_no_report, clean_env, dimensions, expect, measures
from e2e_proxy import CountingProxy

REGION = Small.region


def record_of(small, prefix="u"):
    (key,) = [key for key in small.local.keys(small.bucket, REGION, f"{prefix}/tsm-run-")]
    return json.loads(get(small, key))


def get(small, key):
    return small.local.client("s3", REGION).get_object(Bucket=small.bucket, Key=key)["Body"].read()


def data_keys(small, prefix="u"):
    return [key for key in small.local.keys(small.bucket, REGION, f"{prefix}/results/") if "tsm-run-" not in key]


def parse(text, delimiter=",", escape="\\"):
    """Rows of a file as UNLOAD writes them: a quote inside quotes has the escape before it."""
    rows, row, cell, quoted, i = [], [], "", False, 0
    while i < len(text):
        c = text[i]
        if quoted and c == escape and i + 1 < len(text) and text[i + 1] in (escape, '"'):
            cell, i = cell + text[i + 1], i + 1
        elif c == '"':
            quoted = not quoted
        elif not quoted and c == delimiter:
            row, cell = row + [cell], ""
        elif not quoted and c == "\n":
            rows, row, cell = rows + [row + [cell.removesuffix("\r")]], [], ""
        else:
            cell += c
        i += 1
    assert not quoted
    return rows + [row + [cell]] if row or cell else rows


def unloaded(small, prefix="u", read=lambda data: data, **form):
    """All files' rows as dicts of the cells that are not empty."""
    found = []
    for key in data_keys(small, prefix):
        header, *rows = parse(read(get(small, key)).decode(), **form)
        found += [{name: cell for name, cell in zip(header, row) if cell} for row in rows]
    return found


def assert_all_rows(small, rows, added=("nanoseconds",)):
    """As the table has them, whatever was added to them."""
    plain = [{name: cell for name, cell in row.items() if name not in added} for row in rows]
    wanted = collections.Counter(tuple(sorted(dict(row).items())) for row in small.source.elements())
    assert collections.Counter(tuple(sorted(row.items())) for row in plain) == wanted


def next_line(result):
    (line,) = [line for line in result.stdout.splitlines() if line.startswith("next ")]
    return line


def test_gzip(small):
    result = expect(small.unload("--compression", "gzip"), 0)
    keys = data_keys(small)
    assert len(keys) == 3 and all(key.endswith(".csv.gz") or key.endswith(".gz") for key in keys)
    assert record_of(small)["format"]["compression"] == "GZIP"
    assert_all_rows(small, unloaded(small, read=gzip.decompress))
    assert "batch load reads no gzip" in result.stderr
    assert "--copy_s3_bucket" in next_line(result)


def test_another_delimiter_and_escape(small):
    result = expect(small.unload("--field_delimiter", "|", "--escaped_by", "^"), 0)
    form = record_of(small)["format"]
    assert (form["field_delimiter"], form["escaped_by"]) == ("|", "^")
    assert_all_rows(small, unloaded(small, delimiter="|", escape="^"))
    assert next_line(result)
    small.model.unlink()  # the record tells delimiter, escape and model
    expect(small.load("--data_model_file", ""), 0)
    assert_equal_tables(small.source, small.loaded())


def test_another_escape_is_carried_to_the_load(small):
    expect(small.unload("--escaped_by", "^"), 0)
    expect(small.load(), 0)
    assert_equal_tables(small.source, small.loaded())


def test_a_tab(small):
    expect(small.unload("--field-delimiter", "\\t"), 0)
    assert record_of(small)["format"]["field_delimiter"] == "\t"
    assert_all_rows(small, unloaded(small, delimiter="\t"))


def test_no_header_is_allowed_and_said(small):
    result = expect(small.unload("--include_header", "false"), 0)
    assert "header" in result.stderr and "can't be loaded into Timestream again" in result.stderr
    assert "\nnext " not in result.stdout
    assert record_of(small)["format"]["include_header"] is False
    rows = [row for key in data_keys(small) for row in parse(get(small, key).decode())]
    assert len(rows) == len(small.source)
    assert not [row for row in rows if "measure_name" in row]


@pytest.mark.parametrize("key", [None, "alias/mover"])
def test_kms(small, key):
    flags = ["--encryption", "sse_kms", *(["--kms_key", key] if key else [])]
    expect(small.unload(*flags), 0)
    s3 = small.local.client("s3", REGION)
    written = data_keys(small) + [k for k in small.local.keys(small.bucket, REGION) if k.endswith("_manifest.json")]
    heads = [s3.head_object(Bucket=small.bucket, Key=name) for name in written]
    assert len(heads) == 4
    assert {head.get("ServerSideEncryption") for head in heads} == {"aws:kms"}
    planned = expect(small.unload(*flags, "--dry_run"), 0).stdout
    assert "encryption = 'SSE_KMS'" in planned and ("kms_key = 'alias/mover'" in planned) == bool(key)


@pytest.mark.slow
def test_small_files(small):
    """Rows of some 50 MB with files of 16 MB at most: all of them are in the manifest and the record."""
    local = small.local
    local.make_table(REGION, "source", "wide")
    text = "x" * 2000
    start = min(int(row["n"]) for row in local.query(REGION, "SELECT min(to_nanoseconds(time)) AS n FROM source.readings"))
    rows = "".join(f"{start + i},m,c{i % 3},{text}{i}\n" for i in range(20_000))
    request = urllib.request.Request(f"{local.endpoint}/ts-local/rows?database=source&table=wide",
                                     data=("time,measure_name,city,note:varchar\n" + rows).encode(), method="POST")
    urllib.request.build_opener(urllib.request.ProxyHandler({})).open(request, timeout=300).close()
    flags = changed(small.unload_flags("--max_file_size", "16MB"), "--table", "wide")
    expect(local.run("ts-unload", *flags), 0)
    sizes = [local.client("s3", REGION).head_object(Bucket=small.bucket, Key=key)["ContentLength"]
             for key in data_keys(small)]
    assert len(sizes) >= 3 and max(sizes) < 18_000_000
    record = record_of(small)
    assert (record["files"], record["rows"], record["bytes"]) == (len(sizes), 20_000, sum(sizes))


def test_chosen_columns(small):
    result = expect(small.unload("--columns", "city,device,floor,measure_name,temperature"), 0)
    rows = unloaded(small)
    assert {name for row in rows for name in row} == {"city", "device", "floor", "measure_name", "temperature",
                                                      "nanoseconds"}
    assert sorted(row["temperature"] for row in rows) == sorted(dict(row)["temperature"] for row in small.source)
    assert record_of(small)["columns"] == ["city", "device", "floor", "measure_name", "temperature"]
    assert "leaves out" not in result.stderr
    result = expect(small.unload("--columns", "city,measure_name,temperature", prefix="v"), 0)
    assert "--columns leaves out device, floor" in result.stderr
    result = expect(small.unload("--columns", "city,temprature", prefix="w"), 2)
    assert "temprature" in result.stderr and "temperature" in result.stderr


def test_a_predicate(small):
    expect(small.unload("--where", "city = 'Oslo' OR ok"), 0)
    wanted = [row for row in map(dict, small.source) if row["city"] == "Oslo" or row.get("ok") == "true"]
    rows = unloaded(small)
    assert 0 < len(rows) == len(wanted) < len(small.source)
    record = record_of(small)
    assert (record["where"], record["rows"], record["verified"]) == ("city = 'Oslo' OR ok", len(wanted), "equal")


def test_a_predicate_that_no_row_meets(small):
    result = expect(small.unload("--where", "city = 'Nowhere'"), 0)
    assert data_keys(small) == [] and record_of(small)["rows"] == 0
    assert "the table holds none in this range" in result.stdout


def test_an_order(small):
    expect(small.unload("--order_by", "city desc,time"), 0)
    for key in data_keys(small):
        header, *rows = parse(get(small, key).decode())
        keys = [(row[header.index("city")], row[header.index("time")]) for row in rows]
        assert len(keys) > 10
        by_time = sorted(keys, key=lambda pair: pair[1])
        assert keys == sorted(by_time, key=lambda pair: pair[0], reverse=True)


def cities_table(small, *names):
    """A table whose cities can be folders: UNLOAD takes ASCII only."""
    local = small.local
    local.make_table(REGION, "source", "cities")
    records = [{"Dimensions": dimensions(city=name, device=f"d{i}"), "MeasureName": "m", "MeasureValueType": "MULTI",
                "MeasureValues": measures(load=i / 4), "Time": str(start_of(small) + (day * 86400 + i) * 10**9),
                "TimeUnit": "NANOSECONDS"}
               for day in range(2) for i, name in enumerate(names * 3)]
    assert not local.write(REGION, "source", "cities", records)
    return len(records)


def start_of(small):
    (row,) = small.local.query(REGION, "SELECT min(to_nanoseconds(time)) AS n FROM source.readings")
    return int(row["n"]) // 10**9 * 10**9


def test_partitions_by_column_keep_the_column(small):
    count = cities_table(small, "Oslo", "New York", "Rome")
    expect(small.local.run("ts-unload", *changed(small.unload_flags("--partitioned_by", "city"), "--table", "cities")), 0)
    folders = {tuple(key.split("/")[2:-1]) for key in data_keys(small)}
    assert len(folders) == 6
    for key in data_keys(small):
        day, city = key.split("/")[2:4]
        assert day.startswith("partition_date=") and city.startswith("partition_city=")
        header, *rows = parse(get(small, key).decode())
        assert "city" in header and "partition_city" not in header
        assert {row[header.index("city")] for row in rows} == {city.removeprefix("partition_city=").replace("%20", " ")}
    record = record_of(small)
    assert record["partitioned_by"] == [{"column": "city", "alias": "partition_city"}]
    assert (record["rows"], record["verified"]) == (count, "equal")
    source = small.local.rows(REGION, "source", "cities")
    model = json.loads(small.model.read_text())
    model["DimensionMappings"] = model["DimensionMappings"][:2]
    model["MultiMeasureMappings"]["MultiMeasureAttributeMappings"] = [
        {"SourceColumn": "load", "TargetMultiMeasureAttributeName": "load", "MeasureValueType": "DOUBLE"}]
    small.model.write_text(json.dumps(model))
    expect(small.load(), 0)
    assert_equal_tables(source, small.loaded())


def test_partition_values_that_cannot_be_folders_are_named_in_the_plan(small):
    for column, said in (("city", "ASCII"), ("floor", "null")):
        result = expect(small.unload("--partitioned_by", column), 2)
        assert "--partitioned_by" in result.stderr and column in result.stderr and said in result.stderr
    assert small.local.keys(small.bucket, REGION) == []


def test_parquet_is_not_for_batch_load(small):
    """ts-local writes none and says so as the service would; the program's own note says what such files are for."""
    result = expect(small.unload("--format", "parquet"), 5)
    assert "batch load reads CSV only: files in PARQUET can't be loaded" in result.stderr
    (error,) = [line for line in result.stderr.splitlines() if " error " in line]
    assert "UNLOAD option format: ts-local writes CSV only" in error
    assert result.stderr.count("slice 0001 starts") == 1  # what is refused once is not asked again
    assert data_keys(small) == []


LIMITS = [
    ("--max_file_size", "15MB", "16MB"), ("--max_file_size", "79GB", "78GB"), ("--max_file_size", "1TB", "X[MB|GB]"),
    ("--format", "json", "parquet"), ("--compression", "zstd", "gzip"), ("--encryption", "aes", "sse_kms"),
    ("--kms_key", "alias/x", "--encryption sse_kms"), ("--field_delimiter", ",,", "single ASCII character"),
    ("--field_delimiter", "ü", "single ASCII character"), ("--field_delimiter", '"', "quote"),
    ("--field_delimiter", "\\", "escape"), ("--escaped_by", "ab", "single ASCII character"),
    ("--include_header", "yes", "true or false"), ("--partition", "week", "hour, day, month, year"),
    ("--max_partitions", "101", "1 to 100"), ("--max_partitions", "0", "1 to 100"), ("--target_size", "1GB", "--survey"),
    ("--parallel", "33", "1 to 32"), ("--parallel", "0", "1 to 32"), ("--start_interval", "0", "seconds"),
    ("--start_interval", "3601", "3,600"), ("--give_up_after", "31d", "30d"), ("--give_up_after", "5", "30s"),
    ("--verify", "all", "content"), ("--state", "disk", "s3"), ("--where", "a = 1; DROP", ";"),
    ("--where", "x'", "open"), ("--where", "1) OR (1", "parenthesis"), ("--order_by", "desc", "column"),
    ("--columns", "city,city", "twice"), ("--columns", "a,,b", "empty name"), ("--price_query_gb", "-1", "price"),
    ("--from_time", "2024-13-01", "time"), ("--iam_role_arn", "role/x", "arn:aws:iam"), ("--table", "a b", "table"),
    ("--database", "x" * 257, "256"), ("--s3_uri", "s3://bucket/" + "k" * 1020, "1024"), ("--include", "*", "--table"),
    ("--price_put_1000", "x", "price"),
]


@pytest.fixture(scope="module")
def nobody():
    proxy = CountingProxy(1)
    yield proxy
    proxy.close()


@pytest.mark.parametrize("flag,value,said", LIMITS, ids=[f"{flag[2:]}={value[:12]}" for flag, value, _ in LIMITS])
def test_a_limit_is_told_before_any_request(nobody, tmp_path, flag, value, said):
    """The flag, its value and the documented limit in one line, exit 2, and not a single request."""
    flags = ["--region", REGION, "--database", "source", "--table", "readings", "--s3_uri", "s3://bucket/u",
             "--partition", "day"]
    process = subprocess.run([BIN / "ts-unload", *changed(flags, flag, value)], capture_output=True, text=True,
                             timeout=60, cwd=tmp_path, stdin=subprocess.DEVNULL,
                             env=clean_env(AWS_ENDPOINT_URL=nobody.endpoint, AWS_ACCESS_KEY_ID="test",
                                                       AWS_SECRET_ACCESS_KEY="test"))
    result = expect(check_no_report(process), 2)
    (line,) = [line for line in result.stderr.splitlines() if " error " in line or "error:" in line]
    assert flag in line and said in line, line
    assert nobody.requests == []
