#!/usr/bin/env python3
"""Counts the test cases of `bazel test` runs from their build events.

usage: count_tests.py BUILD_EVENT_JSON_FILE

Prints 'PASSED FAILED SKIPPED', three numbers. What did not build counts as one
failure, and so does a test that timed out, crashed or exited non-zero though
its report shows no failure; a test without a report of cases counts as one.
"""
import json
import sys
import urllib.parse
import xml.etree.ElementTree as xml


def count_cases(path):
    passed = failed = skipped = 0
    try:
        cases = list(xml.parse(path).iter("testcase"))
    except (OSError, xml.ParseError):
        return 0, 0, 0
    for case in cases:
        if case.find("failure") is not None or case.find("error") is not None:
            failed += 1
        elif (case.find("skipped") is not None
              or case.get("status") == "notrun"
              or case.get("result") in ("skipped", "suppressed")):
            skipped += 1
        else:
            passed += 1
    return passed, failed, skipped


def count_result(result):
    passed = failed = skipped = 0
    for output in result.get("testActionOutput", []):
        if output["name"] == "test.xml":
            path = urllib.parse.unquote(output["uri"][len("file://"):])
            passed, failed, skipped = count_cases(path)
    if result["status"] not in ("PASSED", "FLAKY"):
        failed = failed or 1
    elif passed + failed + skipped == 0:
        passed = 1
    return passed, failed, skipped


def main():
    # A test that is tried again reports once an attempt: the last one counts.
    results = {}
    unbuilt = set()
    with open(sys.argv[1]) as file:
        for line in file:
            event = json.loads(line)
            if "testResult" in event:
                key = event["id"]["testResult"]
                results[key["label"], key.get("run"), key.get("shard")] = (
                    event["testResult"])
            elif ("targetCompleted" in event["id"]
                  and not event.get("completed", {}).get("success")):
                unbuilt.add(event["id"]["targetCompleted"]["label"])
    totals = [0, len(unbuilt), 0]
    for result in results.values():
        totals = [a + b for a, b in zip(totals, count_result(result))]
    print(*totals)


if __name__ == "__main__":
    main()
