"""What the scripts here share: goals, how programs are built and profiled.

The goals are docs/performance.md's: user instructions an operation, and a time
against a peer's in the same run.
"""
import os
import platform
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
PEERS = os.path.join(ROOT, "benchmarks", "peers")

TOKIO_CONFIG = """[source.crates-io]
replace-with = "debian"
[source.debian]
directory = "/usr/share/cargo/registry"
"""


@dataclass
class Goal:
    title: str
    path: str  # of core_paths
    size: int  # 0: the path has none
    count: int  # operations for a time
    few: int  # operations for a profile; 0: none is taken
    instructions: dict  # by compiler; what the goal is
    time: str  # the goal against a peer
    ratio: float = 0  # the same as a number; 0: not a ratio
    most: float = 0  # what is printed, at the most; 0: any
    late: float = 0  # ms at the 99th percentile, at the most; 0: any


def both(instructions):
    return {"g++": instructions, "clang": instructions}


GOALS = [
    Goal("await of a coroutine that returns at once", "await", 0, 5_000_000,
         100_000, {"g++": 115, "clang": 60}, "0.5 x the best", 0.5),
    Goal("spawn one task and await it", "spawn_await", 0, 1_000_000, 50_000,
         both(220), "0.75 x the best", 0.75),
    Goal("spawn a million with handles, join all", "spawn_many", 0, 1_000_000,
         100_000, both(300), "0.6 x tokio, 1.0 x TooManyCooks", 0.6),
    Goal("`sleep(0)`, 1,000 tasks", "yield", 1000, 5_000_000, 200_000, both(55),
         "0.45 x the best", 0.45),
    Goal("future: make, set, await", "future", 0, 1_000_000, 50_000, {}, ""),
    Goal("timer in the wheel: schedule and cancel, 1 k armed", "timer", 1000,
         3_000_000, 100_000, both(90), "0.2 x the best", 0.2),
    Goal("- 100 k armed", "timer", 100_000, 2_000_000, 100_000, both(90),
         "0.1 x the best", 0.1),
    Goal("- 1 M armed", "timer", 1_000_000, 1_000_000, 0, both(90),
         "0.07 x the best", 0.07),
    Goal("- 10 M armed", "timer", 10_000_000, 1_000_000, 0, both(90),
         "0.07 x the best", 0.07),
    Goal("timer in the wheel: re-arm a random one of 100 k", "rearm", 100_000,
         2_000_000, 100_000, both(90), "0.07 x libevent's common timeout", 0.07),
    Goal("`call_later()` and `cancel()`, 1 k armed", "call_later", 1000,
         1_000_000, 50_000, {}, ""),
    Goal("- 1 M armed", "call_later", 1_000_000, 500_000, 0, {}, ""),
    Goal("a million sleepers due within 1 s", "sleepers", 0, 1_000_000, 50_000,
         {}, "0.6 x netcan's CPU; 99 % at most 0.35 s late", late=350),
    Goal("a hundred thousand sleepers due within 1 s", "sleepers", 0, 100_000,
         0, {}, "1.1 x libuv's CPU; 99 % at most 0.6 ms late", 1.1, late=0.6),
    Goal("memory of an idle sleeping task, bytes", "memory", 0, 500_000, 0, {},
         "224 bytes", most=224),
    Goal("lock and unlock, uncontended", "lock", 0, 10_000_000, 200_000,
         both(24), "0.55 x Go", 0.55),
    Goal("lock contended by 1,000 tasks, with a yield", "lock_contended", 1000,
         1_000_000, 100_000, both(150), "0.55 x the best", 0.55),
    Goal("semaphore, uncontended", "semaphore", 0, 10_000_000, 200_000,
         both(28), "0.55 x the best", 0.55),
    Goal("semaphore of 10, 1,000 tasks, with a yield", "semaphore_contended",
         1000, 1_000_000, 100_000, both(160), "0.55 x the best", 0.55),
    Goal("event ping-pong, a wake-up", "event", 0, 2_000_000, 100_000,
         both(150), "0.3 x the best", 0.3),
    Goal("queue with room for 1, an item", "queue", 1, 1_000_000, 50_000,
         both(170), "0.6 x the best", 0.6),
    Goal("- room for 64", "queue", 64, 3_000_000, 200_000, both(75),
         "0.6 x the best", 0.6),
    Goal("- room for 1,024", "queue", 1024, 3_000_000, 200_000, both(70),
         "0.6 x the best", 0.6),
    Goal("echo of 64 bytes through streams, 64 connections", "echo", 64,
         500_000, 64_000, {}, ""),
    Goal("`readline()` of 64 bytes, 256 at once", "lines", 256, 1_000_000,
         51_200, {}, ""),
    Goal("two `readexactly()`, a length and 60 bytes, 256 at once", "frames",
         256, 1_000_000, 51_200, {}, ""),
    Goal("`writelines()` of two parts and `drain()`", "parts", 64, 500_000,
         51_200, {}, ""),
    Goal("post a callback from another thread", "post", 0, 2_000_000, 50_000,
         both(100), "0.6 x tokio", 0.6),
    Goal("ping-pong between two loops on two threads", "ping_pong", 0, 20_000,
         0, {}, "1.0 x the bare wake-up", 1.0),
    Goal("- with spin, each on its own core", "ping_pong_spin", 0, 200_000, 0,
         {}, "1.5 us", most=1500),
    Goal("channel between two threads, room for 64, an item", "channel", 64,
         1_000_000, 0, {}, ""),
    Goal("- room for 1,024", "channel", 1024, 1_000_000, 0, {}, ""),
    Goal("start `/bin/true` and wait, 1 at a time", "process", 1, 960, 0, {},
         "1.0 x Go", 1.0),
    Goal("- 8 at a time", "process", 8, 960, 0, {}, "1.0 x Go", 1.0),
    Goal("cancel a million sleeping tasks until each has ended", "cancel", 0,
         1_000_000, 5_000, {"throw": 400}, "0.28 x asio", 0.28),
    Goal("- each below 16 awaits", "cancel_chain", 16, 100_000, 1_000, {}, ""),
    Goal("- one exception, thrown and caught", "throw", 0, 1_000_000, 5_000, {},
         ""),
]


