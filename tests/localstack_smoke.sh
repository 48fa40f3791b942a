#!/usr/bin/env bash
# A whole migration with S3, STS and SNS from LocalStack and Timestream from ts-local, which reads and writes
# LocalStack's S3 (--s3_endpoint): ts-unload, ts-batchload, a comparison of both tables, and a load that fails and is
# told to an SNS topic. Needs no token, no docker and, once installed, no network. Usable as it stands in another CI.
#   bash tests/localstack_smoke.sh          where LocalStack can't be installed or started: says why, and runs on moto
#   bash tests/localstack_smoke.sh --moto   on moto at once
# TS_BUILD_DIR names the build directory with bin/ts-* (build/release, built first where it has none).
# Exit code 0 only when every check passed, on LocalStack or on moto.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
. tests/lib/common.sh

usage() { sed -n '2,8s/^# \{0,1\}//p' tests/localstack_smoke.sh; }
wanted=localstack
case "${1:-}" in
  '') ;;
  --moto) wanted=moto ;;
  -h | --help) usage; exit 0 ;;
  *) usage >&2; exit 2 ;;
esac

forget_caller_aws
unset PYTHONPATH PYTHONHOME
export PYTHONNOUSERSITE=1 NO_PROXY=127.0.0.1 no_proxy=127.0.0.1
mkdir -p build
scratch=$(mktemp -d)
export XDG_STATE_HOME=$scratch/state  # where ts-unload remembers its run
pids=()
clean_up() {
  local pid
  for pid in "${pids[@]}"; do kill "$pid" 2>/dev/null || true; done
  for pid in "${pids[@]}"; do
    for _ in $(seq 50); do kill -0 "$pid" 2>/dev/null || break; sleep 0.2; done
    kill -9 "$pid" 2>/dev/null || true
    wait "$pid" 2>/dev/null || true
  done
  rm -rf "$scratch"
}
trap clean_up EXIT
trap 'exit 130' INT TERM

# make_venv FOLDER REQUIREMENTS SECONDS: a private environment, made anew when the pins or this Python change.
# 1 where pip fails or takes longer.
make_venv() {
  local folder=$1 requirements=$2 stamp
  stamp=$({ cat "$requirements"; python3 --version; } | sha256sum | cut -d' ' -f1)
  [ "$(cat "$folder/stamp" 2>/dev/null)" != "$stamp" ] || return 0
  say "Installing $requirements into $folder"
  rm -rf "$folder"
  python3 -m venv "$folder" >"$folder-pip.log" 2>&1 || return 1
  timeout "$3" "$folder/bin/python" -m pip install --quiet --no-input --disable-pip-version-check \
    --retries 2 --timeout 20 -r "$requirements" >>"$folder-pip.log" 2>&1 || return 1
  echo "$stamp" >"$folder/stamp"
}

