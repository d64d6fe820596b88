#!/usr/bin/env python3
"""Works out with Python's own Jinja2 and Ansible's own filters what the cases in cases/*.json must give.

  oracle.py --verify   says which expectations differ from the oracle's answer
  oracle.py --update   writes the oracle's answers into the files

Jinja2 is Debian's python3-jinja2, the filters come from its ansible-core. What ansible-core 2.19 does differently
is done here as well: one node keeps its type, None is nothing within a text, tuples and views end as lists, and
missing values pass through filters. Cases marked "oracle": false describe what this engine decides by itself,
for those marked "before 2.19" later versions of ansible-core have another answer, or none without passlib, and for
those marked "2.19" the earlier ones have.
"""

import functools
import json
import pathlib
import sys

from jinja2 import pass_context, StrictUndefined, Undefined, UndefinedError
from jinja2.lexer import Lexer
from jinja2.nativetypes import NativeCodeGenerator, NativeEnvironment, NativeTemplate
from jinja2.runtime import Context
from jinja2.loaders import DictLoader
from jinja2.utils import Cycler

from ansible.plugins.filter.core import FilterModule as CoreFilters
from ansible.plugins.filter.mathstuff import FilterModule as MathFilters
from ansible.plugins.filter.urls import FilterModule as UrlFilters
from ansible.plugins.filter.urlsplit import FilterModule as UrlsplitFilters
from ansible.plugins.test.core import TestModule as CoreTests
from ansible.plugins.test.mathstuff import TestModule as MathTests
from ansible import release
from ansible.utils import encrypt

ITERATORS = (type({}.items()), type({}.keys()), type({}.values()))
# With python3-passlib, Ansible's hashes of passwords have 656,000 rounds, and otherwise crypt's own 5,000.
if getattr(encrypt, "HAS_CRYPT", False):
    encrypt.PASSLIB_AVAILABLE = False

IS_2_19 = tuple(int(part) for part in release.__version__.split(".")[:2]) >= (2, 19)
ACCEPTS_UNDEFINED = {"default", "d", "mandatory", "type_debug", "defined", "undefined"}


def unrolled(value):
    if isinstance(value, ITERATORS) or (hasattr(value, "__next__") and not isinstance(value, (Undefined, Cycler))):
        return list(value)
    return value


class Missing(StrictUndefined):
    def __getattr__(self, name):
        if name.startswith("__"):
            raise AttributeError(name)
        return self

    def __getitem__(self, key):
        return self


def guarded(name, function):
    @functools.wraps(function)
    def wrapper(*args, **kwargs):
        if name not in ACCEPTS_UNDEFINED:
            for one in (*args, *kwargs.values()):
                if isinstance(one, Undefined):
                    return one
        return unrolled(function(*args, **kwargs))

    return wrapper


class OracleContext(Context):
    def call(self, function, *args, **kwargs):
        for one in (*args, *kwargs.values()):
            if isinstance(one, Undefined):
                return one
        result = super().call(function, *args, **kwargs)
        return unrolled(result)


class Generator(NativeCodeGenerator):
    def _output_const_repr(self, group):
        values = list(group)
        return repr(values[0]) if len(values) == 1 else repr("".join(str(one) for one in values))


class YamlLexer(Lexer):
    def tokeniter(self, *args, **kwargs):
        inside = False
        for line, kind, text in super().tokeniter(*args, **kwargs):
            if kind == "variable_begin":
                inside = True
            elif kind == "variable_end":
                inside = False
            elif inside and kind == "string":
                text = text.replace("\\", "\\\\")
            yield line, kind, text


def finalized(value, top=True):
    if isinstance(value, Undefined):
        value._fail_with_undefined_error()
    if isinstance(value, range):
        if top:
            raise TypeError("range")
        return value
    if isinstance(value, dict):
        return {finalized(key, top): finalized(item, top) for key, item in value.items()}
    if isinstance(value, (list, tuple, set)):
        return [finalized(item, top) for item in value]
    return value


@pass_context
def as_it_is(_context, value):
    return value


