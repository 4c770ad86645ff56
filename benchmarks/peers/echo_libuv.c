/* libuv: the echo server.
 *
 *   cc -O2 echo_libuv.c -luv -o echo_libuv
 *   echo_libuv [accept]
 *
 * Buffer and write request are the connection's: no allocation a message. */
#include <uv.h>

#include "echo.h"

static int closes;

typedef struct {
  uv_tcp_t tcp;
  uv_write_t write;
  char buffer[65536];
} connection;

static void on_close(uv_handle_t* handle) { free(handle); }
static void give_buffer(uv_handle_t* handle, size_t size, uv_buf_t* out) {
  (void)size;
  connection* c = (connection*)handle;
  *out = uv_buf_init(c->buffer, sizeof c->buffer);
}
static void on_read(uv_stream_t* stream, ssize_t size, const uv_buf_t* buffer);
static void on_written(uv_write_t* write, int status) {
  uv_stream_t* stream = write->handle;
  if (status != 0) {
    if (!uv_is_closing((uv_handle_t*)stream)) {
      uv_close((uv_handle_t*)stream, on_close);
    }
    return;
  }
  uv_read_start(stream, give_buffer, on_read);
}
static void on_read(uv_stream_t* stream, ssize_t size, const uv_buf_t* buffer) {
  connection* c = (connection*)stream;
  if (size == 0) return;
  if (size < 0) {
    uv_close((uv_handle_t*)stream, on_close);
    return;
  }
  uv_buf_t out = uv_buf_init(buffer->base, (unsigned)size);
  const int sent = uv_try_write(stream, &out, 1);
  if (sent == (int)size) return;
  /* The buffer is in use until the rest is written. */
  if (sent > 0) out = uv_buf_init(out.base + sent, (unsigned)(size - sent));
  uv_read_stop(stream);
  uv_write(&c->write, stream, &out, 1, on_written);
}
static void on_connection(uv_stream_t* server, int status) {
  if (status != 0) return;
  connection* c = malloc(sizeof *c);
  uv_tcp_init(server->loop, &c->tcp);
  if (uv_accept(server, (uv_stream_t*)&c->tcp) != 0 || closes) {
    uv_close((uv_handle_t*)&c->tcp, on_close);
    return;
  }
  uv_tcp_nodelay(&c->tcp, 1);
  uv_read_start((uv_stream_t*)&c->tcp, give_buffer, on_read);
}

int main(int argc, char** argv) {
  closes = closes_at_once(argc, argv);
  uv_tcp_t server;
  uv_tcp_init(uv_default_loop(), &server);
  uv_tcp_open(&server, listen_on_loopback());
  check(uv_listen((uv_stream_t*)&server, 4096, on_connection) == 0, "listen");
  return uv_run(uv_default_loop(), UV_RUN_DEFAULT);
}
