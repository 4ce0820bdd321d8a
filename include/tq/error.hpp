// The error hierarchy: what a failure is called, and which exit code the `tq` command gives it.
//
// Three kinds of trouble are never mixed. A bug is an assertion. An expected outcome (no such job, nothing to claim, not
// final yet) is in a return type. A failure (I/O, full, damaged, misuse of a file) is an exception from this page. Each
// text names the operation, the object and the reason, in one sentence.
#pragma once

#include <stdexcept>
#include <string>

namespace tq {

// The base of every failure that tq throws. Catch it to catch them all. Thread-safe to copy and rethrow.
class Error : public std::runtime_error {
 public:
  explicit Error(const std::string& what) : std::runtime_error(what) {}
};

// An argument that can never be right: a name too long, a negative duration, a payload over the limit. Nothing was
// changed. `tq` exits with 2.
class InvalidArgument : public Error {
 public:
  using Error::Error;
};

// The store, job, queue or worker that was named does not exist. Nothing was changed. `tq` exits with 3.
class NotFound : public Error {
 public:
  using Error::Error;
};

// The job exists, but is in a state in which this cannot be done, or there is already one. Nothing was changed.
// `tq` exits with 4.
class Conflict : public Error {
 public:
  using Error::Error;
};

// The queue has its `max_size`, or the store its quota. Nothing was changed. `tq` exits with 5.
class QueueFull : public Error {
 public:
  using Error::Error;
};

// The file could not be used: the base of the failures of the store itself. `tq` exits with 7.
class StoreError : public Error {
 public:
  using Error::Error;
};

// The operating system refused: its reason is in the text and its number in `code()`. After a failed commit or sync
// the store writes nothing more through this handle: close it and open it again.
class IoError : public StoreError {
 public:
  IoError(const std::string& what, int code) : StoreError(what), code_(code) {}
  // The errno of the failed call.
  int code() const noexcept { return code_; }

 private:
  int code_;
};

// No space is left on the device. Nothing of the transaction was kept; reading, deleting and completing go on.
class DiskFull : public IoError {
 public:
  using IoError::IoError;
};

// A record, or the file as a whole, is not what was written. It is reported and never believed.
class Damaged : public StoreError {
 public:
  using StoreError::StoreError;
};

// The file is a store of a newer format than this library knows, or lies where a store cannot be kept (a network file
// system, a read-only medium, a directory). It is left untouched.
class Unsupported : public StoreError {
 public:
  using StoreError::StoreError;
};

// A payload or result is not in the codec that the reader expects.
class CodecError : public Error {
 public:
  using Error::Error;
};

}  // namespace tq
