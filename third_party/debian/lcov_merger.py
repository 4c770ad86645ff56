#!/usr/bin/env python3
"""Stands in for Bazel's CoverageOutputGenerator, which Debian does not ship.

After a test: gcov's JSON files under --coverage_dir become one LCOV file.
For the combined report: the LCOV files named in --reports_file become one.
"""
import glob
import gzip
import json
import os
import re
import sys


def main(argv):
    options = {}
    filters = []
    for arg in argv:
        name, _, value = arg.lstrip("-").partition("=")
        if name == "filter_sources":
            filters.append(re.compile(value))
        options[name] = value

    lines = {}  # source -> line -> count
    functions = {}  # source -> name -> (line, count)
    renamed = {}
    if options.get("sources_to_replace_file"):
        with open(options["sources_to_replace_file"]) as file:
            renamed = dict(x.strip().split(":", 1) for x in file if ":" in x)

    def add(source, line, count):
        per = lines.setdefault(source, {})
        per[line] = per.get(line, 0) + count

    if "coverage_dir" in options:
        pattern = os.path.join(options["coverage_dir"], "**", "*.gcov.json.gz")
        for path in glob.glob(pattern, recursive=True):
            for entry in json.load(gzip.open(path))["files"]:
                source = renamed.get(entry["file"], entry["file"])
                if any(f.fullmatch(source) for f in filters):
                    continue
                for line in entry["lines"]:
                    add(source, line["line_number"], line["count"])
                for function in entry["functions"]:
                    per = functions.setdefault(source, {})
                    _, count = per.get(function["name"], (0, 0))
                    per[function["name"]] = (
                        function["start_line"],
                        count + function["execution_count"],
                    )
    if "reports_file" in options:
        with open(options["reports_file"]) as file:
            reports = [x.strip() for x in file if x.strip()]
        for report in reports:
            with open(report) as file:
                for text in file:
                    key, _, value = text.strip().partition(":")
                    if key == "SF":
                        source = value
                        lines.setdefault(source, {})
                    elif key == "DA":
                        line, count = value.split(",")[:2]
                        add(source, int(line), int(count))
                    elif key == "FN":
                        line, name = value.split(",", 1)
                        per = functions.setdefault(source, {})
                        per[name] = (int(line), per.get(name, (0, 0))[1])
                    elif key == "FNDA":
                        count, name = value.split(",", 1)
                        per = functions.setdefault(source, {})
                        line, before = per.get(name, (0, 0))
                        per[name] = (line, before + int(count))

    with open(options["output_file"], "w") as out:
        for source in sorted(lines):
            out.write("SF:%s\n" % source)
            for name, (line, count) in sorted(functions.get(source, {}).items()):
                out.write("FN:%d,%s\nFNDA:%d,%s\n" % (line, name, count, name))
            for line, count in sorted(lines[source].items()):
                out.write("DA:%d,%d\n" % (line, count))
            hit = sum(1 for count in lines[source].values() if count)
            out.write("LH:%d\nLF:%d\nend_of_record\n" % (hit, len(lines[source])))


if __name__ == "__main__":
    main(sys.argv[1:])
