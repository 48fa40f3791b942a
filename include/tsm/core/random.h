// Randomness as a dependency: jitter and identifiers are injected, so that tests can fix them.
// Thread-safe; owned by the composition root.
#pragma once

#include <cstdint>
#include <mutex>
#include <random>
#include <string>

namespace tsm {

class Random {
 public:
  virtual ~Random() = default;
  virtual std::uint64_t Next() = 0;
  // Uniform in [0, 1).
  double Unit();
  // A version 4 UUID, 36 characters: ClientToken, amz-sdk-invocation-id, run ids.
  std::string Uuid();
};

// Seeded from the operating system.
class SystemRandom final : public Random {
 public:
  std::uint64_t Next() override;

 private:
  std::mutex mutex_;
  std::random_device device_;
};

// The same sequence for the same seed (tests).
class SeededRandom final : public Random {
 public:
  explicit SeededRandom(std::uint64_t seed) : engine_(seed) {}
  std::uint64_t Next() override;

 private:
  std::mutex mutex_;
  std::mt19937_64 engine_;
};

}  // namespace tsm
