"""UNLOAD of ts-local: its files, read by Python's own csv module, hold the table's values exactly."""

import csv
import io
import json
import time

import botocore.exceptions
import pytest

NS = 1_000_000_000
TEXTS = [
    "plain",
    "comma, here",
    'quote " here',
    "back\\slash",
    'both \\" of them',
    "line\nbreak",
    "carriage\r\nreturn",
    "São Paulo – Zürich – 東京 😀",
    "'single'",
    " blanks around ",
    "tab\there",
    "trailing\\",
]


@pytest.fixture(scope="module")
def notes(client):
    """Table odd.notes over two days: every odd text, doubles, bigints, booleans, and nulls. Returns
    the rows as written: (text, number, count, flag, time_ns), None where a measure is absent."""
    write = client("timestream-write")
    write.create_database(DatabaseName="odd")
    write.create_table(
        DatabaseName="odd",
        TableName="notes",
        RetentionProperties={
            "MemoryStoreRetentionPeriodInHours": 72,
            "MagneticStoreRetentionPeriodInDays": 10,
        },
    )
    base = time.time_ns() - 40 * 3_600 * NS
    rows = []
    for i in range(60):
        text = TEXTS[i % len(TEXTS)]
        number = None if i % 7 == 0 else [0.1, 1e10, -2.5e-7, 123456.789, 5e-324][i % 5]
        count = None if i % 5 == 3 else (-1) ** i * 2 ** (i + 3)
        flag = None if i % 11 == 4 else i % 2 == 0
        rows.append((text, number, count, flag, base + i * 1_800 * NS + i))
    for text, number, count, flag, at in rows:
        values = [{"Name": "note", "Value": text, "Type": "VARCHAR"}]
        if number is not None:
            values.append({"Name": "number", "Value": repr(number), "Type": "DOUBLE"})
        if count is not None:
            values.append({"Name": "count", "Value": str(count), "Type": "BIGINT"})
        if flag is not None:
            values.append({"Name": "flag", "Value": str(flag).lower(), "Type": "BOOLEAN"})
        record = {
            "Dimensions": [{"Name": "where", "Value": text.strip()}],
            "MeasureName": "m",
            "MeasureValueType": "MULTI",
            "MeasureValues": values,
            "Time": str(at),
            "TimeUnit": "NANOSECONDS",
        }
        write.write_records(DatabaseName="odd", TableName="notes", Records=[record])
    return rows


def unload(client, sql):
    """Runs an UNLOAD to its end: the one row as a dict by column name, and the pages."""
    query = client("timestream-query")
    pages = list(query.get_paginator("query").paginate(QueryString=sql))
    [row] = [row for page in pages for row in page["Rows"]]
    names = [column["Name"] for column in pages[-1]["ColumnInfo"]]
    return dict(zip(names, [datum["ScalarValue"] for datum in row["Data"]])), pages


def read(client, uri):
    bucket, key = uri.removeprefix("s3://").split("/", 1)
    return client("s3").get_object(Bucket=bucket, Key=key)["Body"].read()


def parse(text, cast):
    return None if text == "" else cast(text)


SELECT = (
    'SELECT note, number, "count", flag, to_nanoseconds(time) AS nanoseconds, '
    "date_format(time, '%Y-%m-%d') AS partition_date FROM \"odd\".\"notes\""
)


