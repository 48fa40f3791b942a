"""boto3 as an outside client of ts-local's Timestream Write API: databases, tables, records."""

import time

import pytest
from botocore.exceptions import ClientError

REGION = "eu-west-1"


@pytest.fixture(scope="module")
def write(client):
    return client("timestream-write", region=REGION)


@pytest.fixture(scope="module")
def database(write):
    write.create_database(DatabaseName="writes")
    return "writes"


def code_of(call, **arguments):
    with pytest.raises(ClientError) as caught:
        call(**arguments)
    return caught.value.response["Error"]["Code"]


def now_ms():
    return int(time.time() * 1000)


def record(host, value, at_ms, **more):
    return {
        "Dimensions": [{"Name": "host", "Value": host}],
        "MeasureName": "cpu",
        "MeasureValue": value,
        "MeasureValueType": "DOUBLE",
        "Time": str(at_ms),
        **more,
    }


def test_table_with_its_properties(write, database, client):
    created = write.create_table(
        DatabaseName=database,
        TableName="keyed",
        RetentionProperties={
            "MemoryStoreRetentionPeriodInHours": 24,
            "MagneticStoreRetentionPeriodInDays": 3655,
        },
        MagneticStoreWriteProperties={"EnableMagneticStoreWrites": True},
        Schema={
            "CompositePartitionKey": [
                {"Type": "DIMENSION", "Name": "host", "EnforcementInRecord": "REQUIRED"}
            ]
        },
    )["Table"]
    described = write.describe_table(DatabaseName=database, TableName="keyed")["Table"]
    assert described == created
    assert described["TableStatus"] == "ACTIVE"
    assert described["Arn"] == f"arn:aws:timestream:{REGION}:123456789012:database/writes/table/keyed"
    assert abs(described["CreationTime"].timestamp() - time.time()) < 600
    assert described["Schema"]["CompositePartitionKey"][0]["Name"] == "host"
    assert code_of(write.create_table, DatabaseName=database, TableName="keyed") == "ConflictException"
    elsewhere = client("timestream-write", region="us-west-2")
    assert (
        code_of(elsewhere.describe_table, DatabaseName=database, TableName="keyed")
        == "ResourceNotFoundException"
    )


def test_retention_out_of_range_is_refused(write, database):
    code = code_of(
        write.create_table,
        DatabaseName=database,
        TableName="bad",
        RetentionProperties={
            "MemoryStoreRetentionPeriodInHours": 24,
            "MagneticStoreRetentionPeriodInDays": 73001,
        },
    )
    assert code == "ValidationException"


def test_databases_are_listed_in_pages(write):
    for i in range(25):
        write.create_database(DatabaseName=f"page-{i:02}")
    names = []
    more = {}
    while True:
        page = write.list_databases(MaxResults=10, **more)
        names += [d["DatabaseName"] for d in page["Databases"] if d["DatabaseName"].startswith("page-")]
        if "NextToken" not in page:
            break
        more = {"NextToken": page["NextToken"]}
    assert names == [f"page-{i:02}" for i in range(25)]


def test_records_by_version_and_window(write, database):
    write.create_table(DatabaseName=database, TableName="records")
    at = now_ms()
    target = {"DatabaseName": database, "TableName": "records"}
    answer = write.write_records(Records=[record("a", "1.5", at), record("b", "2", at)], **target)
    assert answer["RecordsIngested"] == {"Total": 2, "MemoryStore": 2, "MagneticStore": 0}
    write.write_records(Records=[record("a", "1.5", at)], **target)

    with pytest.raises(write.exceptions.RejectedRecordsException) as caught:
        write.write_records(
            Records=[record("c", "1", at), record("a", "9", at), record("a", "1", at - 7 * 3600 * 1000)],
            **target,
        )
    rejected = caught.value.response["RejectedRecords"]
    assert [r["RecordIndex"] for r in rejected] == [1, 2]
    assert rejected[0]["ExistingVersion"] == 1
    assert "A record already exists" in rejected[0]["Reason"]
    assert "of the memory store" in rejected[1]["Reason"]
    assert "See RejectedRecords for details" in caught.value.response["Error"]["Message"]
    write.write_records(Records=[record("a", "9", at, Version=2)], **target)


def test_multi_measure_with_common_attributes(write, database):
    write.create_table(DatabaseName=database, TableName="multi")
    answer = write.write_records(
        DatabaseName=database,
        TableName="multi",
        CommonAttributes={
            "Dimensions": [{"Name": "city", "Value": "Zürich"}],
            "MeasureName": "climate",
            "MeasureValueType": "MULTI",
            "TimeUnit": "NANOSECONDS",
            "Time": str(time.time_ns()),
        },
        Records=[
            {
                "MeasureValues": [
                    {"Name": "temperature", "Value": "21.5", "Type": "DOUBLE"},
                    {"Name": "note", "Value": 'a, "b" \\ \n', "Type": "VARCHAR"},
                ]
            }
        ],
    )
    assert answer["RecordsIngested"]["Total"] == 1


def test_what_is_no_record_is_refused(write, database):
    write.create_table(DatabaseName=database, TableName="refused")
    target = {"DatabaseName": database, "TableName": "refused"}
    for bad in (record("a", "NaN", now_ms()), record("a", "1", "soon"), record("a", "1", now_ms(), Version=0)):
        assert code_of(write.write_records, Records=[bad], **target) == "ValidationException"
    many = [record("a", "1", now_ms() - i) for i in range(101)]
    assert code_of(write.write_records, Records=many, **target) == "ValidationException"


def test_the_aws_cli_sees_the_same(ts_local, write, database):
    write.create_table(DatabaseName=database, TableName="seen")
    listed = ts_local.aws(
        "timestream-write", "describe-table", "--database-name", database, "--table-name", "seen",
        "--query", "Table.TableStatus", "--output", "text", region=REGION,
    )
    assert listed.stdout.strip() == "ACTIVE"
