"""The layout and the house rules of the design, held for every file."""

import ast
import configparser
import importlib.metadata
import pathlib
import re
import sys
import warnings

import pytest
from packaging.requirements import Requirement

from tests import project

ROOT = project.ROOT
_HERE = (
    "settings",
    "storage",
    "jobs",
    "text",
    "corpus",
    "data",
    "modeling",
    "training",
    "interop",
)
# Which of our packages each package may import.
MAY_IMPORT = {
    "settings": set(),
    "storage": set(),
    "pages": set(),
    "jobs": {"settings", "storage"},
    "text": {"settings", "storage"},
    "modeling": {"storage"},
    "training": {"settings", "storage"},
    "corpus": {"settings", "storage", "pages", "jobs", "text"},
    "data": {"settings", "storage", "jobs", "text"},
    "interop": {"settings", "storage", "text", "modeling"},
    "pretraining": {*_HERE},
    "finetuning": {*_HERE, "pages"},
    "serving": {*_HERE, "pages", "finetuning"},
    "tools": {
        *(*_HERE, "pages", "pretraining", "finetuning", "serving"),
        "config_flags",
    },
    "benchmarks": {
        *_HERE,
        "pages",
        "pretraining",
        "finetuning",
        "serving",
        "config_flags",
        "tests",
    },
}
NEVER_IMPORTS = {
    "storage": {"keras"},
    "pages": {"keras", "tensorflow"},
    "text": {"keras"},
    "corpus": {"keras"},
    "data": {"keras"},
    "modeling": {"tensorflow", "absl"},
}
SCRIPTS = {path.stem for path in ROOT.glob("*.py")}
FOLDERS = {
    path.name
    for path in ROOT.iterdir()
    if path.is_dir() and not path.name.startswith((".", "_"))
}
FILES = sorted(
    path
    for folder in (*MAY_IMPORT, "tests")
    for path in (ROOT / folder).rglob("*.py")
) + sorted(ROOT.glob("*.py"))

# Longer than the first is worth a second look, longer than the second is too
# long for anybody.
FILE_LINES = (300, 400)
FUNCTION_LINES = (50, 70)
MAX_COLUMNS = 80
# {file or file:function: why it may be longer yet}
EXCEPTIONS = {}


def name_of(path):
    return path.relative_to(ROOT).as_posix()


