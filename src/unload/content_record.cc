#include "content_record.h"

#include <string>
#include <utility>
#include <vector>

#include "table_questions.h"
#include "tsm/run/content_queries.h"

namespace tsm::unload {

namespace {

using run::ContentColumn;

std::vector<ContentColumn> ContentColumnsOf(const TablePlan& table) {
  std::vector<ContentColumn> columns;
  for (const timestream::SchemaColumn& column : SelectedColumns(table)) {
    columns.push_back({column.name, column.type});
  }
  return columns;
}

}  // namespace

std::string ContentPrefix(const UnloadPlan& plan, const TablePlan& table) {
  return table.folder() + "tsm-content-" + plan.run_id + "/";
}

Status PutContent(RunContext& context, std::size_t index) {
  const TablePlan& table = context.plan.tables[index];
  for (const UnloadSlice& slice : table.slices) {
    const run::ContentScope scope{table.table(), table.select.partition,
                                  table.select.WhereSql(slice.from, slice.end)};
    std::string lines;
    for (const std::vector<ContentColumn>& columns :
         run::ContentChunks(scope, ContentColumnsOf(table))) {
      std::string part;
      Status asked = AskRows(
          context.services, run::ContentSql(scope, columns), context.conduct.settings.give_up_after,
          [&] { part.clear(); },
          [&](const timestream::QueryPage& page, const timestream::Row& row) -> Status {
            Result<run::PartitionContent> content = run::ParseContentRow(columns, page, row);
            if (!content) return content.error();
            part += run::ContentLine(*content);
            return Ok();
          },
          context.stop());
      if (!asked) return asked.error().With("asking for the content of slice " + slice.Id());
      lines += part;
    }
    s3::PutOptions options;
    options.content_type = "application/x-ndjson";
    const s3::ObjectKey key(ContentPrefix(context.plan, table) + slice.Id() + ".jsonl");
    Result<std::string> put = context.services.s3.PutObject(
        table.destination.bucket, key, std::move(lines), options, context.stop());
    if (!put) return put.error().With("writing the content of slice " + slice.Id());
    if (Status kept = context.Tick(); !kept) return kept;
  }
  return Ok();
}

}  // namespace tsm::unload
