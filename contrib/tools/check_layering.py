#!/usr/bin/env python3
"""Checks the rules that the compiler cannot: who may include whom, what a pure module may not
touch, and the form of co_await that g++ 12 compiles wrongly. Prints each violation; exits 1."""

import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]

# Module -> modules it may include besides itself. The longest matching directory counts.
ALLOWED = {
    "proto": set(),
    "proto/runtime": {"proto"},
    "milter": {"proto", "proto/runtime"},
    "balancer/smtp": {"proto"},
    "balancer/proxy_protocol": {"proto"},
    "balancer/origin": {"proto", "proto/runtime"},
    "balancer/metrics": {"proto"},
    "balancer/pool": {"proto", "balancer/proxy_protocol"},
    "balancer/session": {"proto", "balancer/smtp", "balancer/proxy_protocol", "balancer/origin",
                         "balancer/pool"},
    "balancer/net": {"proto", "proto/runtime", "balancer/smtp", "balancer/proxy_protocol",
                     "balancer/origin", "balancer/pool", "balancer/metrics", "balancer/session"},
    "balancer/service": {"proto", "proto/runtime", "balancer/origin", "balancer/metrics",
                         "balancer/pool", "balancer/net"},
    "balancer/admin": {"proto", "proto/runtime", "balancer/pool", "balancer/net",
                       "balancer/service"},
    "balancer/ctl": {"proto", "proto/runtime"},
    "balancer/config": {"proto", "proto/runtime", "balancer/origin", "balancer/pool",
                        "balancer/session", "balancer/proxy_protocol", "balancer/smtp"},
    "balancer": None,  # app and main: the only place that knows every module
}

PURE = {"proto", "balancer/smtp", "balancer/proxy_protocol", "balancer/metrics", "balancer/pool",
        "balancer/session"}
PURE_FILES = {"milter/message_tracker", "milter/received_walk", "milter/received_field",
              "balancer/origin/resolution", "balancer/origin/memory_store",
              "balancer/admin/admin_commands", "balancer/admin/pool_access",
              "balancer/ctl/command_line", "balancer/ctl/table", "balancer/ctl/json",
              "balancer/ctl/render"}
IMPURE = [
    (re.compile(r'#include <boost/asio(?!/ip/address)'), "includes Asio"),
    (re.compile(r"#include <(sys/socket\.h|thread|mutex|libmilter/.*)>"), "includes {0}"),
    (re.compile(r"\bnow\(\)"), "reads a clock"),
]

# g++ 12 destroys temporaries of such a statement twice (docs/adr/0001).
CO_AWAIT = [re.compile(p) for p in (r"co_await[^;]*[\w>]\{", r"co_await[^;]*\(\{",
                                    r"co_await[^;]*\[[^]]+\] *[({]")]

MFAPI_FILES = {"milter/callbacks.cpp", "milter/negotiation.cpp"}


def module_of(path):
    """The module that a path relative to the root belongs to."""
    parent = pathlib.PurePosixPath(path).parent
    while str(parent) not in ALLOWED:
        parent = parent.parent
    return str(parent)


def check(path, text, report):
    name = path.relative_to(ROOT).as_posix()
    module = module_of(name)
    for target in re.findall(r'#include "([^"]+)"', text):
        other = module_of(target) if "/" in target else "generated"
        allowed = ALLOWED[module]
        if other != module and other != "generated" and allowed is not None \
                and other not in allowed:
            report(name, f"{module} may not include {target}")
        if not (ROOT / target).exists() and other != "generated":
            report(name, f"includes {target}, which does not exist")
    if module in PURE or name.rsplit(".", 1)[0] in PURE_FILES:
        for pattern, what in IMPURE:
            for match in pattern.finditer(re.sub(r"//.*", "", text)):
                report(name, "pure code " + what.format(*match.groups()))
    for pattern in CO_AWAIT:
        for match in pattern.finditer(text):
            report(name, "co_await beside a temporary: " + match.group(0).split("\n")[0])
    if "libmilter/mfapi.h" in text and name not in MFAPI_FILES:
        report(name, "only callbacks and negotiation may know libmilter")


def main():
    problems = []
    files = [path for folder in ("proto", "milter", "balancer")
             for path in sorted((ROOT / folder).rglob("*.?pp"))]
    for path in files:
        check(path, path.read_text(), lambda name, what: problems.append(f"{name}: {what}"))
    for problem in problems:
        print(problem)
    print(f"{len(files)} files, {len(problems)} problems")
    return 1 if problems or not files else 0


if __name__ == "__main__":
    sys.exit(main())
