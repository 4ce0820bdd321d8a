// Typed tasks: a struct with a name and a cereal `serialize` is a task's payload. The one public header that needs cereal.
//
//   struct Resize {
//     static constexpr std::string_view kTask = "resize";
//     std::string path;
//     int width = 0;
//     template <class Archive> void serialize(Archive& ar) { ar(CEREAL_NVP(path), CEREAL_NVP(width)); }
//   };
//
// Payloads are written in cereal's portable binary archive, or as JSON if the struct says
// `static constexpr std::string_view kCodec = "json";`. Reading takes either, by the name stored with the bytes; anything
// else is refused with CodecError.
#pragma once

#include <tq/worker.hpp>

#include <cereal/archives/json.hpp>
#include <cereal/archives/portable_binary.hpp>
#include <cereal/types/map.hpp>
#include <cereal/types/optional.hpp>
#include <cereal/types/string.hpp>
#include <cereal/types/utility.hpp>
#include <cereal/types/vector.hpp>

#include <sstream>
#include <type_traits>

namespace tq {

// The payload of a value, in the codec its type asks for.
template <class T>
Payload encode(const T& value) {
  std::ostringstream out;
  std::string codec = "cereal";
  if constexpr (requires { T::kCodec; }) codec = T::kCodec;
  if (codec == "json") {
    cereal::JSONOutputArchive archive(out, cereal::JSONOutputArchive::Options::NoIndent());
    const_cast<T&>(value).serialize(archive);
  } else {
    cereal::PortableBinaryOutputArchive archive(out);
    archive(value);
  }
  return {codec, std::move(out).str()};
}

// The value of a payload. Throws CodecError if it is in another codec or does not hold a T.
template <class T>
T decode(const Payload& payload) {
  T value{};
  try {
    std::istringstream in(payload.bytes);
    if (payload.codec == "json") {
      cereal::JSONInputArchive archive(in);
      value.serialize(archive);
      return value;
    }
    if (payload.codec == "cereal") {
      cereal::PortableBinaryInputArchive archive(in);
      archive(value);
      return value;
    }
  } catch (const std::exception& error) {
    throw CodecError("the payload does not hold what the task expects: " + std::string(error.what()));
  }
  throw CodecError("the payload is in codec '" + payload.codec + "'; the task reads 'cereal' or 'json'");
}

template <class Job>
  requires requires { Job::kTask; }
JobId TaskQueue::enqueue(const Job& job, const EnqueueOptions& options) {
  return enqueue(Job::kTask, encode(job), options);
}

template <class Job>
  requires requires { Job::kTask; }
void Context::enqueue(const Job& job, const EnqueueOptions& options) {
  enqueue(Job::kTask, encode(job), options);
}

template <class Job, class Function>
void Worker::handle(Function function) {
  handle(Job::kTask, [function = std::move(function)](const Payload& payload, Context& context) -> Payload {
    Job job;
    try {
      job = decode<Job>(payload);
    } catch (const CodecError& error) {
      throw Verdict::fail(error.what());  // the same bytes will not decode next time either
    }
    const auto call = [&]() -> decltype(auto) {
      if constexpr (std::is_invocable_v<Function, const Job&, Context&>) {
        return function(job, context);
      } else {
        return function(job);
      }
    };
    using Returned = std::decay_t<decltype(call())>;
    if constexpr (std::is_void_v<Returned>) {
      call();
      return {};
    } else if constexpr (std::is_same_v<Returned, Payload>) {
      return call();
    } else if constexpr (std::is_convertible_v<Returned, std::string>) {
      return {"raw", call()};
    } else {
      return encode(call());
    }
  });
}

}  // namespace tq
