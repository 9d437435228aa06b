"""Renders templates with Python's Jinja2, set up as Ansible sets it up.

The first line of stdin is a JSON object with the templates to load and the
variables, as JSON text; every other line is a case. Each case is answered with
a line of JSON: a text, which begins with "error: " where it is the message of
an exception, or null where the case took too long or too much memory. One that
is only parsed gives the empty text.
"""
import json
import resource
import signal
import sys
from collections.abc import Iterator, MappingView

import jinja2


class Undefined(jinja2.StrictUndefined):
    def __getattr__(self, name):
        if name.startswith("__"):
            raise AttributeError(name)
        return self

    def __getitem__(self, key):
        return self

    def __repr__(self):
        self._fail_with_undefined_error()

    __contains__ = jinja2.StrictUndefined.__str__


def unrolled(function):
    def call(*args, **kwargs):
        value = function(*args, **kwargs)
        if isinstance(value, (Iterator, MappingView)):
            return list(value)
        return value

    if hasattr(function, "jinja_pass_arg"):
        call.jinja_pass_arg = function.jinja_pass_arg
    return call


def environment(options, templates):
    env = jinja2.Environment(
        undefined=Undefined,
        extensions=["jinja2.ext.do", "jinja2.ext.loopcontrols"],
        loader=jinja2.DictLoader(templates),
        **options,
    )
    for name, function in list(env.filters.items()):
        env.filters[name] = unrolled(function)
    return env


class TooLong(BaseException):
    pass


def stop(*_):
    raise TooLong()


def render(env, template, variables, parse):
    if parse:
        env.parse(template)
        return ""
    return env.from_string(template).render(json.loads(variables))


def answer(*case):
    signal.setitimer(signal.ITIMER_REAL, 5)
    try:
        return json.dumps(render(*case))
    except (TooLong, MemoryError):
        return "null"
    except Exception as error:
        return json.dumps("error: " + str(error))
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)


def main():
    signal.signal(signal.SIGALRM, stop)
    resource.setrlimit(resource.RLIMIT_AS, (1 << 30, 1 << 30))
    data = json.loads(sys.stdin.readline())
    environments = {}
    for line in sys.stdin:
        case = json.loads(line)
        options = case["options"] or {}
        key = json.dumps(options, sort_keys=True)
        if key not in environments:
            environments[key] = environment(options, data["templates"])
        print(answer(environments[key], case["template"], data["vars"], case.get("parse")), flush=True)


main()
