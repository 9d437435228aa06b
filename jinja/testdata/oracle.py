"""Renders templates with Python's Jinja2, set up as Ansible sets it up.

Reads a JSON list of cases on stdin, writes a JSON list of texts; a text that
begins with "error: " is the message of the exception.
"""
import json
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


def unrolled(name, function):
    def call(*args, **kwargs):
        value = function(*args, **kwargs)
        if isinstance(value, (Iterator, MappingView)):
            return list(value)
        return value

    for attribute in ("jinja_pass_arg",):
        if hasattr(function, attribute):
            setattr(call, attribute, getattr(function, attribute))
    return call


def environment(options, templates):
    env = jinja2.Environment(
        undefined=Undefined,
        extensions=["jinja2.ext.do", "jinja2.ext.loopcontrols"],
        loader=jinja2.DictLoader(templates),
        **options,
    )
    for name in list(env.filters):
        env.filters[name] = unrolled(name, env.filters[name])
    return env


def render(case, data):
    env = environment(case["options"] or {}, data["templates"])
    try:
        return env.from_string(case["template"]).render(json.loads(data["vars"]))
    except Exception as error:
        return "error: " + str(error)


def main():
    data = json.load(sys.stdin)
    json.dump([render(case, data) for case in data["cases"]], sys.stdout)


main()
