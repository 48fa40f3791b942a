#include "ts_batchload/table_model.h"

#include <algorithm>
#include <utility>

#include "tsm/batchload/record_model.h"
#include "tsm/model/csv_header.h"
#include "tsm/model/data_model_generate.h"
#include "tsm/timestream/table_measures.h"
#include "tsm/timestream/table_schema.h"

namespace tsm::apps {

namespace {

// The first bytes of an object, which need not have so many: S3 answers what there is, or 416 for
// an empty one.
Result<std::string> FirstBytes(s3::S3Client& s3, const s3::BucketName& bucket,
                               const s3::ObjectKey& key, std::size_t bytes, std::stop_token stop) {
  return s3.GetObject(bucket, key, s3::ByteRange{0, bytes - 1}, std::move(stop));
}

// Nothing where no file tells: there is none, or it is compressed.
Result<std::optional<model::CsvHeader>> ReadHeader(const ModelQuestion& question,
                                                   s3::S3Client& files, std::stop_token stop) {
  if (!question.sample || question.table.gzip) return std::optional<model::CsvHeader>();
  const s3::BucketName& bucket = question.settings.listed_bucket();
  const std::string name = "s3://" + bucket.str() + "/" + question.sample->str();
  for (std::size_t bytes = model::kFirstHeaderBytes;; bytes *= 8) {
    bytes = std::min(bytes, model::kMaxHeaderBytes);
    Result<std::string> start = FirstBytes(files, bucket, *question.sample, bytes, stop);
    if (!start) return start.error().With("reading the header of " + name);
    const bool whole = start->size() < bytes || bytes == model::kMaxHeaderBytes;
    Result<std::optional<model::CsvHeader>> header =
        model::ParseCsvHeader(*start, whole, question.csv, name);
    if (!header || *header || whole) return header;
  }
}

// Columns and measures of the target. A table that nothing was written to has no columns, and the
// service answers a DESCRIBE of it with a refusal.
Result<model::TargetColumns> AskTarget(const ModelQuestion& question,
                                       timestream::QueryClient& query, std::stop_token stop) {
  model::TargetColumns target;
  target.table = question.table.target.str();
  if (!question.target_exists) return target;
  Result<timestream::TableSchema> schema =
      timestream::DescribeSchema(query, question.table.target, stop);
  if (!schema && schema.error().kind == ErrorKind::kValidation) return target;
  if (!schema) return schema.error().With("asking for the columns of " + target.table);
  target.schema = *std::move(schema);
  if (target.schema.columns.empty()) return target;
  Result<std::vector<timestream::Measure>> measures =
      timestream::ShowMeasures(query, question.table.target, stop);
  if (!measures) return measures.error().With("asking for the measures of " + target.table);
  target.measures = *std::move(measures);
  return target;
}

Error NothingToMakeOf(const ModelQuestion& question) {
  return MakeError(ErrorKind::kInvalidInput,
                   "no data model: --data_model_file is not given, under " + question.table.listed +
                       " no record of an unload was found, and " + question.table.target.str() +
                       " has no columns yet to tell what the files' columns are; ts-unload "
                       "--data_model_out makes a model, samples are in data_model_samples/");
}

// The model and where it is from.
Status Choose(const ModelQuestion& question, const std::optional<model::CsvHeader>& header,
              const model::TargetColumns& target, TableModel& made) {
  if (question.settings.data_model) {
    made.model = *question.settings.data_model;
    made.origin = question.settings.data_model_file;
    return Ok();
  }
  Result<model::GeneratedModel> generated = NothingToMakeOf(question);
  if (question.record) {
    generated = batchload::GenerateFromRecord(*question.record);
    made.origin = "made from the unload's record";
  } else if (header && !target.schema.columns.empty()) {
    model::HeaderSource source;
    source.header = header->columns;
    source.file = question.sample->str();
    source.table = target.table;
    source.schema = target.schema;
    source.measures = target.measures;
    generated = model::GenerateFromHeader(source);
    made.origin = "made from the files' header and the columns of " + target.table;
  }
  if (!generated) return generated.error().With("the data model of " + target.table);
  made.model = std::move(generated->model);
  made.notes = std::move(generated->notes);
  return Ok();
}

void Add(std::vector<std::string> lines, std::vector<std::string>& notes) {
  for (std::string& line : lines) notes.push_back(std::move(line));
}

}  // namespace

Result<TableModel> MakeTableModel(const ModelQuestion& question, s3::S3Client& files,
                                  timestream::QueryClient& query, std::stop_token stop) {
  Result<std::optional<model::CsvHeader>> header = ReadHeader(question, files, stop);
  if (!header) return header.error();
  Result<model::TargetColumns> target = AskTarget(question, query, stop);
  if (!target) return target.error();
  TableModel made;
  if (question.record) {
    made.source = batchload::SourceOf(*question.record);
    made.counts = batchload::CountsOf(*question.record);
    made.oldest = batchload::RangeOf(*question.record).oldest;
  }
  if (Status chosen = Choose(question, *header, *target, made); !chosen) return chosen.error();
  if (*header) {
    Result<model::HeaderFit> fit =
        model::FitToHeader(made.model, (*header)->columns, question.sample->str());
    if (!fit) return fit.error().With("the data model (" + made.origin + ")");
    for (const std::string& column : fit->unmapped) {
      made.notes.push_back("the column " + column + " is not loaded");
    }
  }
  Result<model::TableFit> fits = model::FitToTable(made.model, *target, made.source.measures);
  if (!fits) return fits.error().With("the data model (" + made.origin + ")");
  Add(std::move(fits->notes), made.notes);
  Result<model::SourceFit> source = model::FitToSource(made.model, made.source, made.counts);
  if (!source) return source.error().With("the data model (" + made.origin + ")");
  made.changes = std::move(source->changes);
  made.key_changes = std::move(source->key_changes);
  return made;
}

}  // namespace tsm::apps
