// A chat: what one says, all others see.
//
//   bazel run //examples:chat_server -- 9999        // 0: a port that is free
//   nc 127.0.0.1 9999                               // in several windows
//
// What is seen there: a question for a name, who comes, what they say, who
// goes. A guest who does not read falls behind and is thrown out, so that
// nobody waits for them. SIGTERM, or Ctrl-C, says goodbye to all, sends what is
// still to be sent, and ends.
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <iostream>
#include <map>
#include <memory>
#include <signal.h>
#include <string>
#include <utility>

#include "asyncio/asyncio.h"

using namespace std::chrono_literals;
using asyncio::Coroutine;
using asyncio::Server;
using asyncio::SignalStream;
using asyncio::StreamReader;
using asyncio::StreamWriter;

class Room {
 public:
  // The guest sees what is said from here on. False where the name is taken.
  bool enter(const std::string& name, StreamWriter& writer) {
    if (!guests_.emplace(name, &writer).second) return false;
    say("* " + name + " is here", name);
    return true;
  }
  void leave(const std::string& name) {
    guests_.erase(name);
    say("* " + name + " is gone", name);
  }
  // To all but one.
  void say(const std::string& text, const std::string& except = "") {
    for (auto& [name, writer] : guests_) {
      if (name == except || writer->is_closing()) continue;
      writer->write(text + "\n");
      if (writer->transport().get_write_buffer_size() > kMaxBehind) {
        writer->transport().abort();
      }
    }
  }

 private:
  static constexpr size_t kMaxBehind = 1024 * 1024;

  std::map<std::string, StreamWriter*> guests_;
};

std::string without_newline(std::string line) {
  while (line.ends_with('\n') || line.ends_with('\r')) line.pop_back();
  return line;
}

// In the room as long as it lives.
class Guest {
 public:
  Guest(std::shared_ptr<Room> room, std::string name, StreamWriter& writer)
      : room_(std::move(room)),
        name_(std::move(name)),
        inside_(room_->enter(name_, writer)) {}
  Guest(const Guest&) = delete;
  Guest& operator=(const Guest&) = delete;
  ~Guest() {
    if (inside_) room_->leave(name_);
  }
  bool inside() const { return inside_; }

 private:
  const std::shared_ptr<Room> room_;
  const std::string name_;
  const bool inside_;
};

// The room is shared: the last guests may leave it after amain() has.
Coroutine<> chat(std::shared_ptr<Room> room, StreamReader reader,
                 StreamWriter writer) {
  writer.write("Your name?\n");
  const std::string name = without_newline(co_await reader.readline());
  if (name.empty()) co_return;
  const Guest guest(room, name, writer);
  if (!guest.inside()) {
    writer.write("Somebody else has that name.\n");
    co_return;
  }
  try {
    while (auto line = co_await reader.next()) {
      room->say(name + ": " + without_newline(*line), name);
    }
  } catch (const asyncio::ConnectionError&) {
    // Gone without a goodbye.
  }
}

Coroutine<> amain(uint16_t port) {
  SignalStream signals({SIGTERM, SIGINT});
  auto room = std::make_shared<Room>();
  auto serve = [room](StreamReader reader, StreamWriter writer) {
    return chat(room, std::move(reader), std::move(writer));
  };
  Server server = co_await asyncio::start_server(serve, "127.0.0.1", port);
  std::cout << "Serving on port " << server.port() << std::endl;
  co_await signals.next();
  server.close();  // nobody comes in any more
  room->say("* The server shuts down. Goodbye.");
  server.close_clients();  // when they have that
  co_await server.shutdown(2s);
  std::cout << "Everybody is gone" << std::endl;
}

int main(int argc, char** argv) {
  const int port = argc > 1 ? std::atoi(argv[1]) : 9999;
  asyncio::run(amain(static_cast<uint16_t>(port)));
}
