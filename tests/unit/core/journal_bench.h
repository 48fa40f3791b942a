// What the journal's tests share: a directory of their own, a clock, a disk that counts and fails.
#pragma once

#include <gtest/gtest.h>
#include <stdlib.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <memory>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include "support/fake_clock.h"
#include "tsm/core/journal.h"

namespace tsm::test {

// Counts fsyncs, which it does not make (real ones take 5 ms), and fails where told. Thread-safe.
class TestDisk final : public JournalDisk {
 public:
  int Sync(int /*file*/) override {
    ++syncs;
    writes_before_sync = writes.load();
    while (writes < wait_for_writes) std::this_thread::yield();
    return sync_error;
  }

  std::int64_t Write(int file, std::string_view bytes) override {
    if (interruptions-- > 0) return -EINTR;
    if (room < 0) return Count(JournalDisk::Write(file, bytes.substr(0, step)));
    if (room == 0) return -ENOSPC;
    const auto taken = std::min(static_cast<std::size_t>(room), std::min(step, bytes.size()));
    room -= static_cast<long>(taken);
    return Count(JournalDisk::Write(file, bytes.substr(0, taken)));
  }

  std::atomic<int> syncs = 0;
  std::atomic<int> writes = 0;
  std::atomic<int> writes_before_sync = 0;  // when the last fsync began
  std::atomic<int> sync_error = 0;
  std::atomic<int> wait_for_writes = 0;  // an fsync lasts until so many writes were made
  std::atomic<int> interruptions = 0;
  std::atomic<long> room = -1;  // bytes until the disk is full; negative: without end
  std::size_t step = std::string::npos;

 private:
  std::int64_t Count(std::int64_t written) {
    ++writes;
    return written;
  }
};

class JournalBench : public ::testing::Test {
 protected:
  JournalBench() {
    std::string name = ::testing::TempDir() + "journal.XXXXXX";
    root_ = ::mkdtemp(name.data());
    directory_ = root_ / "state" / "run";
  }
  ~JournalBench() override { std::filesystem::remove_all(root_); }

  static JournalHeader Header() {
    return {"ts-unload", "R1", "f00d", "sourcedb.myTable by day", 0};
  }

  static JournalEntry Entry(std::string kind, std::string slice) {
    return {std::move(kind), {{"slice", std::move(slice)}}, 0, 0};
  }

  std::unique_ptr<Journal> Create() {
    auto journal = Journal::Create(directory_, Header(), clock_, disk_);
    EXPECT_TRUE(journal) << journal.error().Text();
    return journal ? std::move(*journal) : nullptr;
  }

  // What a journal shows when it is opened again is left in seen_.
  Result<std::unique_ptr<Journal>> Open(const JournalHeader& expected = Header()) {
    seen_.clear();
    return Journal::Open(directory_, expected, Keep(), clock_, disk_);
  }

  Journal::Visitor Keep() {
    return [this](const JournalEntry& entry) {
      seen_.push_back(entry);
      return Ok();
    };
  }

  // Five entries of several kinds and lengths.
  void WriteSample() {
    const auto journal = Create();
    for (int i = 1; i <= 5; ++i) {
      JournalEntry entry = Entry("attempt", "000" + std::to_string(i));
      entry.fields["sql"] = "SELECT '\"\\\n" + std::string(static_cast<std::size_t>(i * 3), 'x');
      ASSERT_TRUE(journal->Append(std::move(entry), Durability::kGrouped));
    }
  }

  std::filesystem::path File() const { return directory_ / "journal"; }

  std::string Text() const {
    std::ifstream in(File(), std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
  }

  void SetText(const std::string& text) const {
    // A new file: ext4 writes one that was truncated to the disk when it is closed.
    std::filesystem::remove(File());
    std::ofstream(File(), std::ios::binary | std::ios::trunc) << text;
  }

  std::vector<std::uint64_t> SeenSequences() const {
    std::vector<std::uint64_t> sequences;
    for (const JournalEntry& entry : seen_) sequences.push_back(entry.sequence);
    return sequences;
  }

  static std::vector<std::uint64_t> UpTo(std::uint64_t last) {
    std::vector<std::uint64_t> sequences;
    for (std::uint64_t i = 1; i <= last; ++i) sequences.push_back(i);
    return sequences;
  }

  std::filesystem::path root_;
  std::filesystem::path directory_;
  FakeClock clock_;
  TestDisk disk_;
  std::vector<JournalEntry> seen_;
};

}  // namespace tsm::test
