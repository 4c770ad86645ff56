// ReadyNode: what a loop's ready queue holds. The node lives in its owner (a
// task, a callback, an awaiter), so that making something ready allocates
// nothing.
#ifndef ASYNCIO_BASE_INTERNAL_READY_NODE_H_
#define ASYNCIO_BASE_INTERNAL_READY_NODE_H_

#include <string>

namespace asyncio::internal {

class ContextSlot;

class ReadyNode {
 public:
  ReadyNode() = default;
  ReadyNode(const ReadyNode&) = delete;
  ReadyNode& operator=(const ReadyNode&) = delete;

  // Called by the loop in the node's turn; the node is out of the queue by then
  // and may queue itself again or end its own life.
  virtual void run() = 0;
  // Of a task: called right after run() where that, a step of it, left something to
  // be resumed in Step::next.
  virtual void go_on();

  // Called in place of run() where the loop is closed or destroyed first.
  virtual void drop() noexcept = 0;

  // Of a task: the context that its steps run in. Null for others, which enter
  // their own, if they have one.
  virtual ContextSlot* task_context() { return nullptr; }

  // What it is, for reports.
  virtual std::string describe() const { return "<Handle>"; }

  // For owners that do not keep() anything.
  bool queued() const { return next_ != nullptr; }

 protected:
  ~ReadyNode() = default;

  // While it is in no queue, the owner may keep a pointer in the link's place.
  void keep(void* p) { kept_ = p; }
  void* kept() const { return kept_; }

 private:
  friend class Inbox;
  friend class ReadyQueue;
  union {
    // Null once it was taken out; the last of a queue points to ReadyQueue's end
    // mark.
    ReadyNode* next_ = nullptr;
    void* kept_;
  };
};

}  // namespace asyncio::internal

#endif  // ASYNCIO_BASE_INTERNAL_READY_NODE_H_
