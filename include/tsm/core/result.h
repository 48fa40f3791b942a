// Result<T>: a value or an Error, with std::expected's member names (C++20 has no std::expected).
// Reading value() of a failure, or error() of a success, is a programming error and aborts.
//
//   Result<Page> page = client.List(...);
//   if (!page) return page.error().With("listing the source");
//   Use(page->keys);
#pragma once

#include <cstdlib>
#include <utility>
#include <variant>

#include "tsm/core/error.h"

namespace tsm {

template <typename T>
class [[nodiscard]] Result {
 public:
  Result(T value)
      : state_(std::in_place_index<0>, std::move(value)) {}  // NOLINT: implicit by design
  Result(Error error) : state_(std::in_place_index<1>, std::move(error)) {}  // NOLINT

  bool has_value() const { return state_.index() == 0; }
  explicit operator bool() const { return has_value(); }

  T& value() & { return *Value(); }
  const T& value() const& { return *const_cast<Result*>(this)->Value(); }
  T&& value() && { return std::move(*Value()); }
  T& operator*() & { return *Value(); }
  const T& operator*() const& { return value(); }
  T&& operator*() && { return std::move(*Value()); }
  T* operator->() { return Value(); }
  const T* operator->() const { return const_cast<Result*>(this)->Value(); }

  Error& error() & { return *Failure(); }
  const Error& error() const& { return *const_cast<Result*>(this)->Failure(); }
  Error&& error() && { return std::move(*Failure()); }

 private:
  T* Value() {
    T* value = std::get_if<0>(&state_);
    if (value == nullptr) std::abort();
    return value;
  }
  Error* Failure() {
    Error* error = std::get_if<1>(&state_);
    if (error == nullptr) std::abort();
    return error;
  }
  std::variant<T, Error> state_;
};

// Success without a value.
struct Done {};
using Status = Result<Done>;
inline Status Ok() { return Done{}; }

}  // namespace tsm