@pytest.mark.parametrize("escape", ["\\", '"'])
def test_the_csv_module_reads_the_same_values(client, bucket, notes, escape):
    result, pages = unload(
        client,
        f"UNLOAD ({SELECT}) TO 's3://{bucket}/out/' WITH (format = 'CSV', compression = 'NONE', "
        f"include_header = 'true', escaped_by = '{escape}', "
        "partitioned_by = ARRAY['partition_date'], max_file_size = '1GB')",
    )
    assert result["rows"] == "60"
    assert pages[0]["Rows"] == [] and pages[0]["NextToken"]
    progress = [page["QueryStatus"]["ProgressPercentage"] for page in pages]
    assert progress == sorted(progress) and progress[-1] == 100.0

    manifest = json.loads(read(client, result["manifestFile"]))
    found = []
    for file in manifest["result_files"]:
        body = read(client, file["url"])
        assert len(body) == file["file_metadata"]["content_length_in_bytes"]
        settings = {"escapechar": "\\", "doublequote": False} if escape == "\\" else {}
        reader = csv.reader(io.StringIO(body.decode(), newline=""), strict=True, **settings)
        assert next(reader) == ["note", "number", "count", "flag", "nanoseconds"]
        rows = list(reader)
        assert len(rows) == file["file_metadata"]["row_count"]
        day = file["url"].split("/results/partition_date=")[1].split("/")[0]
        for note, number, count, flag, at in rows:
            assert time.strftime("%Y-%m-%d", time.gmtime(int(at) // NS)) == day
            flag = parse(flag, {"true": True, "false": False}.__getitem__)
            found.append((note, parse(number, float), parse(count, int), flag, int(at)))
    assert sorted(found, key=lambda row: row[4]) == notes
    totals = manifest["query_metadata"]
    assert totals["total_row_count"] == 60
    assert totals["total_content_length_in_bytes"] == sum(
        file["file_metadata"]["content_length_in_bytes"] for file in manifest["result_files"]
    )

    metadata = json.loads(read(client, result["metadataFile"]))
    assert [(c["Name"], c["Type"]["ScalarType"]) for c in metadata["ColumnInfo"]] == [
        ("note", "VARCHAR"),
        ("number", "DOUBLE"),
        ("count", "BIGINT"),
        ("flag", "BOOLEAN"),
        ("nanoseconds", "BIGINT"),
        ("partition_date", "VARCHAR"),
    ]


def test_partitions_by_aliased_copies_and_predicates_with_quotes(ts_local, client, bucket):
    """What ts-unload sends: a column partitioned by through a copy stays in the files; slices join without a seam."""
    client("timestream-write").create_table(DatabaseName="odd", TableName="cities", RetentionProperties={
        "MemoryStoreRetentionPeriodInHours": 72, "MagneticStoreRetentionPeriodInDays": 10})
    first = (time.time_ns() - 30 * 3_600 * NS) // (86_400 * NS) * 86_400 * NS
    rows = [(first + i * 3_600 * NS, ["Oslo", "St. John's", 'New "York"'][i % 3], i) for i in range(26)]
    answer = ts_local.load("odd", "cities", "time,measure_name,city,n:bigint\n" + "".join(
        '{},m,"{}",{}\n'.format(at, city.replace('"', '""'), n) for at, city, n in rows))
    assert answer["ingested"] == 26

    def files(result):
        for file in json.loads(read(client, result["manifestFile"]))["result_files"]:
            lines = csv.reader(io.StringIO(read(client, file["url"]).decode(), newline=""), strict=True,
                               escapechar="\\", doublequote=False)
            yield file["url"].split("/results/")[1].rsplit("/", 1)[0], list(lines)

    def text(at):
        return time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime(at // NS)) + f".{at % NS:09}"

    select = ("SELECT *, to_nanoseconds(time) AS \"nanoseconds\", date_format(time, '%Y-%m-%d') AS "
              "\"partition_date\", \"city\" AS \"partition_city\" FROM \"odd\".\"cities\" WHERE ")
    seen = []
    for low, high in [(first, first + 7 * 3_600 * NS), (first + 7 * 3_600 * NS, rows[-1][0] + 1)]:
        result, _ = unload(client, f"UNLOAD ({select} time >= '{text(low)}' AND time < '{text(high)}' AND "
                           f"(\"city\" <> 'St. John''s' OR \"n\" > 3)) TO 's3://{bucket}/{low}' WITH (format = 'CSV', "
                           "compression = 'NONE', include_header = 'true', "
                           "partitioned_by = ARRAY['partition_date', 'partition_city'])")
        for folder, (head, *lines) in files(result):
            assert head == ["city", "measure_name", "time", "n", "nanoseconds"]
            for city, _, at_text, n, at in lines:
                assert low <= int(at) < high and at_text == text(int(at))
                assert folder == f"partition_date={at_text[:10]}/partition_city={city}"
                seen.append((int(at), city, int(n)))
    assert sorted(seen) == [row for row in rows if row[1] != "St. John's" or row[2] > 3]

    result, _ = unload(client, "UNLOAD (SELECT \"n\", \"city\" FROM \"odd\".\"cities\" ORDER BY \"city\" DESC, time) "
                       f"TO 's3://{bucket}/ordered' WITH (compression = 'NONE')")
    [(_, lines)] = files(result)
    assert lines == [[str(n), city] for at, city, n in sorted(sorted(rows), key=lambda row: row[1], reverse=True)]


def test_files_carry_the_query_id(client, bucket, notes):
    _, pages = unload(
        client, f"UNLOAD ({SELECT}) TO 's3://{bucket}/x' WITH (compression = 'NONE')"
    )
    keys = [entry["Key"] for entry in client("s3").list_objects_v2(Bucket=bucket)["Contents"]]
    assert len(keys) == 3
    query_id = pages[0]["QueryId"]
    assert all(key.split("/")[-1].startswith(query_id + "_") for key in keys)


def test_an_empty_result_has_a_manifest_without_files(client, bucket, notes):
    result, _ = unload(
        client,
        f"UNLOAD ({SELECT} WHERE time < '1980-01-01') TO 's3://{bucket}/e' WITH (compression='NONE')",
    )
    assert result["rows"] == "0"
    manifest = json.loads(read(client, result["manifestFile"]))
    assert manifest["result_files"] == []
    assert manifest["query_metadata"]["total_row_count"] == 0


def test_a_repeated_client_token_unloads_once(client, bucket, notes):
    query = client("timestream-query")
    sql = f"UNLOAD ({SELECT}) TO 's3://{bucket}/t' WITH (compression = 'NONE')"
    token = "token-" + 36 * "0"
    first = query.query(QueryString=sql, ClientToken=token)
    again = query.query(QueryString=sql, ClientToken=token)
    assert again["QueryId"] == first["QueryId"]
    page = again
    while "NextToken" in page:
        page = query.query(QueryString=sql, ClientToken=token, NextToken=page["NextToken"])
    assert page["Rows"][0]["Data"][0]["ScalarValue"] == "60"
    listing = client("s3").list_objects_v2(Bucket=bucket, Prefix="t/results/")
    assert listing["KeyCount"] == 1


@pytest.mark.parametrize(
    "options, message",
    [
        ("compression = 'NONE', format = 'PARQUET'", "format"),
        ("compression = 'NONE', colour = 'red'", "colour"),
            ("compression = 'NONE', partitioned_by = ARRAY['note']", "must stand last"),
    ],
)
def test_options_that_do_not_fit_are_named(client, bucket, notes, options, message):
    with pytest.raises(botocore.exceptions.ClientError) as error:
        client("timestream-query").query(
            QueryString=f"UNLOAD ({SELECT}) TO 's3://{bucket}/o' WITH ({options})"
        )
    assert error.value.response["Error"]["Code"] == "ValidationException"
    assert message in error.value.response["Error"]["Message"]


def test_a_bucket_of_another_region_or_none_is_refused(client, notes):
    client("s3", region="eu-west-1").create_bucket(
        Bucket="unload-elsewhere", CreateBucketConfiguration={"LocationConstraint": "eu-west-1"}
    )
    for bucket in ["unload-elsewhere", "unload-nowhere"]:
        with pytest.raises(botocore.exceptions.ClientError) as error:
            client("timestream-query").query(
                QueryString=f"UNLOAD ({SELECT}) TO 's3://{bucket}/o' WITH (compression = 'NONE')"
            )
        assert bucket in error.value.response["Error"]["Message"]


def test_a_denied_folder_ends_without_a_manifest(client, bucket, notes):
    policy = {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Effect": "Deny",
                "Principal": "*",
                "Action": "s3:PutObject",
                "Resource": f"arn:aws:s3:::{bucket}/d/results/*",
            }
        ],
    }
    client("s3").put_bucket_policy(Bucket=bucket, Policy=json.dumps(policy))
    with pytest.raises(botocore.exceptions.ClientError) as error:
        unload(client, f"UNLOAD ({SELECT}) TO 's3://{bucket}/d' WITH (compression = 'NONE')")
    assert error.value.response["Error"]["Code"] == "AccessDeniedException"
    assert client("s3").list_objects_v2(Bucket=bucket)["KeyCount"] == 0
