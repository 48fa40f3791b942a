// How long and how often a table is asked again while it shows fewer rows than were loaded. One
// thread uses one; refers to the services.
#pragma once

#include <chrono>
#include <stop_token>
#include <string>

#include "tsm/core/patience.h"
#include "tsm/verify/verify_table.h"

namespace tsm::verify {

Patience PatienceOf(const VerifyServices& services);

class VisibilityWait {
 public:
  // `whole`: from now on; 0: ask once. `first`: the first wait; each is twice the one before, up to
  // ten minutes, less a random part of up to a half so that many programs do not ask at once.
  VisibilityWait(const VerifyServices& services, std::chrono::nanoseconds whole,
                 std::chrono::nanoseconds first);

  // No time is left: what the table shows now counts.
  bool over() const { return left().count() <= 0; }
  std::chrono::nanoseconds left() const;

  // Waits for the next time to ask, at most until the whole is over, and keeps ticking. kCancelled
  // at a stop. The first one tells `what`, "990 of 1,000 rows of db.t are to be seen so far".
  Status Wait(const std::string& what, const std::stop_token& stop);

 private:
  Status Sleep(std::chrono::nanoseconds duration, const std::stop_token& stop);

  const VerifyServices& services_;
  const std::chrono::steady_clock::time_point end_;
  std::chrono::nanoseconds next_;
  bool told_ = false;
};

}  // namespace tsm::verify
