"""Timestream Query of ts-local as boto3 and the aws CLI see it."""

import json
import time

import botocore.exceptions
import pytest

NS = 1_000_000_000


def code_of(error):
    return error.value.response["Error"]["Code"]


def text_rows(pages):
    """Every row of every page as a list of strings, None for null."""
    return [
        [datum.get("ScalarValue") for datum in row["Data"]] for page in pages for row in page["Rows"]
    ]


@pytest.fixture(scope="module")
def sensors(client):
    """Table home.sensors: 2,400 rows of multi-measure records of the last two hours, one per three
    seconds; returns their times in nanoseconds."""
    write = client("timestream-write")
    write.create_database(DatabaseName="home")
    write.create_table(
        DatabaseName="home",
        TableName="sensors",
        RetentionProperties={
            "MemoryStoreRetentionPeriodInHours": 12,
            "MagneticStoreRetentionPeriodInDays": 10,
        },
    )
    now = time.time_ns()
    times = [now - 7_200 * NS + 3 * NS * i + 1 for i in range(2_400)]
    records = [
        {
            "Dimensions": [{"Name": "room", "Value": ["Küche", "Bad"][i % 2]}],
            "MeasureName": "climate",
            "MeasureValueType": "MULTI",
            "MeasureValues": [
                {"Name": "temperature", "Value": str(i / 8), "Type": "DOUBLE"},
                {"Name": "count", "Value": str(i), "Type": "BIGINT"},
            ],
            "Time": str(at),
            "TimeUnit": "NANOSECONDS",
        }
        for i, at in enumerate(times)
    ]
    for start in range(0, len(records), 100):
        write.write_records(
            DatabaseName="home", TableName="sensors", Records=records[start : start + 100]
        )
    return times


@pytest.fixture
def ask(client, sensors):
    """ask(sql) gives all rows, through botocore's own paginator."""
    paginator = client("timestream-query").get_paginator("query")

    def run(sql, **settings):
        return text_rows(paginator.paginate(QueryString=sql, **settings))

    return run


def test_every_row_arrives_once_and_exactly(ask, sensors):
    rows = ask('SELECT room, to_nanoseconds(time) AS ns, temperature, "count" FROM "home"."sensors"')
    assert len(rows) == 2_400
    expected = {
        (["Küche", "Bad"][i % 2], str(at), float(i / 8), str(i)) for i, at in enumerate(sensors)
    }
    assert {(room, ns, float(temperature), count) for room, ns, temperature, count in rows} == expected


def test_small_pages_give_the_same_rows(ask):
    sql = 'SELECT "count" FROM "home"."sensors" ORDER BY time'
    rows = ask(sql, PaginationConfig={"PageSize": 700})
    assert [row[0] for row in rows] == [str(i) for i in range(2_400)]


def test_aggregates_and_time_filters(ask, sensors):
    assert ask('SELECT room, count(*), sum("count") FROM home.sensors GROUP BY room ORDER BY 1') == [
        ["Bad", "1200", str(sum(range(1, 2400, 2)))],
        ["Küche", "1200", str(sum(range(0, 2400, 2)))],
    ]
    [[first]] = ask("SELECT min(time) FROM home.sensors")
    assert ask(f"SELECT \"count\" FROM home.sensors WHERE time = '{first}'") == [["0"]]
    assert ask(f"SELECT count(*) FROM home.sensors WHERE time > '{first}'") == [["2399"]]
    assert ask("SELECT count(*) FROM home.sensors WHERE time > ago(1h)") <= [["1201"]]


