// The copies of a load on an S3 in memory, with a journal and spools of their own: what the tests
// of the copies share. Each process of a run is made anew, as a resume makes it. For one thread but
// for what runs within Run.
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "apps/ts_batchload/load_sample.h"
#include "copy/copy_world.h"
#include "support/client_bench.h"
#include "ts_batchload/copy_part.h"

namespace tsm::apps::test {

// SNS that takes every message.
class Topic {
 public:
  explicit Topic(ProgressSink& sink)
      : client_(bench_.client, aws::EndpointResolver(tsm::test::CustomEndpoint("sns.test")),
                "eu-west-1"),
        notifier(client_, *sns::TopicArn::Parse("arn:aws:sns:eu-west-1:123456789012:loads"), sink) {
    bench_.transport.SetHandler([](const http::Request&) -> Result<http::Response> {
      return http::Response{200,
                            {},
                            "<PublishResponse><PublishResult><MessageId>1</MessageId>"
                            "</PublishResult></PublishResponse>"};
    });
  }
  std::size_t sent() const { return bench_.transport.requests().size(); }

 private:
  tsm::test::ClientBench bench_;
  sns::SnsClient client_;

 public:
  batchload::FailureNotifier notifier;
};

class PartWorld {
 public:
  PartWorld() : plan(PlanOf(true)) {
    plan.source_bucket = copies.options.source_bucket;
    plan.target_bucket = copies.options.target_bucket;
    copies.options.concurrency = 1;
    copies.options.stream_workers = 1;
  }

  // A group with a file of each body, "p=01/0.csv" below "unload/" and "dest/".
  void AddGroup(const std::vector<std::string>& bodies, const std::string& ending = ".csv",
                std::size_t table = 0) {
    batchload::LoadGroup& group = apps::test::AddGroup(plan, table);
    plan.tables[table].files -= group.files;
    plan.tables[table].bytes -= group.bytes;
    group.files = static_cast<std::uint32_t>(bodies.size());
    group.bytes = 0;
    for (std::size_t i = 0; i < bodies.size(); ++i) {
      run::SpooledFile file;
      const std::string name = group.label + "/" + std::to_string(i) + ending;
      file.group = plan.groups.size() - 1;
      file.ordinal = static_cast<std::uint32_t>(i);
      file.source = s3::ObjectKey("unload/" + name);
      file.target = s3::ObjectKey("dest/" + name);
      file.size = bodies[i].size();
      file.etag = copies.s3.Put("src", "unload/" + name, bodies[i]);
      files.push_back(file);
      group.bytes += file.size;
    }
    plan.tables[table].files += group.files;
    plan.tables[table].bytes += group.bytes;
  }

  // A process begins: the first one with an empty journal.
  CopyPart& Begin() {
    part_.reset();
    ledger.reset();
    journal_.reset();
    batchload::LoadState state(plan);
    const JournalHeader header = HeaderOf(plan, "plan");
    Result<std::unique_ptr<Journal>> journal = Error{};
    if (begun_) {
      journal = Journal::Open(
          directory(), header, [&](const JournalEntry& entry) { return state.Apply(entry); },
          copies.clock, disk_);
    } else {
      WriteSpools();
      journal = Journal::Create(directory(), header, copies.clock, disk_);
      begun_ = true;
    }
    EXPECT_TRUE(journal) << journal.error().Text();
    journal_ = *std::move(journal);
    ledger = std::make_unique<batchload::LoadLedger>(std::move(state), *journal_);
    ready = std::make_unique<batchload::ReadyGroups>();
    part_ = std::make_unique<CopyPart>(CopyParts{plan, *ledger, directory(), copies.options,
                                                 copies.Services(), *ready, topic.notifier});
    return *part_;
  }

  copy::CopyInterrupts Interrupts() { return {copies.drain.get_token(), copies.stop.get_token()}; }
  // A whole process; nothing is in the way.
  CopyResult Run() {
    CopyPart& part = Begin();
    const Status looked = part.Look({});
    EXPECT_TRUE(looked) << looked.error().Text();
    return part.Run(Interrupts());
  }

  std::size_t Told(const std::string& text) {
    const std::lock_guard lock(copies.sink.mutex);
    std::size_t count = 0;
    for (const std::string& notice : copies.sink.notices) {
      count += notice.find(text) != std::string::npos ? 1 : 0;
    }
    return count;
  }
  std::filesystem::path directory() const { return dir_.path() / "run"; }

  batchload::LoadPlan plan;  // a table, no groups yet
  std::vector<run::SpooledFile> files;
  tsm::test::CopyWorld copies;
  Topic topic{copies.sink};
  std::unique_ptr<batchload::LoadLedger> ledger;  // of the last process, as all below
  std::unique_ptr<batchload::ReadyGroups> ready;

 private:
  void WriteSpools() {
    std::filesystem::create_directories(directory());
    for (std::size_t table = 0; table < plan.tables.size(); ++table) {
      auto writer = *run::FileSpoolWriter::Create(directory() / plan.tables[table].spool);
      for (const run::SpooledFile& file : files) {
        if (plan.groups[file.group].table != table) continue;
        const auto offset = writer->Append(file);
        EXPECT_TRUE(offset);
        if (file.ordinal == 0) plan.groups[file.group].offset = *offset;
      }
      EXPECT_TRUE(writer->Close());
    }
  }

  tsm::test::RunDir dir_;
  tsm::test::UnsyncedDisk disk_;
  bool begun_ = false;
  std::unique_ptr<Journal> journal_;
  std::unique_ptr<CopyPart> part_;
};

}  // namespace tsm::apps::test
