#include "asyncio/streams/separators.h"

#include <algorithm>
#include <string>
#include <string_view>
#include <utility>

namespace asyncio {

void Separators::add(std::string_view separator) {
  std::string added(separator);
  if (count_++ == 0) {
    first_ = std::move(added);
    return;
  }
  if (added.size() < first_.size()) std::swap(added, first_);
  const auto place = std::upper_bound(
      more_.begin(), more_.end(), added,
      [](const std::string& a, const std::string& b) {
        return a.size() < b.size();
      });
  more_.insert(place, std::move(added));
}

}  // namespace asyncio