def test_a_hundred_thousand_groups_and_the_bounds_of_time(ask, ts_local, sensors):
    write = ts_local.client("timestream-write")
    write.create_database(DatabaseName="crowd")
    write.create_table(DatabaseName="crowd", TableName="many", RetentionProperties={
        "MemoryStoreRetentionPeriodInHours": 72, "MagneticStoreRetentionPeriodInDays": 10})
    assert ask('SELECT min(time), max(time) FROM "crowd"."many"') == [[None, None]]
    first = (time.time_ns() // 10**9 - 150_000) * 10**9
    rows = 100_000
    answer = ts_local.load("crowd", "many", "time,measure_name,city,n:bigint\n" + "".join(
        f"{first + i * 10**9},m,c{i % 7},{i}\n" for i in range(rows)))
    assert answer["ingested"] == rows

    def text(at):
        return time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime(at // 10**9)) + ".000000000"

    assert ask('SELECT min(time), max(time) FROM "crowd"."many"') == [[text(first), text(first + (rows - 1) * 10**9)]]
    low, high = first + 5 * 10**9, first + 9 * 10**9
    assert ask(f'SELECT min(time), max(time) FROM "crowd"."many" WHERE time >= \'{text(low)}\' AND '
               f"time < '{text(high)}'") == [[text(low), text(high - 10**9)]]
    groups = ask('SELECT date_trunc(\'second\', time) AS "p", count(*) AS "rows", sum("n") FROM "crowd"."many" '
                 "GROUP BY 1 ORDER BY 1")
    assert groups == [[text(first + i * 10**9), "1", str(i)] for i in range(rows)]


def test_show_and_describe(ask, client, sensors):
    assert ["home"] in ask("SHOW DATABASES")
    assert ask('SHOW TABLES FROM "home"') == [["sensors"]]
    assert ask('DESCRIBE "home"."sensors"') == [
        ["room", "varchar", "DIMENSION"],
        ["measure_name", "varchar", "MEASURE_NAME"],
        ["time", "timestamp", "TIMESTAMP"],
        ["temperature", "double", "MULTI"],
        ["count", "bigint", "MULTI"],
    ]
    page = client("timestream-query").query(QueryString="SHOW MEASURES FROM home.sensors")
    assert [column["Name"] for column in page["ColumnInfo"]] == [
        "measure_name",
        "data_type",
        "dimensions",
    ]
    data = page["Rows"][0]["Data"]
    assert data[:2] == [{"ScalarValue": "climate"}, {"ScalarValue": "multi"}]
    assert data[2]["ArrayValue"][0]["RowValue"]["Data"] == [
        {"ScalarValue": "room"},
        {"ScalarValue": "varchar"},
    ]


@pytest.mark.parametrize(
    "sql, message",
    [
        ('SELECT "nope" FROM home.sensors', "Column 'nope' does not exist"),
        ("SELECT * FROM home.nope", "Table home.nope does not exist"),
        ("DROP TABLE home.sensors", "mismatched input 'DROP'"),
        ("SELECT room FROM home.sensors WINDOW w", "mismatched input 'WINDOW'"),
    ],
)
def test_what_is_not_understood_is_named(client, sensors, sql, message):
    with pytest.raises(botocore.exceptions.ClientError) as error:
        client("timestream-query").query(QueryString=sql)
    assert code_of(error) == "ValidationException"
    assert message in error.value.response["Error"]["Message"]


def test_prepare_tells_columns_and_cancel_stops_paging(client, sensors):
    query = client("timestream-query")
    columns = query.prepare_query(
        QueryString="SELECT room, time AS t FROM home.sensors", ValidateOnly=True
    )["Columns"]
    assert [(c["Name"], c["Type"]["ScalarType"], c["Aliased"]) for c in columns] == [
        ("room", "VARCHAR", False),
        ("t", "TIMESTAMP", True),
    ]
    # Two megabytes of rows and more are held until somebody reads them: the query is still running.
    sql = "SELECT '" + 4_000 * "x" + "' || room FROM home.sensors"
    page = query.query(QueryString=sql)
    query.cancel_query(QueryId=page["QueryId"])
    with pytest.raises(botocore.exceptions.ClientError) as error:
        query.query(QueryString=sql, NextToken=page["NextToken"])
    assert code_of(error) == "ConflictException"


def test_the_cli_reads_too(ts_local, sensors):
    result = ts_local.aws(
        "timestream-query",
        "query",
        "--query-string",
        "SELECT count(*) AS n FROM home.sensors",
        "--output",
        "json",
    )
    answer = json.loads(result.stdout)
    assert answer["Rows"] == [{"Data": [{"ScalarValue": "2400"}]}]
    assert answer["ColumnInfo"] == [{"Name": "n", "Type": {"ScalarType": "BIGINT"}}]
