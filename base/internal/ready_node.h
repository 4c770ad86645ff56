// ReadyNode: what a loop's ready queue holds. The node lives in its owner (a
// task, a callback, an awaiter), so that making something ready allocates
// nothing.
#ifndef ASYNCIO_BASE_INTERNAL_READY_NODE_H_
#define ASYNCIO_BASE_INTERNAL_READY_NODE_H_

#include <string>

namespace asyncio::internal {

class ReadyNode {
 public:
  ReadyNode() = default;
  ReadyNode(const ReadyNode&) = delete;
  ReadyNode& operator=(const ReadyNode&) = delete;

  // Called by the loop in the node's turn; the node is out of the queue by then
  // and may queue itself again or end its own life.
  virtual void run() = 0;

  // Called in place of run() where the loop is closed or destroyed first.
  virtual void drop() noexcept = 0;

  // What it is, for reports.
  virtual std::string describe() const { return "<Handle>"; }

  bool queued() const { return next_ != nullptr; }

 protected:
  ~ReadyNode() = default;

 private:
  friend class Inbox;
  friend class ReadyQueue;
  // Null while in no queue; the last of a queue points to ReadyQueue's end mark.
  ReadyNode* next_ = nullptr;
};

}  // namespace asyncio::internal

#endif  // ASYNCIO_BASE_INTERNAL_READY_NODE_H_
