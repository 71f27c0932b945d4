"""Prints the classes and functions of Python files. Parsing takes longest, so that is cached until the file changes."""

import ast
import sys
from pathlib import Path

# Where `npx wicked-cache setup` puts it: ~/.claude/plugins/wicked-cache/scripts
sys.path.insert(0, str(Path(__file__).parent / "node_modules/wicked-cache/plugin/scripts"))
from cache import namespace

cache = namespace("python-outline-1.0")  # another version of the tool is another namespace


def parse(path):
    tree = ast.parse(path.read_text())
    kinds = (ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
    return [[node.lineno, node.name] for node in ast.walk(tree) if isinstance(node, kinds)]


def outline(path):
    key = f"outline:{path.resolve()}"  # keys belong to the user, so the whole path
    found = cache.get(key)
    if found is None:
        found = parse(path)
        cache.set(key, found, source_file=str(path))
    return found


for path in sorted(Path(sys.argv[1]).rglob("*.py")):
    for line, name in outline(path):
        print(f"{path}:{line} {name}")
