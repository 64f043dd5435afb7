"""The guides speak of what exists: flags, their defaults, pages and tests."""

import ast
import dataclasses
import fnmatch
import functools
import importlib
import itertools
import re
import shlex

import pytest

from tests import project

ROOT = project.ROOT
GUIDES = sorted(
    path.relative_to(ROOT).as_posix()
    for pattern in (
        "*.md",
        "docs/*.md",
        "vocab/*.md",
        "samples/*.md",
        "dev/*.md",
    )
    for path in ROOT.glob(pattern)
    if path.name != "CHANGELOG.md"
)
PROGRAMS = sorted(
    path.relative_to(ROOT).with_suffix("").as_posix().replace("/", ".")
    for pattern in ("*.py", "tools/*.py", "benchmarks/*.py")
    for path in ROOT.glob(pattern)
    if 'if __name__ == "__main__"' in path.read_text(encoding="utf-8")
)
# Flags that absl gives to every program.
_ABSL = {"flagfile", "help", "helpfull", "verbosity"}
# Flags of commands that are not ours.
_OTHERS = {
    "docker": {"gpus", "rm"},
    "gcloud": {"command", "worker", "zone"},
    "run.py of benchmarks.gpu_step": {"seconds"},
    "pip": {"upgrade"},
    "ray": {"address", "head"},
    "uv": {"override"},
    "tf-models-official": {"use_v2_feature_names"},
    "tensorboard": {"logdir"},
    "tensorflow_model_server": {
        "model_base_path",
        "model_name",
        "rest_api_port",
    },
}
# The head of a table of flags, in both languages.
_HEAD = re.compile(r"\| (?:flag|参数) \| (?:default|默认值) \|")
# A flag as ours are written; --no-deps is one of pip, --F stands for any.
_FLAG = re.compile(r"(?<![\w-])--([a-z][a-z0-9_]*)(?![\w-])")
_REQUIRED = {"required", "必填"}
_NOTHING = {"none", "无"}


@functools.cache
def defaults(program):
    """Returns {flag: default} of a program; of a peer's, whose libraries are
    not here, {flag: ...}."""
    tree = ast.parse(
        (ROOT / (program.replace(".", "/") + ".py")).read_text(encoding="utf-8")
    )
    calls = {
        ast.unparse(node.func): node
        for node in ast.walk(tree)
        if isinstance(node, ast.Call)
    }
    call = calls.get("config_flags.run") or calls.get("config_flags.define")
    if call is None:
        return dict.fromkeys(_defined(tree), ...)
    try:
        module = importlib.import_module(program)
    except ModuleNotFoundError:
        return dict.fromkeys(_fields(tree), ...)
    settings_class = eval(ast.unparse(call.args[-1]), vars(module))
    return {
        field.name.removesuffix("_"): field.default
        for field in dataclasses.fields(settings_class)
    }


def _defined(tree):
    """Yields the names of flags that a program defines by absl."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and "DEFINE" in ast.unparse(node.func):
            yield node.args[0].value


def _fields(tree):
    for node in ast.walk(tree):
        if isinstance(node, ast.AnnAssign):
            yield node.target.id


def all_flags():
    others = itertools.chain(*_OTHERS.values())
    return _ABSL.union(others, *map(defaults, PROGRAMS))


def is_flag(name, flags):
    return name in flags or name.removeprefix("no") in flags


@pytest.mark.parametrize("guide", GUIDES)
def test_every_flag_that_a_guide_names_exists(guide):
    text = (ROOT / guide).read_text(encoding="utf-8")
    flags = all_flags()
    unknown = {x for x in _FLAG.findall(text) if not is_flag(x, flags)}
    assert not unknown


def _commands(text):
    """Yields (program, its flags) of the commands in a guide's blocks."""
    for block in re.findall(r"```bash\n(.*?)```", text, re.DOTALL):
        for line in block.replace("\\\n", " ").split("\n"):
            command = re.search(
                r"python3? (?:-m )?([\w.]+?)(?:\.py)?(?: (.*))?$", line
            )
            if command and command[1] in PROGRAMS:
                words = shlex.split(command[2] or "", comments=True)
                names = _FLAG.findall(" ".join(words))
                inner = words and words[0].removesuffix(".py")
                if inner in PROGRAMS:
                    # A tool that takes another program and its flags.
                    own = defaults(command[1])
                    yield inner, [name for name in names if name not in own]
                    names = [name for name in names if name in own]
                yield command[1], names


@pytest.mark.parametrize("guide", GUIDES)
def test_every_command_in_a_guide_has_flags_of_its_program(guide):
    text = (ROOT / guide).read_text(encoding="utf-8")
    for program, names in _commands(text):
        flags = _ABSL | defaults(program).keys()
        wrong = [name for name in names if not is_flag(name, flags)]
        assert not wrong, f"{program} has no --{wrong[0]}"