free_port() { python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'; }

# wait_until SECONDS PID COMMAND...: 1 where the time is over or the process gone before the command succeeds.
wait_until() {
  local end=$((SECONDS + $1)) pid=$2
  shift 2
  until "$@" 2>/dev/null; do
    kill -0 "$pid" 2>/dev/null && [ "$SECONDS" -lt "$end" ] || return 1
    sleep 0.1
  done
}

# Both start_...: set `cloud` to the endpoint and `python` to one that has boto3; 1 with `why` and `evidence` otherwise.
start_localstack() {
  why="pip could not install tests/localstack/requirements.txt" evidence=build/localstack-venv-pip.log
  make_venv build/localstack-venv tests/localstack/requirements.txt 150 || return 1
  local port
  port=$(free_port)
  why="LocalStack did not get ready" evidence=build/localstack.log
  mkdir -p "$scratch/home" "$scratch/tmp"
  : >build/localstack.log  # the last run's says that it is ready
  # Its own small environment: nothing of the caller's, no analytics, no certificate from the network, no DNS server.
  env -i PATH="$PATH" HOME="$scratch/home" TMPDIR="$scratch/tmp" \
    SERVICES=s3,sts,sns,sqs EAGER_SERVICE_LOADING=1 STRICT_SERVICE_LOADING=1 SQS_ENDPOINT_STRATEGY=path \
    GATEWAY_LISTEN="127.0.0.1:$port" LOCALSTACK_HOST="127.0.0.1:$port" GATEWAY_SERVER=hypercorn \
    DNS_ADDRESS=0 DISABLE_EVENTS=1 SKIP_SSL_CERT_DOWNLOAD=1 \
    build/localstack-venv/bin/python -m localstack.runtime.main >build/localstack.log 2>&1 &
  pids+=($!)
  wait_until 45 $! grep -q '^Ready\.' build/localstack.log || return 1
  cloud=http://127.0.0.1:$port python=build/localstack-venv/bin/python
  served="LocalStack $(sed -n 's/^LocalStack version: //p' build/localstack.log | head -n 1)"
}

accepts() { (: <"/dev/tcp/127.0.0.1/$1"); }

start_moto() {
  local venv=build/venv port  # the tests' own environment has moto too
  if [ ! -f build/venv/stamp ] || [ ! -x build/venv/bin/moto_server ]; then
    venv=build/moto-venv
    grep -E '^(boto3|botocore|moto)' tests/requirements.txt >build/moto-requirements.txt
    why="pip could not install moto" evidence=build/moto-venv-pip.log
    make_venv build/moto-venv build/moto-requirements.txt 60 || return 1
  fi
  port=$(free_port)
  why="moto did not get ready" evidence=build/moto.log
  "$venv/bin/moto_server" -H 127.0.0.1 -p "$port" >build/moto.log 2>&1 &
  pids+=($!)
  wait_until 30 $! accepts "$port" || return 1
  cloud=http://127.0.0.1:$port python=$venv/bin/python
  served="moto $("$python" -c 'import moto; print(moto.__version__)')"
}

# Expected exit code first; prints the command as one would type it. No run may hang.
expect() {
  local wanted_code=$1 code=0
  shift
  say "$(basename "$1") ${*:2}"
  timeout 120 "$@" || code=$?
  [ "$code" -eq "$wanted_code" ] || die "exit code $code instead of $wanted_code"
}

python3 -c 'import ensurepip, venv' 2>/dev/null || install_missing python3 python3-venv
bin=${TS_BUILD_DIR:-build/release}/bin
if ! [ -x "$bin/ts-local" ] || ! [ -x "$bin/ts-unload" ] || ! [ -x "$bin/ts-batchload" ]; then
  [ -z "${TS_BUILD_DIR:-}" ] || [ "$TS_BUILD_DIR" = build/release ] || die "no programs in $bin"
  install_missing "${TSM_BUILD_PACKAGES[@]}"
  tests=OFF
  if grep -qs '^TSM_TESTS:BOOL=ON$' build/release/CMakeCache.txt; then tests=ON; fi
  say "Building build/release"
  configure_and_build release -DTSM_TESTS=$tests -- ts-local ts-unload ts-batchload
fi

if [ "$wanted" = moto ]; then
  start_moto || { tail -n 20 "$evidence" >&2; die "$why"; }
elif ! start_localstack; then
  printf '\n%s\n' "######## LocalStack does not run here: $why. Last lines of $evidence:"
  tail -n 20 "$evidence" || true
  printf '%s\n' "######## The same checks now run against moto."
  start_moto || { tail -n 20 "$evidence" >&2; die "$why either"; }
fi
say "S3, STS and SNS: $served at $cloud"

export AWS_ACCESS_KEY_ID=test AWS_SECRET_ACCESS_KEY=test AWS_REGION=us-east-1 AWS_DEFAULT_REGION=us-east-1
export AWS_ENDPOINT_URL_S3=$cloud AWS_ENDPOINT_URL_STS=$cloud AWS_ENDPOINT_URL_SNS=$cloud AWS_ENDPOINT_URL_SQS=$cloud
"$bin/ts-local" --port 0 --port_file "$scratch/port" --dir "$scratch/data" --sample --s3_endpoint "$cloud" \
  >build/smoke-ts-local.log 2>&1 &
pids+=($!)
wait_until 60 $! test -s "$scratch/port" || { cat build/smoke-ts-local.log >&2; die "ts-local did not get ready"; }
cat build/smoke-ts-local.log
timestream=http://127.0.0.1:$(cat "$scratch/port")
export AWS_ENDPOINT_URL_TIMESTREAM_QUERY=$timestream AWS_ENDPOINT_URL_TIMESTREAM_WRITE=$timestream

# A topic whose messages arrive in a queue, so that a publish can be seen; and the account that STS names.
read -r account topic queue < <("$python" - <<'PYTHON'
import boto3
sns, sqs = boto3.client("sns"), boto3.client("sqs")
topic = sns.create_topic(Name="migration")["TopicArn"]
queue = sqs.create_queue(QueueName="migration")["QueueUrl"]
arn = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn)
print(boto3.client("sts").get_caller_identity()["Account"], topic, queue)
PYTHON
) || true
[ -n "${queue:-}" ] || die "$served gave no account, topic and queue"

# ts-unload's default bucket carries the account's id, which it asks of STS.
bucket=timestream-unload-sourcedb-mytable-$account
expect 0 "$bin/ts-unload" --region us-east-1 --database sourcedb --table myTable --partition day
# The data model is made from the unload's record, and what the load does is looked at first.
load=("$bin/ts-batchload" --region us-east-1 --database targetdb --create_timestream_resource --partition_key city
  --s3_target_error_bucket timestream-batchload-error-logs --sns_topic_arn "$topic"
  --poll_interval 0.2 --create_interval 0.2)
