"""The dependencies from Debian's packages, for Debian's Bazel 4.2.3.

It runs without the network: nothing here downloads. Bazel 7 and later take
the same labels from MODULE.bazel and never read this file.
"""

def _generated_repository_impl(ctx):
    ctx.file("WORKSPACE", "")
    for path, text in ctx.attr.files.items():
        ctx.file(path, text, executable = False)

_generated_repository = repository_rule(
    implementation = _generated_repository_impl,
    attrs = {"files": attr.string_dict(doc = "path -> text")},
)

# --- What Bazel 4 itself loads, and would otherwise download.

_RULES_CC = """
cc_binary = native.cc_binary
cc_import = native.cc_import
cc_library = native.cc_library
cc_proto_library = native.cc_proto_library
cc_test = native.cc_test
cc_toolchain = native.cc_toolchain
cc_toolchain_suite = native.cc_toolchain_suite
fdo_prefetch_hints = native.fdo_prefetch_hints
fdo_profile = native.fdo_profile
objc_import = native.objc_import
objc_library = native.objc_library
"""

_RULES_JAVA = """
java_import = native.java_import
java_library = native.java_library
java_runtime = native.java_runtime
java_toolchain = native.java_toolchain
"""

def _coverage_tools_impl(ctx):
    ctx.symlink(ctx.attr._merger, "lcov_merger.py")
    ctx.file("WORKSPACE", "")
    ctx.file("BUILD", """
package(default_visibility = ["//visibility:public"])

filegroup(name = "coverage_report_generator", srcs = ["lcov_merger.py"])

filegroup(name = "lcov_merger", srcs = ["lcov_merger.py"])
""")

_coverage_tools = repository_rule(
    implementation = _coverage_tools_impl,
    attrs = {"_merger": attr.label(
        default = "//third_party/debian:lcov_merger.py",
        allow_single_file = True,
    )},
)

# --- Abseil: libabsl-dev says what needs what in its pkg-config files.

# Upstream's label -> Debian's pkg-config module, without its "absl_".
_ABSL = {
    "algorithm:algorithm": "algorithm",
    "algorithm:container": "algorithm_container",
    "base:base": "base",
    "base:config": "config",
    "base:core_headers": "core_headers",
    "base:dynamic_annotations": "dynamic_annotations",
    "base:log_severity": "log_severity",
    "base:prefetch": "prefetch",
    "cleanup:cleanup": "cleanup",
    "container:btree": "btree",
    "container:fixed_array": "fixed_array",
    "container:flat_hash_map": "flat_hash_map",
    "container:flat_hash_set": "flat_hash_set",
    "container:inlined_vector": "inlined_vector",
    "container:node_hash_map": "node_hash_map",
    "container:node_hash_set": "node_hash_set",
    "debugging:failure_signal_handler": "failure_signal_handler",
    "debugging:leak_check": "leak_check",
    "debugging:stacktrace": "stacktrace",
    "debugging:symbolize": "symbolize",
    "flags:flag": "flags",
    "flags:parse": "flags_parse",
    "flags:reflection": "flags_reflection",
    "flags:usage": "flags_usage",
    "functional:any_invocable": "any_invocable",
    "functional:bind_front": "bind_front",
    "functional:function_ref": "function_ref",
    "hash:hash": "hash",
    "memory:memory": "memory",
    "meta:type_traits": "type_traits",
    "numeric:bits": "bits",
    "numeric:int128": "int128",
    "random:distributions": "random_distributions",
    "random:random": "random_random",
    "status:status": "status",
    "status:statusor": "statusor",
    "strings:cord": "cord",
    "strings:str_format": "str_format",
    "strings:strings": "strings",
    "synchronization:synchronization": "synchronization",
    "time:time": "time",
    "types:span": "span",
    "utility:utility": "utility",
}

def _pkg_config_folder(ctx):
    for folder in ctx.path("/usr/lib").readdir():
        folder = folder.get_child("pkgconfig")
        if folder.get_child("absl_base.pc").exists:
            return folder
    fail("Abseil is missing: run tools/setup, or apt-get install libabsl-dev")

def _field(text, name):
    for line in text.split("\n"):
        if line.startswith(name + ":"):
            return line[len(name) + 1:].strip()
    return ""

def _debian_absl_impl(ctx):
    folder = _pkg_config_folder(ctx)
    public = """package(default_visibility = ["//visibility:public"])"""
    rules = [public]
    for file in folder.readdir():
        if not file.basename.startswith("absl_"):
            continue
        text = ctx.read(file)
        archives = []
        for word in _field(text, "Libs").split(" "):
            if word.startswith("-labsl_"):
                archive = "lib" + word[2:] + ".a"
                ctx.symlink(folder.dirname.get_child(archive), archive)
                archives.append(archive)
        needs = [
            need.strip().split(" ")[0]
            for need in _field(text, "Requires").split(",")
            if need.strip()
        ]
        rules.append("cc_library(name = %r, srcs = %r, deps = %r)" % (
            file.basename[:-len(".pc")],
            archives,
            needs,
        ))
    ctx.file("WORKSPACE", "")
    ctx.file("BUILD", "\n".join(rules))
    packages = {}
    for label, module in _ABSL.items():
        package, name = label.split(":")
        packages.setdefault(package, [public]).append(
            "alias(name = %r, actual = %r)" % (name, "//:absl_" + module),
        )
    for package, rules in packages.items():
        ctx.file("absl/%s/BUILD" % package, "\n".join(rules))

_debian_absl = repository_rule(implementation = _debian_absl_impl)

# --- The packages whose libraries the linker finds by itself.

_LINKED = {
    "google_benchmark": """
package(default_visibility = ["//visibility:public"])

cc_library(name = "benchmark", linkopts = ["-lbenchmark", "-pthread"])

cc_library(name = "benchmark_main", linkopts = ["-lbenchmark_main"], deps = [":benchmark"])
""",
    "googletest": """
package(default_visibility = ["//visibility:public"])

cc_library(name = "gtest", linkopts = ["-lgmock", "-lgtest", "-pthread"])

cc_library(name = "gtest_main", linkopts = ["-lgmock_main"], deps = [":gtest"])
""",
    "liburing": """
cc_library(name = "liburing", linkopts = ["-luring"], visibility = ["//visibility:public"])
""",
    "openssl": """
package(default_visibility = ["//visibility:public"])

cc_library(name = "crypto", linkopts = ["-lcrypto"])

cc_library(name = "ssl", linkopts = ["-lssl"], deps = [":crypto"])
""",
}

def asyncio_debian_repositories():
    """Defines each repository that the caller has not defined before."""
    known = native.existing_rules()
    if "rules_cc" not in known:
        _generated_repository(
            name = "rules_cc",
            files = {
                "cc/BUILD": "",
                "cc/cc_binary.bzl": "cc_binary = native.cc_binary\n",
                "cc/cc_library.bzl": "cc_library = native.cc_library\n",
                "cc/cc_test.bzl": "cc_test = native.cc_test\n",
                "cc/defs.bzl": _RULES_CC,
            },
        )
    if "rules_java" not in known:
        _generated_repository(
            name = "rules_java",
            files = {"java/BUILD": "", "java/defs.bzl": _RULES_JAVA},
        )
    if "remote_coverage_tools" not in known:
        _coverage_tools(name = "remote_coverage_tools")
    if "abseil-cpp" not in known:
        _debian_absl(name = "abseil-cpp")
    for name, build in _LINKED.items():
        if name not in known:
            _generated_repository(name = name, files = {"BUILD": build})