def build_ours(compiler, program):
    """It by Bazel ($BAZEL, `bazel`) with "g++" or "clang", and -O2; its path."""
    bazel = shlex.split(os.environ.get("BAZEL", "bazel"))
    options = ["--config=clang"] if compiler == "clang" else []
    subprocess.run(
        [*bazel, "build", "--noshow_progress", "--symlink_prefix=/", *options,
         f"//benchmarks:{program}_measured"],
        cwd=ROOT, check=True, stdout=sys.stderr)
    folder = subprocess.run(
        [*bazel, "info", *options, "bazel-bin"], cwd=ROOT, check=True,
        stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True).stdout
    return os.path.join(folder.strip(), "benchmarks", f"{program}_measured")


def ours(named, program="core_paths"):
    """{"g++": binary, "clang": binary}: those named "g++=BINARY", or built."""
    if named:
        return dict(item.split("=", 1) for item in named)
    binaries = {}
    for compiler in ("g++", "clang"):
        try:
            binaries[compiler] = build_ours(compiler, program)
        except (OSError, subprocess.CalledProcessError) as error:
            print(f"{program} with {compiler}: not built ({error})",
                  file=sys.stderr)
    return binaries


def python():
    """The command of the interpreter to measure: $PYTHON or this one."""
    return [os.environ.get("PYTHON", sys.executable)]


def build_tokio(program, folder):
    package = os.path.join(folder, "tokio_peer")
    shutil.copytree(os.path.join(PEERS, "tokio"), package)
    if os.path.isdir("/usr/share/cargo/registry"):
        os.makedirs(os.path.join(package, ".cargo"), exist_ok=True)
        with open(os.path.join(package, ".cargo", "config.toml"), "w") as file:
            file.write(TOKIO_CONFIG)
    subprocess.run(["cargo", "build", "--release", "--quiet"], cwd=package,
                   check=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    return [os.path.join(package, "target", "release", program)]


def build_peers(commands, tokio, folder):
    """The command of each peer that can be built, and why others cannot.

    commands: what builds each of them, without "-o OUTPUT"; tokio: its program,
    or None.
    """
    built, missing = {}, []
    # Go's own needs: its cache, and no module around the file.
    environment = {**os.environ, "GOCACHE": os.path.join(folder, "go_cache"),
                   "GO111MODULE": "off"}
    for name, command in commands.items():
        binary = os.path.join(folder, "peer_" + name.replace(" ", "_"))
        words = command.split()
        try:
            subprocess.run(words[:2] + ["-o", binary] + words[2:], cwd=PEERS,
                           check=True, env=environment,
                           stdout=subprocess.PIPE, stderr=subprocess.PIPE)
            built[name] = [binary]
        except (OSError, subprocess.CalledProcessError) as error:
            missing.append(f"{name}: {reason(error)}")
    try:
        if tokio:
            built["tokio"] = build_tokio(tokio, folder)
    except (OSError, subprocess.CalledProcessError) as error:
        missing.append(f"tokio: {reason(error)}")
    return built, missing


def reason(error):
    text = getattr(error, "stderr", None) or str(error).encode()
    lines = text.decode(errors="replace").strip().splitlines()
    for line in lines:
        if "error" in line or "No such file" in line:
            return line.strip()
    return lines[0] if lines else "failed"


def profile(command, path, size, count, folder, marked=True):
    """Runs one profile: the number of instructions, and callgrind's file.

    A program that is marked, as ours are, says itself what is to be counted.
    """
    file = os.path.join(folder, f"{path}.{size}.{count}")
    arguments = [*command, path, str(count)]
    if size:
        arguments.append(str(size))
    run = subprocess.run(
        ["valgrind", "--tool=callgrind", f"--callgrind-out-file={file}",
         f"--instr-atstart={'no' if marked else 'yes'}", *arguments],
        stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    collected = re.search(r"Collected : (\d+)", run.stderr)
    if run.returncode or not collected:
        raise RuntimeError(f"{' '.join(arguments)} failed:\n{run.stderr}")
    if collected.group(1) == "0":
        raise RuntimeError(
            f"{arguments[0]} {path} counts nothing: it was built without "
            "valgrind/callgrind.h, of the package valgrind, or starts nothing")
    return int(collected.group(1)), file


def instructions(command, path, size, count, marked=True):
    """User-mode instructions an operation, by runs of `count` and of twice."""
    with tempfile.TemporaryDirectory() as folder:
        once, twice = (profile(command, path, size, count * times, folder,
                               marked)[0] for times in (1, 2))
    return (twice - once) / count


def machine():
    """The processor and the system, in one line."""
    model = "unknown processor"
    with open("/proc/cpuinfo") as file:
        for line in file:
            if line.startswith("model name"):
                model = line.split(":", 1)[1].strip()
                break
    return f"{model}, {os.cpu_count()} cores, Linux {platform.release()}"


def table(head, rows):
    """A Markdown table."""
    print("| " + " | ".join(head) + " |")
    print("|---" * len(head) + "|")
    for row in rows:
        print("| " + " | ".join(row) + " |")