copy=(--table myTable --copy_s3_bucket --s3_source_bucket_location "$bucket" --source_s3_prefix results/
  --create_error_logging_bucket --create_destination_bucket --s3_target_bucket timestream-batchload-targetdb-mytable
  --destination_s3_prefix dest/)
expect 0 "${load[@]}" "${copy[@]}" --dry_run
expect 0 "${load[@]}" "${copy[@]}"

# The same in gzip, inflated on the way through this machine, into groups filled up to a task's limits.
expect 0 "$bin/ts-unload" --region us-east-1 --database sourcedb --table myTable --partition day --compression gzip \
  --s3_uri "s3://$bucket/zipped"
expect 0 "${load[@]}" --table zipped --copy_s3_bucket --s3_source_bucket_location "$bucket" --source_s3_prefix zipped/ \
  --s3_target_bucket timestream-batchload-targetdb-mytable --destination_s3_prefix inflated/ --group_by packed
expect 0 "$bin/ts-batchload" status last

# The first files again, from where they lie, with a model that takes their text for a number: the group that is loaded
# alone first fails, nothing else is started, and the topic is told.
sed 's/"VARCHAR"/"BIGINT"/' data_model_samples/multi_measure.json >"$scratch/wrong.json"
expect 1 "${load[@]}" --table broken --data_model_file "$scratch/wrong.json" \
  --s3_target_bucket "$bucket" --destination_s3_prefix results/ >build/smoke-broken.log 2>&1
sed -n '2p; /^result /p' build/smoke-broken.log

say "Checking"
[ ! -e "$scratch/data/s3" ] || die "ts-local kept objects of its own"
timeout 120 "$python" - "$bucket" "$queue" <<'PYTHON'
import collections, json, os, sys
import boto3

bucket, queue = sys.argv[1:]
s3 = boto3.client("s3")
# By argument: botocore leaves an endpoint from the environment for the address that DescribeEndpoints tells.
query = boto3.client("timestream-query", endpoint_url=os.environ["AWS_ENDPOINT_URL_TIMESTREAM_QUERY"])

def rows(table):
    found = collections.Counter()
    for page in query.get_paginator("query").paginate(QueryString=f"SELECT * FROM {table}"):
        names = [column["Name"] for column in page["ColumnInfo"]]
        for row in page["Rows"]:
            found[frozenset((name, cell.get("ScalarValue")) for name, cell in zip(names, row["Data"]))] += 1
    return found

def objects(bucket, prefix=""):
    return {item["Key"]: item["Size"] for item in s3.list_objects_v2(Bucket=bucket, Prefix=prefix).get("Contents", [])}

source = rows("sourcedb.myTable")
total = sum(source.values())
for table in ("targetdb.myTable", "targetdb.zipped"):
    target = rows(table)
    assert total > 0 and source == target, f"{table}: {sum((source - target).values())} rows of {total} differ"
print(f"rows       {total}, the same in the source and in both tables that were loaded")

manifests = [key for key in objects(bucket) if key.endswith("_manifest.json") and not key.startswith("zipped/")]
assert len(manifests) == 1, manifests
manifest = json.loads(s3.get_object(Bucket=bucket, Key=manifests[0])["Body"].read())
listed = {entry["url"].removeprefix(f"s3://{bucket}/"): entry["file_metadata"]["content_length_in_bytes"]
          for entry in manifest["result_files"]}
assert manifest["query_metadata"]["total_row_count"] == total, manifest["query_metadata"]
assert listed == objects(bucket, "results/"), "the manifest and the bucket name different files"
print(f"objects    {len(listed)} files in s3://{bucket}/results/, as the manifest says")

reports = [key for key in objects("timestream-batchload-error-logs") if key.endswith("_report.json")]
assert len(reports) == 1, f"error reports of the failed load's first group: {reports}"
print(f"reports    {len(reports)} of the failed load")

# A message at each run's end, and one of the group that failed.
told, sqs = [], boto3.client("sqs")
while len(told) < 4:
    messages = sqs.receive_message(QueueUrl=queue, MaxNumberOfMessages=10, WaitTimeSeconds=10).get("Messages", [])
    assert messages, f"{len(told)} messages of 4: {told}"
    told += [json.loads(message["Body"])["Message"] for message in messages]
ends = {table: [text for text in told if f"to targetdb.{table}" in text] for table in ("myTable", "zipped", "broken")}
assert all(len(texts) == (2 if table == "broken" else 1) for table, texts in ends.items()) and len(told) == 4, told
assert all("is done" in ends[table][0] for table in ("myTable", "zipped")), told
failed = [text for text in told if "is not a BIGINT" in text]
assert len(failed) == 1 and any("is failed" in text for text in ends["broken"]), told
print(f"told       {len(told)} messages through the topic: {failed[0].splitlines()[0]}")
PYTHON
say "Passed: a migration on the S3, STS and SNS of $served in $SECONDS s"
