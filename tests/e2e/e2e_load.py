"""What the whole-process tests of ts-batchload share: an unload to load from, runs of the load, and what the service saw of it.

A load is judged through boto3 alone: the rows of the target, the tasks that the account has, the objects of the buckets.
"""

import collections
import copy
import json
import urllib.request

from e2e_harness import assert_equal_tables, expect
from e2e_unload import DATABASE, REGION, Unload

SOURCE, TARGET, ERRORS = "unload-files", "load-files", "load-errors"
QUICK = ("--poll_interval", "0.05", "--start_interval", "0.02")


class Load:
    """A table unloaded by ts-unload into the bucket `unload-files`, and runs of ts-batchload that bring it into another table."""

    def __init__(self, local, rows, *unload_flags, prefix="u", table="readings", target="target.readings"):
        self._begin(Unload(local, rows, table=table), unload_flags, prefix, target)

    @classmethod
    def of(cls, source, *unload_flags, prefix="u", target="target.readings"):
        """Of a table that has its rows already."""
        load = cls.__new__(cls)
        load._begin(source, unload_flags, prefix, target)
        return load

    def _begin(self, source, unload_flags, prefix, target):
        self.local, self.source, self.prefix = source.local, source, prefix
        self.target_database, self.target_table = target.split(".")
        expect(source.run(*unload_flags, prefix=prefix), 0)
        for bucket in (TARGET, ERRORS):
            try:
                self.local.make_bucket(bucket, REGION)
            except Exception as error:  # a second load beside
                assert "BucketAlreadyOwnedByYou" in str(error), error

    def beside(self, target):
        """The same files into another table."""
        other = copy.copy(self)
        other.target_database, other.target_table = target.split(".")
        return other

    def flags(self, *more, copying=True, prefix=None, create=True):
        prefix = self.prefix if prefix is None else prefix
        flags = ["--region", REGION, "--database", self.target_database, "--table", self.target_table]
        if create:
            flags += ["--create_timestream_resource"]
        if copying:
            flags += ["--copy_s3_bucket", "--s3_source_bucket_location", SOURCE, "--source_s3_prefix", f"{prefix}/results/",
                      "--s3_target_bucket", TARGET, "--destination_s3_prefix", "dest/"]
        else:
            flags += ["--s3_target_bucket", SOURCE, "--destination_s3_prefix", f"{prefix}/results/"]
        flags += ["--s3_target_error_bucket", ERRORS]
        for name, value in zip(QUICK[::2], QUICK[1::2]):
            if name not in more:
                flags += [name, value]
        return flags + list(more)

    def run(self, *more, copying=True, prefix=None, create=True, **env):
        return self.local.run("ts-batchload", *self.flags(*more, copying=copying, prefix=prefix, create=create), **env)

    def popen(self, *more, copying=True, **env):
        return self.local.popen("ts-batchload", *self.flags(*more, copying=copying), **env)

    def resume(self, run, *more, **env):
        return self.local.run("ts-batchload", "resume", run, *QUICK, *more, **env)

    def runs(self):
        """Ids of the loads that this machine remembers, the latest last."""
        shown = expect(self.local.run("ts-batchload", "list", "--json"), 0).stdout
        return [json.loads(line)["run_id"] for line in shown.splitlines()]

    def status(self, run="last"):
        return json.loads(expect(self.local.run("ts-batchload", "status", run, "--json"), 0).stdout)

    def tasks(self):
        """Every task of the target table: prefix -> statuses, in the order of their creation."""
        write = self.local.client("timestream-write", REGION)
        mine = [task for task in self.local.tasks(REGION)
                if (task["DatabaseName"], task["TableName"]) == (self.target_database, self.target_table)]
        found = collections.defaultdict(list)
        for task in sorted(mine, key=lambda task: task["CreationTime"]):
            told = write.describe_batch_load_task(TaskId=task["TaskId"])["BatchLoadTaskDescription"]
            where = told["DataSourceConfiguration"]["DataSourceS3Configuration"]
            found[where["ObjectKeyPrefix"]].append(told["TaskStatus"])
        return dict(found)

    def rows(self):
        return self.local.rows(REGION, self.target_database, self.target_table)

    def assert_loaded(self):
        assert_equal_tables(self.local.rows(REGION, DATABASE, self.source.table), self.rows())

    def occupy(self, count, database="others", table="t", seconds=None):
        """Tasks of other people, which take the account's or the table's places."""
        body = {"database": database, "table": table, "count": count}
        if seconds is not None:
            body["seconds"] = seconds
        request = urllib.request.Request(f"{self.local.endpoint}/ts-local/tasks", data=json.dumps(body).encode(), method="POST")
        with urllib.request.urlopen(request, timeout=30) as answer:
            return json.load(answer)

    def set_rules(self, *rules):
        request = urllib.request.Request(f"{self.local.endpoint}/ts-local/fail", data=json.dumps({"rules": list(rules)}).encode(),
                                         method="POST")
        with urllib.request.urlopen(request, timeout=30) as answer:
            assert answer.status == 200

    def drop_rules(self):
        request = urllib.request.Request(f"{self.local.endpoint}/ts-local/fail", method="DELETE")
        urllib.request.urlopen(request, timeout=30).close()