def imports(path):
    """The dotted names that a file imports, `from a import b` as a.b."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{name_of(path)}: a relative import"
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def files_of(package):
    return [path for path in FILES if name_of(path).startswith(package + "/")]


@pytest.mark.parametrize("package", MAY_IMPORT)
def test_imports_point_one_way(package):
    ours = {*MAY_IMPORT, *SCRIPTS, "tests"}
    wrong = ours - MAY_IMPORT[package] - {package}
    wrong |= NEVER_IMPORTS.get(package, set())
    for path in files_of(package):
        found = wrong & {name.split(".")[0] for name in imports(path)}
        assert not found, f"{name_of(path)} imports {sorted(found)}"


def test_no_script_imports_another_or_a_tool():
    wrong = (SCRIPTS - {"config_flags"}) | {"tools", "benchmarks", "tests"}
    for path in ROOT.glob("*.py"):
        found = wrong & {name.split(".")[0] for name in imports(path)}
        assert not found, f"{name_of(path)} imports {sorted(found)}"


def test_flags_stay_in_the_entry_points():
    for path in FILES:
        if path.parent == ROOT or path.parent.name in ("tools", "benchmarks"):
            continue
        flags = [n for n in imports(path) if n.startswith("absl.flags")]
        assert not flags, f"{name_of(path)} imports absl.flags"


def check_length(name, num_lines, limits):
    look, most = limits
    if name not in EXCEPTIONS:
        assert num_lines <= most, f"{name}: {num_lines} lines"
        if num_lines > look:
            warnings.warn(f"{name}: {num_lines} lines", stacklevel=2)


def test_every_file_is_short_enough_to_read():
    for path in FILES:
        lines = path.read_text(encoding="utf-8").splitlines()
        name = name_of(path)
        check_length(name, len(lines), FILE_LINES)
        for number, line in enumerate(lines, start=1):
            assert len(line) <= MAX_COLUMNS, f"{name}:{number}: {len(line)}"


def functions(path):
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            yield node


def code_lines(function):
    """Lines of a function without its docstring, which tells its contract."""
    lines = function.end_lineno - function.lineno + 1
    if ast.get_docstring(function):
        docstring = function.body[0]
        lines -= docstring.end_lineno - docstring.lineno + 1
    return lines


def test_every_function_fits_on_a_screen():
    for path in FILES:
        for function in functions(path):
            name = f"{name_of(path)}:{function.name}"
            check_length(name, code_lines(function), FUNCTION_LINES)


def test_every_exception_is_needed_and_has_a_reason():
    for name, reason in EXCEPTIONS.items():
        file, _, function = name.partition(":")
        path = ROOT / file
        if function:
            (found,) = [f for f in functions(path) if f.name == function]
            assert code_lines(found) > FUNCTION_LINES[1], name
        else:
            num_lines = len(path.read_text(encoding="utf-8").splitlines())
            assert num_lines > FILE_LINES[1], name
        assert len(reason) > 10, name


def test_every_module_is_named_after_what_it_holds():
    vague = {"utils", "util", "common", "helpers", "helper", "misc"}
    for path in FILES:
        parts = {*pathlib.PurePath(name_of(path)).with_suffix("").parts}
        assert not parts & vague, name_of(path)


def test_every_module_says_what_it_is_for():
    for path in FILES:
        text = path.read_text(encoding="utf-8")
        assert not text or ast.get_docstring(ast.parse(text)), name_of(path)


def test_no_folder_takes_the_name_of_an_installed_package():
    names = {folder for folder in FOLDERS if (ROOT / folder).glob("*.py")}
    installed = {
        name
        for name, owners in importlib.metadata.packages_distributions().items()
        if set(owners) != {"hanlin"}
    }
    assert not (names | SCRIPTS) & set(sys.stdlib_module_names)
    assert not (names | SCRIPTS) & installed


def test_a_tpu_gets_all_that_others_get():
    settings = configparser.ConfigParser()
    settings.read(ROOT / "setup.cfg")
    wanted = settings["options"]["install_requires"].split("\n")
    text = (ROOT / "requirements-tpu.txt").read_text(encoding="utf-8")
    missing = {*filter(None, wanted)} - {*text.splitlines()}
    assert all(line.startswith("tensorflow>=") for line in missing), missing


def test_a_commit_is_formatted_as_the_tests_want_it():
    hooks = (ROOT / ".pre-commit-config.yaml").read_text(encoding="utf-8")
    locked = (ROOT / "requirements-dev.lock").read_text(encoding="utf-8")
    (version,) = re.findall(r"rev: v(\S+)", hooks)
    assert f"\nruff=={version} " in locked


@pytest.mark.parametrize("extra", ["", "gpu", "dev"])
def test_the_lock_has_a_version_of_all_that_is_asked_for(extra):
    settings = configparser.ConfigParser()
    settings.read(ROOT / "setup.cfg")
    wanted = settings["options"]["install_requires"].split("\n")
    if extra:
        wanted += settings["options.extras_require"][extra].split("\n")
    name = f"requirements{extra and '-' + extra}.lock"
    text = (ROOT / name).read_text(encoding="utf-8").replace("\\\n", "")
    locked = {}
    for line in text.splitlines():
        if line.startswith("#"):
            continue
        assert "--hash=sha256:" in line and "//" not in line, line
        locked.setdefault(line.split("==")[0], []).append(
            line.split("==")[1].split()[0]
        )
    for line in filter(None, wanted):
        requirement = Requirement(line)
        versions = locked[requirement.name]
        assert all(map(requirement.specifier.contains, versions)), line
