// ProcessTree: a process and those that descend from it, held still.
//
//   ProcessTree tree(pid, pidfd);
//   tree.send_signal(SIGKILL);
//
// Each that is found is stopped before its children are looked for, so that
// none is born unseen; whoever has left the tree by then (its parent has ended)
// is not found. Each is named by a pidfd of its own: no number is trusted
// twice. Cost: reads /proc at least twice.
#ifndef ASYNCIO_SUBPROCESS_INTERNAL_PROCESS_TREE_H_
#define ASYNCIO_SUBPROCESS_INTERNAL_PROCESS_TREE_H_

#include <sys/types.h>

#include "absl/container/flat_hash_map.h"

#include "asyncio/streams/file_descriptor.h"

namespace asyncio::internal {

class ProcessTree {
 public:
  // `root` is a child of this process that has not been reaped.
  ProcessTree(pid_t root, int root_pidfd);

  // To each of them; what the kernel refuses is passed over.
  void send_signal(int sig) const;

 private:
  bool holds(pid_t pid) const { return pid == root_ || members_.contains(pid); }
  // Stops the descendants that it finds in /proc; whether there was a new one.
  bool look_again();
  bool add(pid_t pid);

  const pid_t root_;
  const int root_pidfd_;
  absl::flat_hash_map<pid_t, FileDescriptor> members_;  // the root is none
};

}  // namespace asyncio::internal

#endif  // ASYNCIO_SUBPROCESS_INTERNAL_PROCESS_TREE_H_
