// ts-local: Timestream, S3, STS and SNS in one process on one port, for demos and tests.

#include <fcntl.h>
#include <sys/file.h>
#include <sys/resource.h>

#include <chrono>
#include <csignal>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <memory>
#include <stdexcept>
#include <thread>

#include "ts_local/dispatcher.h"
#include "ts_local/foreign_storage.h"
#include "ts_local/multipart_store.h"
#include "ts_local/object_store.h"
#include "ts_local/options.h"
#include "ts_local/sample.h"
#include "ts_local/server.h"
#include "ts_local/table_store.h"

namespace {

std::int64_t NowNs() {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(
             std::chrono::system_clock::now().time_since_epoch())
      .count();
}

std::int64_t NowMs() { return NowNs() / 1'000'000; }

// Two processes on one directory would clear each other's unfinished files. Held until the end.
void LockDirectory(const std::string& dir) {
  std::filesystem::create_directories(dir);
  const std::string file = dir + "/lock";
  const int descriptor = ::open(file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644);
  if (descriptor < 0) throw std::runtime_error("cannot write in " + dir);
  if (::flock(descriptor, LOCK_EX | LOCK_NB) != 0) {
    throw std::runtime_error("another ts-local uses " + dir);
  }
}

// Whole or not at all: scripts wait for the file to appear.
void WritePortFile(const std::string& file, int port) {
  std::ofstream(file + ".new") << port << "\n";
  if (std::rename((file + ".new").c_str(), file.c_str()) != 0) {
    throw std::runtime_error("cannot write " + file);
  }
}

// ts-local's own buckets and the S3 that answers for them.
struct OwnS3 {
  explicit OwnS3(const ts_local::Options& options)
      : objects(options.dir, options.account_id),
        uploads(options.dir),
        service(objects, uploads, ts_local::Principals(options.principals)) {}
  ts_local::ObjectStore objects;
  ts_local::MultipartStore uploads;
  ts_local::S3Service service;
};

ts_local::LeaveUnfinished UnfinishedIn(OwnS3& own) {
  return [&own](const ts_local::StoragePlace& place, const std::string& key,
                const ts_local::StoredAs& as, std::string_view bytes) {
    if (!own.objects.Allowed(place.bucket, "s3:PutObject", key)) return;
    ts_local::MultipartStore& uploads = own.uploads;
    ts_local::ObjectAttributes attributes;
    attributes.content_type = as.content_type;
    attributes.encryption = as.encryption;
    const ts_local::Upload upload = uploads.Create(place.bucket, key, attributes);
    const auto file = uploads.NewFile();
    file->Append(bytes);
    uploads.AddPart(upload, 1, *file);
  };
}

ts_local::LeaveUnfinished UnfinishedIn(ts_local::ForeignStorage& storage) {
  return [&storage](const ts_local::StoragePlace& place, const std::string& key,
                    const ts_local::StoredAs& as,
                    std::string_view) { storage.StartMultipart(place, key, as); };
}

// Each UNLOAD may hold a hundred files open, and eight at once more than the usual 1,024.
void AllowManyFiles() {
  rlimit files{};
  if (::getrlimit(RLIMIT_NOFILE, &files) != 0) return;
  files.rlim_cur = files.rlim_max;
  ::setrlimit(RLIMIT_NOFILE, &files);
}

void Serve(const ts_local::Options& options, const sigset_t& signals) {
  LockDirectory(options.dir);
  std::unique_ptr<OwnS3> own;
  std::unique_ptr<ts_local::ForeignStorage> foreign;
  if (options.s3_endpoint) {
    foreign = std::make_unique<ts_local::ForeignStorage>(
        options.dir, ts_local::S3Client(*options.s3_endpoint, options.s3_key, NowMs));
  } else {
    own = std::make_unique<OwnS3>(options);
  }
  ts_local::Storage& storage = own ? static_cast<ts_local::Storage&>(own->objects) : *foreign;
  ts_local::TableStore tables(options.dir, NowNs);
  if (options.sample) {
    for (const auto& region : options.sample_regions) ts_local::FillSample(tables, NowNs(), region);
  }
  ts_local::FaultRules faults;
  for (const auto& rule : options.faults) faults.Add(rule);
  ts_local::QueryService query(
      tables, storage, NowNs, {}, options.unload,
      {options.memory_partitions, &faults, own ? UnfinishedIn(*own) : UnfinishedIn(*foreign)});
  ts_local::WriteService write(tables, storage, NowNs, options.batch_load, &faults);
  ts_local::SnsService sns(options.dir, NowMs);
  ts_local::SessionStore sessions(options.dir, options.session_seconds, NowMs);
  ts_local::StsService sts(options.account_id, sessions);
  const ts_local::SigV4Verifier verifier(options.keys, options.account_id, NowMs, &sessions);
  const std::string s3_endpoint = options.s3_endpoint ? options.s3_endpoint->origin : "";
  ts_local::Dispatcher dispatcher(
      verifier, {own ? &own->service : nullptr, query, write, sns, sts, s3_endpoint, &tables},
      NowMs, &faults);
  ts_local::HttpServer server(
      [&](ts_local::Request& request) { return dispatcher.Handle(request); }, options.latency_ms);

  const int port = server.Bind(options.host, options.port);
  if (!options.port_file.empty()) WritePortFile(options.port_file, port);
  std::thread serving([&] { server.Run(); });
  if (foreign) std::cout << "UNLOAD and batch load use the S3 at " << s3_endpoint << "\n";
  std::cout << "ts-local ready at http://" << options.host << ":" << port << std::endl;
  int signal = 0;
  ::sigwait(&signals, &signal);
  server.Stop();
  serving.join();
}

}  // namespace

int main(int argc, char** argv) {
  const auto parsed = ts_local::ParseOptions(argc, argv);
  if (const int* code = std::get_if<int>(&parsed)) return *code;
  // Blocked before any thread starts, so that sigwait alone takes them.
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGINT);
  sigaddset(&signals, SIGTERM);
  ::pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  std::signal(SIGPIPE, SIG_IGN);
  AllowManyFiles();
  try {
    Serve(std::get<ts_local::Options>(parsed), signals);
  } catch (const std::exception& error) {
    std::cerr << "ts-local: " << error.what() << "\n";
    return 3;
  }
  return 0;
}
