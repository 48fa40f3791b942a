#include "content_record.h"

#include <string>
#include <utility>
#include <vector>

#include "table_questions.h"
#include "tsm/core/text.h"

namespace tsm::unload {

namespace {

std::vector<ContentColumn> ContentColumnsOf(const TablePlan& table) {
  std::vector<ContentColumn> columns;
  for (const timestream::SchemaColumn& column : SelectedColumns(table)) {
    columns.push_back({column.name, column.type});
  }
  return columns;
}

// One line of JSON per partition and chunk of columns; written by hand, for it is flat.
std::string QuoteJson(const std::string& text) {
  std::string quoted = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') {
      quoted += '\\';
      quoted += c;
    } else if (static_cast<unsigned char>(c) < 0x20) {
      quoted += "\\u00" + HexEncode(std::string_view(&c, 1));
    } else {
      quoted += c;
    }
  }
  return quoted + "\"";
}

std::string ContentLine(const PartitionContent& content) {
  std::string line = "{\"partition\":" + QuoteJson(content.partition) +
                     ",\"rows\":" + std::to_string(content.rows) + ",\"facts\":[";
  bool first = true;
  for (const ContentFact& fact : content.facts) {
    if (!first) line += ',';
    first = false;
    line += "[" + QuoteJson(fact.column) + "," + QuoteJson(fact.aggregate) + "," +
            QuoteJson(fact.value) + "]";
  }
  return line + "]}\n";
}

}  // namespace

std::string ContentPrefix(const UnloadPlan& plan, const TablePlan& table) {
  return table.folder() + "tsm-content-" + plan.run_id + "/";
}

Status PutContent(RunContext& context, std::size_t index) {
  const TablePlan& table = context.plan.tables[index];
  for (const UnloadSlice& slice : table.slices) {
    const TimeRange range{slice.from, slice.end};
    std::string lines;
    for (const std::vector<ContentColumn>& columns :
         ContentChunks(table.select, range, ContentColumnsOf(table))) {
      std::string part;
      Status asked = AskRows(
          context.services, ContentSql(table.select, range, columns),
          context.conduct.settings.give_up_after, [&] { part.clear(); },
          [&](const timestream::QueryPage& page, const timestream::Row& row) -> Status {
            Result<PartitionContent> content = ParseContentRow(columns, page, row);
            if (!content) return content.error();
            part += ContentLine(*content);
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
