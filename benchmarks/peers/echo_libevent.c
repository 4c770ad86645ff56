/* libevent: the echo server, on its bufferevents.
 *
 *   cc -O2 echo_libevent.c -levent_core -o echo_libevent
 *   echo_libevent [accept] */
#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/event.h>
#include <event2/listener.h>

#include "echo.h"

static int closes;

static void on_read(struct bufferevent* connection, void* context) {
  (void)context;
  evbuffer_add_buffer(bufferevent_get_output(connection),
                      bufferevent_get_input(connection));
}
static void on_event(struct bufferevent* connection, short what,
                     void* context) {
  (void)context;
  if (what & (BEV_EVENT_EOF | BEV_EVENT_ERROR)) bufferevent_free(connection);
}
static void on_connection(struct evconnlistener* listener, evutil_socket_t fd,
                          struct sockaddr* address, int size, void* context) {
  (void)address, (void)size, (void)context;
  if (closes) {
    evutil_closesocket(fd);
    return;
  }
  set_no_delay(fd);
  struct bufferevent* connection = bufferevent_socket_new(
      evconnlistener_get_base(listener), fd, BEV_OPT_CLOSE_ON_FREE);
  bufferevent_setcb(connection, on_read, NULL, on_event, NULL);
  bufferevent_enable(connection, EV_READ | EV_WRITE);
}

int main(int argc, char** argv) {
  closes = closes_at_once(argc, argv);
  struct event_base* base = event_base_new();
  check(evconnlistener_new(base, on_connection, NULL, LEV_OPT_CLOSE_ON_FREE, 0,
                           listen_on_loopback()) != NULL,
        "evconnlistener_new");
  return event_base_dispatch(base);
}
