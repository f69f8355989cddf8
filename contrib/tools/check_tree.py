#!/usr/bin/env python3
"""Checks what belongs to the whole tree: top-level names, sizes of files, includes of the project
in one form, no leftovers. Prints each problem; exits 1."""

import pathlib
import re
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
TOP_LEVEL = {"CMakeLists.txt", "CMakePresets.json", "README.md", "CONTRIBUTING.md", "CHANGELOG.md",
             "LICENSE", "milter", "balancer", "proto", "tests", "contrib", "docs"}
LINES_MAX = 500
CODE = {".cpp", ".hpp", ".py", ".pm", ".t"}
# Words of other trades for things that have a name here (docs/architecture.md, glossary).
BANNED = re.compile(r"\b(upstream|downstream)\b", re.IGNORECASE)
LEFTOVER = re.compile(r"\b(TODO|FIXME|XXX|DISABLED_|GTEST_SKIP|sleep_for)\b")


def tracked():
    names = subprocess.run(["git", "ls-files"], cwd=ROOT, check=True, capture_output=True,
                           text=True).stdout.split("\n")
    return [name for name in names if name]


def check_code(name, text):
    lines = text.split("\n")
    if len(lines) > LINES_MAX:
        yield f"{len(lines)} lines, split it at {LINES_MAX}"
    for number, line in enumerate(lines, 1):
        if name != "contrib/tools/check_tree.py":
            if LEFTOVER.search(line):
                yield f"line {number}: leftover: {line.strip()}"
            if BANNED.search(line) and name.endswith(("pp", ".py")):
                yield f"line {number}: say frontend and node: {line.strip()}"
    if name.endswith(".hpp") and "#pragma once" not in text:
        yield "has no #pragma once"
    if name.endswith(".hpp") and not text.startswith("//"):
        yield "does not say what it is"


def main():
    problems = []
    names = tracked()
    for name in names:
        top = name.split("/")[0]
        if top not in TOP_LEVEL and not top.startswith("."):
            problems.append(f"{name}: not one of the top-level names")
        path = ROOT / name
        if path.suffix in CODE and path.exists():
            problems += [f"{name}: {what}" for what in check_code(name, path.read_text())]
    for problem in problems:
        print(problem)
    print(f"{len(names)} files, {len(problems)} problems")
    return 1 if problems or not names else 0


if __name__ == "__main__":
    sys.exit(main())
