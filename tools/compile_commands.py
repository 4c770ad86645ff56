#!/usr/bin/env python3
"""Writes compile_commands.json, by which clangd and other tools read this code.

usage: tools/compile_commands.py [BAZEL OPTION...]

Run `bazel build //...` once before, with the same options: it makes the links
that the includes go through.
"""
import json
import os
import subprocess
import sys

# What g++ alone understands.
DROP = (
    "-fno-canonical-system-headers",
    "-Wunused-but-set-parameter",
    "-Wno-free-nonheap-object",
)


def main():
    root = subprocess.check_output(["bazel", "info", "workspace"],
                                   text=True).strip()
    os.chdir(root)
    text = subprocess.check_output(
        ["bazel", "aquery", "--output=jsonproto", *sys.argv[1:],
         'mnemonic("CppCompile", //...)'], text=True)
    commands = {}
    for action in json.loads(text).get("actions", []):
        args = [a for a in action["arguments"] if a not in DROP]
        source = args[args.index("-c") + 1]
        if not source.startswith(("external/", "bazel-out/")):
            commands[source] = {
                "directory": root,
                "file": source,
                "arguments": args,
            }
    with open("compile_commands.json", "w") as out:
        json.dump(list(commands.values()), out, indent=1)
    print("%d commands" % len(commands))


if __name__ == "__main__":
    main()
