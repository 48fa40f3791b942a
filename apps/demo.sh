#!/usr/bin/env bash
# The main job on this machine, end to end: ts-local with sample data, ts-unload, ts-batchload, and a comparison
# of source and target, value by value, by an outside client (curl signs the queries, jq reads the answers).
# On a bare Debian 12 it installs what is missing first. Exit code 0 only when both tables are equal.
#   bash apps/demo.sh [--keep]      --keep leaves the folder of it all and names it
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
. tests/lib/common.sh

keep=''
case "${1:-}" in
  '') ;;
  --keep) keep=yes ;;
  -h | --help) sed -n '2,5s/^# \{0,1\}//p' apps/demo.sh; exit 0 ;;
  *) sed -n '2,5s/^# \{0,1\}//p' apps/demo.sh >&2; exit 2 ;;
esac

install_missing "${TSM_BUILD_PACKAGES[@]}" "${TSM_DEMO_PACKAGES[@]}"
forget_caller_aws
# The unit tests need further packages: a build tree that has them stays as it is, a new one leaves them out.
tests=OFF
if grep -qs '^TSM_TESTS:BOOL=ON$' build/release/CMakeCache.txt; then tests=ON; fi
say "Building build/release"
configure_and_build release -DTSM_TESTS=$tests -- ts-local ts-unload ts-batchload
bin=$PWD/build/release/bin

scratch=$(mktemp -d)
server=''
clean_up() {
  if [ -n "$server" ]; then
    kill "$server" 2>/dev/null || true
    wait "$server" 2>/dev/null || true
  fi
  if [ -n "$keep" ]; then echo "ts-local's folder and the runs' reports are kept: $scratch"; else rm -rf "$scratch"; fi
}
trap clean_up EXIT
trap 'exit 130' INT TERM

say "Starting ts-local with sample data"
"$bin/ts-local" --port 0 --port_file "$scratch/port" --dir "$scratch/data" --region us-east-1 --sample >"$scratch/ts-local.log" 2>&1 &
server=$!
for _ in $(seq 600); do
  [ -s "$scratch/port" ] && break
  kill -0 "$server" 2>/dev/null || { cat "$scratch/ts-local.log" >&2; die "ts-local ended before it was ready"; }
  sleep 0.1
done
[ -s "$scratch/port" ] || die "ts-local was not ready within a minute"
cat "$scratch/ts-local.log"
endpoint=http://127.0.0.1:$(cat "$scratch/port")
export AWS_ENDPOINT_URL=$endpoint AWS_ACCESS_KEY_ID=test AWS_SECRET_ACCESS_KEY=test AWS_REGION=us-east-1
export NO_PROXY=127.0.0.1 no_proxy=127.0.0.1
export XDG_STATE_HOME=$scratch/state  # where the programs remember their runs

show() {  # prints the command as one would type it, then runs it
  say "$(basename "$1") ${*:2}"
  "$@"
}

bucket=timestream-unload-sourcedb-mytable-123456789012  # ts-unload's default for this table and account
show "$bin/ts-unload" --region us-east-1 --database sourcedb --table myTable --partition day
show "$bin/ts-batchload" --region us-east-1 --database targetdb --table myTable \
  --create_timestream_resource --partition_key city \
  --copy_s3_bucket --s3_source_bucket_location "$bucket" --source_s3_prefix results/ \
  --create_destination_bucket --s3_target_bucket timestream-batchload-targetdb-mytable --destination_s3_prefix dest/ \
  --create_error_logging_bucket --s3_target_error_bucket timestream-batchload-error-logs \
  --poll_interval 0.5
show "$bin/ts-batchload" status last

# query_page SQL NEXT_TOKEN: one page of Timestream's answer as JSON.
query_page() {
  jq -n --arg sql "$1" --arg token "$2" '{QueryString: $sql} + (if $token == "" then {} else {NextToken: $token} end)' \
    | curl --silent --show-error --fail-with-body --noproxy '*' --aws-sigv4 aws:amz:us-east-1:timestream --user test:test \
      -H 'Content-Type: application/x-amz-json-1.0' -H 'X-Amz-Target: Timestream_20181101.Query' --data-binary @- "$endpoint/"
}

# rows_of SQL: each row of the whole answer as one line of JSON, {column: text or null}, keys in order.
rows_of() {
  local token='' page
  while :; do
    page=$(query_page "$1" "$token") || { printf '%s\n' "$page" >&2; return 1; }
    jq -cS '[.ColumnInfo[].Name] as $names | .Rows[] | [.Data[] | .ScalarValue] as $values
            | reduce range($names | length) as $i ({}; .[$names[$i]] = $values[$i])' <<<"$page"
    token=$(jq -r '.NextToken // ""' <<<"$page")
    [ -n "$token" ] || return 0
  done
}

say "Some rows of the source and of the target"
for table in '"sourcedb"."myTable"' '"targetdb"."myTable"'; do
  printf '%s\n' "$table"
  rows_of "SELECT city, device, measure_name, time, temperature, samples, ok, note FROM $table WHERE measure_name = 'climate' ORDER BY time, city, device LIMIT 4"
done

say "Comparing every row"
rows_of 'SELECT * FROM "sourcedb"."myTable"' | LC_ALL=C sort >"$scratch/source.jsonl"
rows_of 'SELECT * FROM "targetdb"."myTable"' | LC_ALL=C sort >"$scratch/target.jsonl"
rows=$(wc -l <"$scratch/source.jsonl")
values=$(jq -n 'reduce inputs as $row (0; . + ([$row[] | select(. != null)] | length))' "$scratch/source.jsonl")
printf 'source: %d rows\ntarget: %d rows\n' "$rows" "$(wc -l <"$scratch/target.jsonl")"
[ "$rows" -gt 0 ] || die "the source has no rows"
if ! cmp -s "$scratch/source.jsonl" "$scratch/target.jsonl"; then
  diff "$scratch/source.jsonl" "$scratch/target.jsonl" | head -n 20 || true
  die "source and target differ (< source, > target)"
fi
printf 'Equal: %d rows, %d values, the same in both tables.\n' "$rows" "$values"
