/* What the echo servers written in C and C++ share: the socket they listen on, the
 * line by which the script learns its port, and what it may be told. */
#ifndef ASYNCIO_BENCHMARKS_PEERS_ECHO_H_
#define ASYNCIO_BENCHMARKS_PEERS_ECHO_H_

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static inline void check(int ok, const char* what) {
  if (ok) return;
  perror(what);
  exit(1);
}

static inline void print_port(int port) {
  printf("port %d\n", port);
  fflush(stdout);
  /* Left alone, a server ends by itself. */
  alarm(600);
}

/* Whether the server is to close each connection as it comes: "accept" on the
 * command line. */
static inline int closes_at_once(int argc, char** argv) {
  return argc > 1 && strcmp(argv[1], "accept") == 0;
}

/* Non-blocking, on 127.0.0.1 and a port of the kernel's choice. */
static inline int listen_on_loopback(void) {
  struct sockaddr_in address;
  socklen_t size = sizeof address;
  memset(&address, 0, sizeof address);
  int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  check(fd >= 0, "socket");
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  check(bind(fd, (struct sockaddr*)&address, size) == 0, "bind");
  check(listen(fd, 4096) == 0, "listen");
  check(getsockname(fd, (struct sockaddr*)&address, &size) == 0, "getsockname");
  print_port(ntohs(address.sin_port));
  return fd;
}

static inline void set_no_delay(int fd) {
  int on = 1;
  setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
}

#endif /* ASYNCIO_BENCHMARKS_PEERS_ECHO_H_ */