def _tables(text):
    """Yields (the text before it, [(flags, default)]) of each table."""
    lines = text.split("\n")
    for start, line in enumerate(lines):
        if _HEAD.match(line):
            rows = itertools.takewhile(
                lambda row: row.startswith("|"), lines[start + 2 :]
            )
            cells = [[x.strip() for x in row.split(" | ")] for row in rows]
            yield (
                "\n".join(lines[:start]),
                [
                    (re.findall(r"`([a-z0-9_*]+)`", flags), default)
                    for flags, default, *_ in cells
                ],
            )


def _program_of(before, flags):
    """Returns the program that was named last and has these flags."""
    named = re.findall(r"\b((?:tools\.)?\w+)(?:\.py)?\b", before)
    for program in reversed([x for x in named if x in PROGRAMS]):
        if all(fnmatch.filter(defaults(program), flag) for flag in flags):
            return program
    raise AssertionError(f"no program that the guide names has all of {flags}")


def _said(text):
    """Returns the value that a cell gives, or itself, if it is a word."""
    text = text.strip("`")
    if text in _NOTHING:
        return None
    if text in _REQUIRED:
        return dataclasses.MISSING
    if text in ("true", "false"):
        return text == "true"
    try:
        return float(text.replace(",", ""))
    except ValueError:
        return text


def _is_said(cell, values):
    """Whether a cell gives the defaults of its flags, one or one for each.

    What is found when the program runs a cell says in words: the default is
    None then, or the last of the words.
    """
    parts = re.split(r", |、", cell)
    if len(parts) != len(values):
        parts = [cell] * len(values)
    return all(map(_is_one_said, parts, values))


def _is_one_said(part, value):
    said = _said(part)
    if isinstance(value, str):
        return part.strip("`") == value
    if isinstance(said, str):
        return value is None or said.split()[-1] == str(value).lower()
    return said == value


@pytest.mark.parametrize("guide", GUIDES)
def test_tables_of_flags_have_the_defaults_of_the_fields(guide):
    text = (ROOT / guide).read_text(encoding="utf-8")
    for before, rows in _tables(text):
        patterns = [flag for flags, _ in rows for flag in flags]
        assert patterns
        assert len(set(patterns)) == len(patterns), patterns
        program = _program_of(before, patterns)
        for flags, cell in rows:
            values = [
                defaults(program)[name]
                for flag in flags
                for name in fnmatch.filter(defaults(program), flag)
            ]
            assert _is_said(cell, values), (
                f"{program}: {flags} default to {values}, the guide says {cell}"
            )


def test_a_cell_that_says_another_default_is_seen():
    assert _is_said("8, none", [8, None])
    assert _is_said("100,000", [100_000])
    assert _is_said("by the device", [None])
    assert not _is_said("9, none", [8, None])
    assert not _is_said("by the device", ["auto"])
    assert _is_said("as the model says, else true", [True])
    assert not _is_said("as the model says, else true", [False])
    assert not _is_said("false", [None])


def anchors(text):
    """The names that a page's headings have as links, as GitHub makes them."""
    for heading in re.findall(r"^#+ (.*)$", text, re.MULTILINE):
        heading = re.sub(r"[^\w\- ]", "", heading.lower())
        yield heading.strip().replace(" ", "-")


@pytest.mark.parametrize("guide", GUIDES)
def test_links_lead_somewhere(guide):
    text = (ROOT / guide).read_text(encoding="utf-8")
    for link in re.findall(r"\]\(([^)\s]+)\)", text):
        if "://" in link:
            continue
        file, _, anchor = link.partition("#")
        path = (ROOT / guide).parent / file if file else ROOT / guide
        assert path.exists(), link
        if anchor:
            page = path.read_text(encoding="utf-8")
            assert anchor in set(anchors(page)), link


def test_the_tests_that_extending_names_exist():
    text = (ROOT / "docs/extending.md").read_text(encoding="utf-8")
    code = "".join(
        path.read_text(encoding="utf-8")
        for path in (ROOT / "tests").rglob("*_test.py")
    )
    names = set(re.findall(r"\btest_\w+", text))
    assert names
    assert not {name for name in names if f"def {name}(" not in code}


@pytest.mark.parametrize("kind", ["pretrain", "finetune"])
def test_a_recipe_says_what_it_gave_or_that_nobody_measured_it(kind):
    for path in (ROOT / "configs" / kind).glob("*.flags"):
        head = " ".join(
            line.removeprefix("#").strip()
            for line in path.read_text(encoding="utf-8").split("\n")
            if line.startswith("#")
        )
        assert re.search(r"\bmeasured\b", head, re.IGNORECASE), path.name
