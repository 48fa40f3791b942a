// A plan for tests of the ledger: two tables, the second of gzip where files are copied, and groups
// of three files each.
#pragma once

#include <string>

#include "tsm/batchload/load_plan.h"

namespace tsm::batchload {

inline LoadPlan SamplePlan(bool copy, std::size_t groups) {
  LoadPlan plan;
  plan.run_id = "RUN1";
  plan.copy = copy;
  for (const char* name : {"t", "u"}) {
    TableLoad table;
    table.target = {"db", name};
    table.gzip = copy && std::string(name) == "u";
    plan.tables.push_back(table);
  }
  for (std::size_t i = 0; i < groups; ++i) {
    LoadGroup group;
    group.id = "g" + std::to_string(i);
    group.table = i % 2;
    group.files = 3;
    group.bytes = 5000;
    group.rows = 100;
    plan.groups.push_back(group);
  }
  return plan;
}

}  // namespace tsm::batchload
