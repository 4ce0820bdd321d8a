// Everything of tq but typed tasks (<tq/typed.hpp>, which needs cereal).
#pragma once

#include <tq/context.hpp>
#include <tq/error.hpp>
#include <tq/task_queue.hpp>
#include <tq/types.hpp>
#include <tq/upkeep.hpp>
#include <tq/worker.hpp>
