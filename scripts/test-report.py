#!/usr/bin/env python3
"""Reads TRX files: `project RESULTS/NAME STATUS` shows one project's outcome, `total RESULTS` ends with the sum."""

import glob
import os
import sys
import xml.etree.ElementTree as xml

NAMESPACE = {"t": "http://microsoft.com/schemas/VisualStudio/TeamTest/2010"}


class Outcome:
    def __init__(self, path):
        self.failures = []
        self.passed = self.skipped = 0
        try:
            results = xml.parse(path).findall(".//t:UnitTestResult", NAMESPACE)
        except (FileNotFoundError, xml.ParseError):
            results = []
        for result in results:
            outcome = result.get("outcome")
            if outcome == "Passed":
                self.passed += 1
            elif outcome == "NotExecuted":
                self.skipped += 1
            else:
                self.failures.append(result)

    def line(self, failed):
        return f"{self.passed} passed, {failed} failed, {self.skipped} skipped"


def show_project(stem, status):
    outcome = Outcome(stem + ".trx")
    for failure in outcome.failures:
        print(f"\nFAILED {failure.get('testName')} ({failure.get('duration', '')[:12]})")
        for tag in ("Message", "StackTrace"):
            text = failure.findtext(f".//t:ErrorInfo/t:{tag}", "", NAMESPACE)
            print("\n".join("  " + line for line in text.strip().splitlines()[:30]))
    broken = status != 0 and not outcome.failures
    if broken:
        # The tests' process crashed or hung: nothing in the file says so.
        with open(stem + ".log", errors="replace") as log:
            print(f"\nFAILED {os.path.basename(stem)} ended with {status}:\n" + "".join(log.readlines()[-40:]))
        open(stem + ".broken", "w").close()
    print(f"{os.path.basename(stem)}: {outcome.line(len(outcome.failures) + broken)}", flush=True)


def show_total(folder):
    outcomes = [Outcome(path) for path in glob.glob(os.path.join(folder, "*.trx"))]
    total = Outcome("")
    total.passed = sum(outcome.passed for outcome in outcomes)
    total.skipped = sum(outcome.skipped for outcome in outcomes)
    failed = sum(len(outcome.failures) for outcome in outcomes) + len(glob.glob(os.path.join(folder, "*.broken")))
    if total.passed + failed == 0:
        print("no test was executed")
    print(total.line(failed))
    return 1 if failed or not total.passed else 0


if __name__ == "__main__":
    if sys.argv[1] == "project":
        show_project(sys.argv[2], int(sys.argv[3]))
    else:
        sys.exit(show_total(sys.argv[2]))