class OracleEnvironment(NativeEnvironment):
    context_class = OracleContext
    code_generator_class = Generator
    yaml_strings = False

    @property
    def lexer(self):
        return YamlLexer(self) if self.yaml_strings else Lexer(self)

    @staticmethod
    def concat(nodes):
        parts = []
        for node in nodes:
            if type(node).__name__ == "TemplateModule":
                parts.extend(node._body_stream)
            else:
                parts.append(node)
        parts = [one for one in parts if one is not None]
        for one in parts:
            if isinstance(one, Undefined):
                one._fail_with_undefined_error()
        if not parts:
            return None
        if len(parts) == 1:
            return parts[0]
        return "".join(str(finalized(one, False)) for one in parts)


class OracleTemplate(NativeTemplate):
    environment_class = OracleEnvironment


OracleEnvironment.template_class = OracleTemplate


def environment(yaml_strings, options, includes):
    env = OracleEnvironment(
        undefined=Missing,
        optimized=False,
        finalize=as_it_is,
        trim_blocks=options.get("trimBlocks", True),
        lstrip_blocks=options.get("lstripBlocks", False),
        extensions=["jinja2.ext.do", "jinja2.ext.loopcontrols"],
        loader=DictLoader(includes),
    )
    env.yaml_strings = yaml_strings
    filters = dict(env.filters)
    for module in (CoreFilters(), MathFilters(), UrlFilters(), UrlsplitFilters()):
        filters.update(module.filters())
    # From 2.19 on Ansible has its own, for its own undefined values.
    filters.update({name: env.filters[name] for name in ("default", "d")})
    env.filters = {name: guarded(name, one) for name, one in filters.items()}
    tests = dict(env.tests)
    for module in (CoreTests(), MathTests()):
        tests.update(module.tests())
    env.tests = {name: guarded(name, one) for name, one in tests.items()}
    for kind in (env.filters, env.tests):
        for name in list(kind):
            kind["ansible.builtin." + name] = kind[name]
    return env


def with_newlines(source, result):
    count = lambda text: len(text) - len(text.rstrip("\n"))
    return result + "\n" * max(0, count(source) - count(result))


def answer(case, shared):
    kind = case.get("kind", "string")
    variables = {**shared, **case.get("variables", {})}
    env = environment(kind == "string", case.get("options", {}), case.get("includes", {}))
    source = case["template"]
    if kind == "expression":
        result = env.compile_expression(source, undefined_to_none=False)(**variables)
        return finalized(result)
    result = finalized(env.from_string(source).render(variables))
    if kind == "template":
        return with_newlines(source, "" if result is None else str(result))
    return with_newlines(source, result) if isinstance(result, str) else result


def plain(value):
    """As JSON tells it: a float is {"float": text}, a dictionary {"dict": pairs}."""
    if isinstance(value, float):
        return {"float": repr(value)}
    if isinstance(value, dict):
        return {"dict": [[plain(key), plain(item)] for key, item in value.items()]}
    if isinstance(value, list):
        return [plain(item) for item in value]
    if value is None or isinstance(value, (bool, int)):
        return value
    return str(value)


def outcome(case, shared):
    try:
        return {"expect": plain(answer(case, shared))}
    except UndefinedError:
        return {"error": "undefined"}
    except Exception:  # whatever Python complains about
        return {"error": "other"}


def main():
    update = "--update" in sys.argv
    wrong = checked = 0
    for path in sorted((pathlib.Path(__file__).parent / "cases").glob("*.json")):
        content = json.loads(path.read_text())
        for case in content["cases"]:
            asked = case.get("oracle")
            if asked is False or asked == ("before 2.19" if IS_2_19 else "2.19"):
                continue
            checked += 1
            found = outcome(case, content.get("variables", {}))
            known = {key: case[key] for key in ("expect", "error") if key in case}
            if found == known:
                continue
            wrong += 1
            if update:
                for key in known:
                    del case[key]
                case.update(found)
            else:
                print(f"{path.name}: {case['template']!r}: {known} in the file, {found} by the oracle")
        if update:
            path.write_text(layout(content))
    print(f"{checked} cases, {wrong} {'changed' if update else 'differ'}")
    return 1 if wrong and not update else 0


def layout(content):
    """One case a line, so that a change of one is a change of one line."""
    head = json.dumps(content.get("variables", {}), ensure_ascii=False)
    lines = ",\n".join("    " + json.dumps(case, ensure_ascii=False) for case in content["cases"])
    return '{\n  "variables": %s,\n  "cases": [\n%s\n  ]\n}\n' % (head, lines)


if __name__ == "__main__":
    sys.exit(main())
