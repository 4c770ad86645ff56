"""How this repository builds a library, a test, a benchmark and an example.

    load("//:asyncio.bzl", "asyncio_library", "asyncio_test")

    asyncio_library(
        name = "lock",
        srcs = ["lock.cc"],
        hdrs = ["lock.h"],
        deps = ["//task:future"],
    )

The headers of package `sync` are included as "asyncio/sync/lock.h". No macro
adds compiler flags: a library is built with those of whoever uses it. The
warnings, and -Werror, that this repository wants for its own files are in
.bazelrc, which is read here alone.
"""

load("@rules_cc//cc:cc_binary.bzl", "cc_binary")
load("@rules_cc//cc:cc_library.bzl", "cc_library")
load("@rules_cc//cc:cc_test.bzl", "cc_test")

_GTEST = "@googletest//:gtest_main"
_RUN_AND_COMPARE = "//tests/tools:run_and_compare"

def asyncio_library(name, srcs = [], hdrs = [], deps = [], **kwargs):
    """A library whose headers are included as "asyncio/<package>/<header>".

    Args:
      name: the header's name without its ".h".
      srcs: the .cc files. A header belongs into hdrs, where it gets the
        prefix: an internal one into a target visible to //:internal.
      hdrs: the headers; those in `internal/` are named "internal/x.h".
      deps: what srcs and hdrs include, each named.
      **kwargs: passed on to cc_library.
    """
    package = native.package_name()
    prefix = "asyncio/" + package if package else "asyncio"
    cc_library(
        name = name,
        srcs = srcs or _header_check(name, prefix, hdrs),
        hdrs = hdrs,
        include_prefix = prefix,
        deps = deps,
        **kwargs
    )

def _header_check(name, prefix, hdrs):
    """A source for a library of headers alone, so that the compiler sees them.

    Under --config=layering alone, which then finds a header that does not
    compile by itself or includes what its target does not depend on.
    """
    if not hdrs:
        return []
    source = name + "_header_check.cc"
    native.genrule(
        name = name + "_header_check",
        outs = [source],
        cmd = "printf '#include \"%%s\"\\n' %s > $@" % " ".join(
            [prefix + "/" + hdr for hdr in hdrs],
        ),
        tags = ["manual"],
        visibility = ["//visibility:private"],
    )
    return select({
        "//tools:header_check": [source],
        "//conditions:default": [],
    })

def asyncio_test(name, srcs = None, deps = [], size = "small", **kwargs):
    """A GoogleTest test; GoogleTest and its main() come with it.

    Args:
      name: the file's name without its ".cc".
      srcs: [name + ".cc"] unless given.
      deps: what the test includes, but for GoogleTest.
      size: "small" (60 s) unless given.
      **kwargs: passed on to cc_test.
    """
    cc_test(
        name = name,
        size = size,
        srcs = srcs or [name + ".cc"],
        deps = deps + [_GTEST],
        **kwargs
    )

def _run_test(name, binary, checks = [], args = [], data = [], **kwargs):
    """A test that runs `binary` with `args` and does the `checks`."""
    cc_test(
        name = name,
        args = checks + ["--", "$(rootpath %s)" % binary] + args,
        data = [binary] + data,
        deps = [_RUN_AND_COMPARE],
        **kwargs
    )

def asyncio_benchmark(
        name,
        srcs = None,
        deps = [],
        smoke_filter = ".",
        smoke_size = "small",
        smoke_tags = [],
        **kwargs):
    """A Google Benchmark program, and the test `name`_smoke that tries it.

    The smoke test runs each benchmark for one iteration, and fails where one
    reports an error or none is found.

    Args:
      name: the file's name without its ".cc".
      srcs: [name + ".cc"] unless given.
      deps: what the program includes, but for Google Benchmark.
      smoke_filter: regular expression: the benchmarks that the smoke test
        runs, without quotes and "$"; "-" before it leaves those out instead.
      smoke_size: the size of the smoke test.
      smoke_tags: the tags of the smoke test.
      **kwargs: passed on to cc_binary.
    """
    cc_binary(
        name = name,
        testonly = True,
        srcs = srcs or [name + ".cc"],
        deps = deps + ["@google_benchmark//:benchmark_main"],
        **kwargs
    )
    _run_test(
        name = name + "_smoke",
        size = smoke_size,
        # A number without "s" or "x" is read by every version of Google
        # Benchmark; zero seconds are reached after one iteration.
        args = [
            "--benchmark_min_time=0",
            "'--benchmark_filter=%s'" % smoke_filter,
        ],
        binary = ":" + name,
        checks = ["--require=Iterations", "'--forbid=ERROR OCCURRED'"],
        tags = smoke_tags,
    )

def asyncio_example(
        name,
        srcs = None,
        deps = ["//:asyncio"],
        expected = None,
        args = [],
        exit_code = 0,
        size = "small",
        data = [],
        tags = [],
        **kwargs):
    """A program to read and run, and the test `name`_test that runs it.

    Args:
      name: the file's name without its ".cc".
      srcs: [name + ".cc"] unless given.
      deps: ["//:asyncio"] unless given.
      expected: a file with what the program prints on its standard output;
        how it is compared is told in tests/tools/run_and_compare.cc. None:
        the output is not looked at.
      args: the program's arguments in the test and under `bazel run`.
      exit_code: what the program is to exit with in the test.
      size: the size of the test.
      data: files that the program opens, by their path in the repository.
      tags: the tags of the test.
      **kwargs: passed on to cc_binary.
    """
    cc_binary(
        name = name,
        srcs = srcs or [name + ".cc"],
        args = args,
        data = data,
        deps = deps,
        **kwargs
    )
    checks = []
    if expected:
        checks.append("--expected=$(rootpath %s)" % expected)
    if exit_code:
        checks.append("--exit_code=%d" % exit_code)
    _run_test(
        name = name + "_test",
        size = size,
        args = args,
        binary = ":" + name,
        checks = checks,
        data = data + ([expected] if expected else []),
        tags = tags,
    )

def asyncio_fuzz_test(
        name,
        srcs = None,
        deps = [],
        corpus = [],
        size = "small",
        **kwargs):
    """A test with `LLVMFuzzerTestOneInput` for its body.

    As a test it is given each file of the corpus and then some thousand
    made-up inputs, the same in every run. Under --config=fuzz it is a libFuzzer
    program, which runs for ten seconds unless told otherwise.

    Args:
      name: the file's name without its ".cc".
      srcs: [name + ".cc"] unless given.
      deps: what the test includes.
      corpus: files that are inputs.
      size: "small" (60 s) unless given.
      **kwargs: passed on to cc_test.
    """
    files = ["$(rootpath %s)" % file for file in corpus]
    cc_test(
        name = name,
        size = size,
        srcs = srcs or [name + ".cc"],
        args = select({
            "//tools:libfuzzer": ["-max_total_time=10"] +
                                 (["-seed_inputs=" + ",".join(files)] if files else []),
            "//conditions:default": files,
        }),
        data = corpus,
        linkopts = select({
            "//tools:libfuzzer": ["-fsanitize=fuzzer"],
            "//conditions:default": [],
        }),
        deps = deps + select({
            "//tools:libfuzzer": [],
            "//conditions:default": ["//tests/tools:fuzz_main"],
        }),
        **kwargs
    )
