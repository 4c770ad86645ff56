/* A bare echo server: what epoll allows at least.
 *
 *   cc -O2 echo_epoll.c -o echo_epoll
 *   echo_epoll [accept]
 *
 * Level-triggered; a message is one recv() and one send(). It takes messages
 * that a socket's buffer has room for, and gives up where it has none. */
#define _GNU_SOURCE
#include <sys/epoll.h>

#include "echo.h"

static char buffer[65536];

static void add(int epoll, int fd) {
  struct epoll_event event = {.events = EPOLLIN, .data.fd = fd};
  check(epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event) == 0, "epoll_ctl");
}

static void accept_all(int epoll, int listener, int closes) {
  int fd;
  while ((fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK)) >= 0) {
    if (closes) {
      close(fd);
    } else {
      set_no_delay(fd);
      add(epoll, fd);
    }
  }
}

int main(int argc, char** argv) {
  const int closes = closes_at_once(argc, argv);
  const int listener = listen_on_loopback();
  const int epoll = epoll_create1(0);
  struct epoll_event events[256];
  add(epoll, listener);
  for (;;) {
    const int n = epoll_wait(epoll, events, 256, -1);
    for (int i = 0; i < n; ++i) {
      const int fd = events[i].data.fd;
      if (fd == listener) {
        accept_all(epoll, listener, closes);
        continue;
      }
      const ssize_t size = recv(fd, buffer, sizeof buffer, 0);
      if (size <= 0) {
        close(fd);
      } else {
        check(send(fd, buffer, (size_t)size, MSG_NOSIGNAL) == size, "send");
      }
    }
  }
}
