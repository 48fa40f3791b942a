// Parts of SQL that UNLOAD and the side queries share. Pure functions.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace tsm::unload {

// "city DESC" -> {"city", " DESC"}; without a direction the second is "".
std::pair<std::string, std::string> SplitOrder(std::string_view item);

// " ORDER BY time, "city" DESC", "" for none. `time` bare, as the original writes it.
std::string OrderSql(const std::vector<std::string>& order_by);

}  // namespace tsm::unload
