#include "nodes/import/model_chain.h"

namespace gramflow {

ModelChain::State ModelChain::state(const std::string& blob) const {
  const auto found = states_.find(blob);
  return found == states_.end() ? State{} : found->second;  // nobody gave it: the input
}

void ModelChain::convolution(const std::string& takes, const std::vector<std::string>& gives,
                             const std::string& kernel) {
  convolutions_.push_back({state(takes), kernel});
  for (const std::string& blob : gives) states_[blob] = {static_cast<int>(convolutions_.size()) - 1, 0};
}

void ModelChain::pool(const std::string& takes, const std::vector<std::string>& gives) {
  State behind = state(takes);
  ++behind.pools;
  for (const std::string& blob : gives) states_[blob] = behind;
}

void ModelChain::pass(const std::string& takes, const std::vector<std::string>& gives) {
  const State same = state(takes);
  for (const std::string& blob : gives) states_[blob] = same;
}

void ModelChain::other(const std::vector<std::string>& gives) {
  for (const std::string& blob : gives) states_[blob] = {unknown, 0};
}

std::vector<ModelChain::Link> ModelChain::links() const {
  std::map<int, std::vector<int>> behind;  // by the convolution before
  for (std::size_t i = 0; i < convolutions_.size(); ++i)
    behind[convolutions_[i].before.last].push_back(static_cast<int>(i));
  std::vector<Link> links;
  for (auto next = behind.find(input); next != behind.end() && next->second.size() == 1;) {
    const int at = next->second[0];
    const Convolution& convolution = convolutions_[static_cast<std::size_t>(at)];
    links.push_back({convolution.kernel, convolution.before.pools});
    next = behind.find(at);  // a later one, so this ends
  }
  return links;
}

}  // namespace gramflow
