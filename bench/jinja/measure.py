"""Measures Python's Jinja2 with the template and the expressions beside this
file, all compiled before: prints the nanoseconds of the template and of the
thousand expressions."""
import json
import time
from pathlib import Path

import jinja2

here = Path(__file__).parent
variables = json.loads((here / "vars.json").read_text())
env = jinja2.Environment(trim_blocks=True, undefined=jinja2.StrictUndefined)
template = env.from_string((here / "template.j2").read_text())
expressions = [
    env.compile_expression(line.replace("@", str(n)), undefined_to_none=False)
    for line in (here / "expressions.txt").read_text().splitlines()
    for n in range(20)
]


def evaluate():
    for expression in expressions:
        expression(**variables)


def measure(name, run):
    """The best of several rounds, as the machine may be busy."""
    run()
    best = None
    for _ in range(10):
        start = time.perf_counter_ns()
        for _ in range(10):
            run()
        took = (time.perf_counter_ns() - start) // 10
        best = took if best is None else min(best, took)
    print(name, best)


measure("template", lambda: template.render(**variables))
measure("expressions", evaluate)
