/* A bare echo server: what io_uring allows at least.
 *
 *   cc -O2 echo_io_uring.c -luring -o echo_io_uring
 *   echo_io_uring [accept]
 *
 * One ring, entered once for all that is ready: accepts and receives are
 * requested once and answer many times, into buffers that the kernel takes from
 * a ring of their own. Like the bare epoll server it takes messages that a
 * socket's buffer has room for, and gives up where it has none. */
#define _GNU_SOURCE
#include <errno.h>
#include <liburing.h>

#include "echo.h"

enum { kEntries = 4096, kBuffers = 4096, kBufferSize = 4096, kGroup = 0 };
enum { kAccept, kReceive, kSend, kClose };

/* What a request is for comes back with its completion. */
static uint64_t token(int what, int fd, int buffer) {
  return (uint64_t)fd << 32 | (uint64_t)buffer << 8 | (uint64_t)what;
}

static struct io_uring ring;
static struct io_uring_buf_ring* buffers;
static char memory[kBuffers][kBufferSize];

static void check_result(int result, const char* what) {
  if (result < 0) errno = -result;
  check(result >= 0, what);
}

static struct io_uring_sqe* next_request(void) {
  struct io_uring_sqe* request = io_uring_get_sqe(&ring);
  if (request != NULL) return request;
  check_result(io_uring_submit(&ring), "io_uring_submit");
  return io_uring_get_sqe(&ring);
}

static void accept_on(int listener) {
  struct io_uring_sqe* request = next_request();
  io_uring_prep_multishot_accept(request, listener, NULL, NULL, 0);
  io_uring_sqe_set_data64(request, token(kAccept, listener, 0));
}

static void receive_on(int fd) {
  struct io_uring_sqe* request = next_request();
  io_uring_prep_recv_multishot(request, fd, NULL, 0, 0);
  request->flags |= IOSQE_BUFFER_SELECT;
  request->buf_group = kGroup;
  io_uring_sqe_set_data64(request, token(kReceive, fd, 0));
}

static void send_on(int fd, int buffer, int size) {
  struct io_uring_sqe* request = next_request();
  io_uring_prep_send(request, fd, memory[buffer], (size_t)size,
                     MSG_NOSIGNAL | MSG_DONTWAIT);
  io_uring_sqe_set_data64(request, token(kSend, fd, buffer));
}

static void close_it(int fd) {
  struct io_uring_sqe* request = next_request();
  io_uring_prep_close(request, fd);
  io_uring_sqe_set_data64(request, token(kClose, fd, 0));
}

static void give_back(int buffer) {
  io_uring_buf_ring_add(buffers, memory[buffer], kBufferSize,
                        (unsigned short)buffer,
                        io_uring_buf_ring_mask(kBuffers), 0);
  io_uring_buf_ring_advance(buffers, 1);
}

static void on_received(int fd, const struct io_uring_cqe* done) {
  if (done->res > 0) {
    send_on(fd, (int)(done->flags >> IORING_CQE_BUFFER_SHIFT), done->res);
  } else if (done->res != -ENOBUFS) {
    close_it(fd);
    return;
  }
  if (!(done->flags & IORING_CQE_F_MORE)) receive_on(fd);
}

static void on_done(const struct io_uring_cqe* done, int closes) {
  const int fd = (int)(done->user_data >> 32);
  switch ((int)(done->user_data & 0xff)) {
    case kAccept:
      if (done->res >= 0 && closes) {
        close_it(done->res);
      } else if (done->res >= 0) {
        set_no_delay(done->res);
        receive_on(done->res);
      }
      if (!(done->flags & IORING_CQE_F_MORE)) accept_on(fd);
      break;
    case kReceive:
      on_received(fd, done);
      break;
    case kSend:
      /* A client that is gone is seen by the receive. */
      if (done->res != -EPIPE && done->res != -ECONNRESET) {
        check_result(done->res, "send");
      }
      give_back((int)(done->user_data >> 8 & 0xffffff));
      break;
  }
}

static void set_up(void) {
  struct io_uring_params parameters = {
      .flags = IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN |
               IORING_SETUP_CQSIZE,
      .cq_entries = 4 * kEntries};
  check_result(io_uring_queue_init_params(kEntries, &ring, &parameters),
               "io_uring_setup");
  check(posix_memalign((void**)&buffers, 4096,
                       kBuffers * sizeof(struct io_uring_buf)) == 0,
        "posix_memalign");
  io_uring_buf_ring_init(buffers);
  /* They are the server's, not a connection's. */
  memset(memory, 1, sizeof memory);
  struct io_uring_buf_reg registered = {.ring_addr = (uintptr_t)buffers,
                                        .ring_entries = kBuffers,
                                        .bgid = kGroup};
  check_result(io_uring_register_buf_ring(&ring, &registered, 0),
               "io_uring_register_buf_ring");
  for (int i = 0; i < kBuffers; ++i) give_back(i);
}

int main(int argc, char** argv) {
  const int closes = closes_at_once(argc, argv);
  set_up();
  accept_on(listen_on_loopback());
  for (;;) {
    check_result(io_uring_submit_and_wait(&ring, 1), "io_uring_enter");
    struct io_uring_cqe* done;
    unsigned head, count = 0;
    io_uring_for_each_cqe(&ring, head, done) {
      on_done(done, closes);
      ++count;
    }
    io_uring_cq_advance(&ring, count);
  }
}
