"""Counts how the code is held: python dev/count_house.py [CHECKOUT ...]

One column a checkout, so that two states of the code stand side by side.
"""

import ast
import io
import pathlib
import sys
import tokenize

_NOT_CODE = {"tests", "dev", ".venv", ".git"}


def _files(root):
    return [
        path
        for path in sorted(root.rglob("*.py"))
        if not any(
            part in _NOT_CODE or part.startswith(".")
            for part in path.relative_to(root).parts
        )
    ]


def _functions(tree):
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node


def _parameters(function):
    args = function.args
    return [
        arg
        for arg in (*args.posonlyargs, *args.args, *args.kwonlyargs)
        if arg.arg not in ("self", "cls")
    ]


def _is_compiled(function):
    return any("jit" in ast.dump(x) for x in function.decorator_list)


def _twice_declared(trees):
    """Fields that two settings declare without one inheriting the other's.

    A class of settings is one whose fields become flags: its name ends in
    Config or Settings. Tools have settings of their own and are left out.
    """
    bases, fields = {}, {}
    for path, tree in trees.items():
        if path.parts[0] in ("tools", "benchmarks", "modeling"):
            continue
        for node in ast.walk(tree):
            if isinstance(node, ast.ClassDef) and node.name.endswith(
                ("Config", "Settings")
            ):
                bases[node.name] = [
                    ast.unparse(base).rpartition(".")[2] for base in node.bases
                ]
                fields[node.name] = {
                    field.target.id
                    for field in node.body
                    if isinstance(field, ast.AnnAssign)
                }

    def ancestors(name):
        for base in bases.get(name, ()):
            yield base
            yield from ancestors(base)

    twice = set()
    for one in fields:
        for other in fields:
            if one == other:
                continue
            shared = fields[one] & fields[other]
            for base in {*ancestors(one)} & {*ancestors(other)}:
                shared -= fields.get(base, set())
            if one not in ancestors(other) and other not in ancestors(one):
                twice |= shared
    # They name what a program reads and writes, another thing in each.
    return twice - {"input_file", "output_file"}


def _reads_little(function):
    """Whether a function is handed the whole config for two fields or fewer."""
    names = {arg.arg for arg in _parameters(function)} & {"config", "settings"}
    for name in names:
        fields, is_whole = set(), False
        for node in ast.walk(function):
            for child in ast.iter_child_nodes(node):
                if isinstance(child, ast.Name) and child.id == name:
                    if isinstance(node, ast.Attribute):
                        fields.add(node.attr)
                    else:
                        # It is handed on, compared or stored as it is.
                        is_whole = True
        if not is_whole and 0 < len(fields) <= 2:
            return True
    return False


def _statements(tree):
    """How many statements there are, however long their lines are wrapped.

    Docstrings are none.
    """
    return sum(
        isinstance(node, ast.stmt)
        and not (
            isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
        )
        for node in ast.walk(tree)
    )


def _comment_lines(text):
    tokens = tokenize.generate_tokens(io.StringIO(text).readline)
    return len({t.start[0] for t in tokens if t.type == tokenize.COMMENT})


def count(root):
    """Returns {what: figure} of a checkout."""
    texts = {path: path.read_text("utf-8") for path in _files(root)}
    trees = {p.relative_to(root): ast.parse(x) for p, x in texts.items()}
    num_lines = sum(len(text.splitlines()) for text in texts.values())
    public = [
        function
        for tree in trees.values()
        for function in _functions(tree)
        if not function.name.startswith("_") and not _is_compiled(function)
    ]
    parameters = [arg for function in public for arg in _parameters(function)]
    typed = [arg for arg in parameters if arg.annotation is not None]
    rooms = ("data", "training", "pretraining", "finetuning")
    little = [
        f"{path}:{function.name}"
        for path, tree in trees.items()
        if path.parts[0] in rooms
        for function in _functions(tree)
        if _reads_little(function)
    ]
    comments = sum(map(_comment_lines, texts.values()))
    return {
        "files": len(texts),
        "lines": num_lines,
        "statements": sum(map(_statements, trees.values())),
        "fields declared twice": len(_twice_declared(trees)),
        "functions with a config for <= 2 fields": len(little),
        "typed parameters of public functions": (
            f"{len(typed) / len(parameters):.1%}"
        ),
        "comment lines": f"{comments / num_lines:.1%}",
    }, little


def main(roots):
    columns = [count(pathlib.Path(root).resolve()) for root in roots or ["."]]
    for what in columns[0][0]:
        figures = [f"{figures[what]:>10}" for figures, _ in columns]
        print(f"{what:<42}", *figures)
    print("\n".join(["", *columns[-1][1]]))


if __name__ == "__main__":
    main(sys.argv[1:])
