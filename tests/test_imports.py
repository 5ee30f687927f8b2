"""The folders of the package import one way only, and cost nothing before they are touched."""

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import tfp_bvae

PACKAGE = Path(tfp_bvae.__file__).parent

# A folder may import those of the lines below its own, and the ones that stand beside.
FLOORS = [
    {"cli"},
    {"tuning", "plots"},
    {"training", "inference"},
    {"models"},
    {"layers"},
    {"rnn"},
    {"distributions"},
    {"settings"},
    {"checks"},
]
BESIDE = {"metrics", "data"}
ENVIRONMENT = {"putenv", "unsetenv", "environ"}
HEAVY = ("tensorflow", "tf_keras", "ray", "matplotlib", "pandas", "scipy")
HEAVY += ("pooch", "pynapple", "pynwb", "xarray", "zarr")  # of data, once they are needed


def modules(package: Path) -> Iterator[tuple[str, Path]]:
    """Dotted name within the package and path of every module."""
    for path in sorted(package.rglob("*.py")):
        parts = path.relative_to(package).with_suffix("").parts
        yield ".".join(part for part in parts if part != "__init__"), path


def imported(path: Path, package: Path) -> Iterator[tuple[str, int]]:
    """Every dotted name a module imports, at any depth of its code, made absolute."""
    here = (package.name, *path.relative_to(package).parent.parts)
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from ((alias.name, node.lineno) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = here[: len(here) - node.level + 1] if node.level else ()
            source = ".".join([*base, *([node.module] if node.module else [])])
            yield from ((f"{source}.{alias.name}", node.lineno) for alias in node.names)


def allowed(folder: str) -> set[str]:
    """Which folders a folder may import, itself among them."""
    if folder in BESIDE:
        return {folder, "checks"}
    floor = next((i for i, names in enumerate(FLOORS) if folder in names), None)
    if floor is None:
        raise LookupError(f"{folder} has no place in the order of imports")
    below = {name for names in FLOORS[floor + 1 :] for name in names}
    return {folder} | below | (BESIDE if below else set())


def order_violations(package: Path) -> list[str]:
    """Imports that run up or across the floors, as lines to read."""
    found = []
    for name, path in modules(package):
        if not name:  # the package's own __init__ hands on its version, and nothing else
            continue
        folder = name.split(".")[0]
        for target, line in imported(path, package):
            parts = target.split(".")
            if parts[0] != package.name:
                continue
            if len(parts) == 1 or parts[1].startswith("__"):
                continue
            if parts[1] not in allowed(folder):
                found.append(f"{path.relative_to(package)}:{line}: {folder} imports {parts[1]}")
    return found


def keras_3_violations(package: Path) -> list[str]:
    """Places that reach for the Keras that comes with TensorFlow, or for Keras 3."""
    found = []
    for _, path in modules(package):
        place = path.relative_to(package)
        for target, line in imported(path, package):
            if target.split(".")[0] == "keras" or target.startswith("tensorflow.keras"):
                found.append(f"{place}:{line}: imports {target}")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if not (isinstance(node, ast.Attribute) and node.attr == "keras"):
                continue
            if isinstance(node.value, ast.Name) and node.value.id in ("tf", "tensorflow"):
                found.append(f"{place}:{node.lineno}: uses {node.value.id}.keras")
    return found


def environment_violations(package: Path) -> list[str]:
    """Places that write to the environment; a library leaves that to its user."""
    found = []
    for name, path in modules(package):
        if name == "cli.quiet":  # `tfp-bvae` owns its process, and quietens TensorFlow there
            continue
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Subscript) and not isinstance(node.ctx, ast.Load):
                written = ast.unparse(node.value)
            elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
                changes = node.func.attr in ("setdefault", "update", "pop", "clear")
                written = ast.unparse(node.func.value if changes else node.func)
            else:
                continue
            if written.split(".")[-1] in ENVIRONMENT:
                found.append(f"{path.relative_to(package)}:{node.lineno}: sets {written}")
    return found


def cycles(package: Path) -> list[str]:
    """Circles among modules, each as `a -> b -> a`; imports inside a function count as well."""
    known = {name for name, _ in modules(package)}
    graph: dict[str, set[str]] = {}
    for name, path in modules(package):
        graph[name] = set()
        for target, _ in imported(path, package):
            parts = target.split(".")
            if parts[0] != package.name:
                continue
            inside = [".".join(parts[1:n]) for n in range(len(parts), 1, -1)]
            graph[name].add(next((module for module in inside if module in known), ""))
    for name in graph:
        # a package's __init__ imports its own modules, and they do not import it by that
        graph[name] -= {name, ""}
    return [*_circles(graph)]


def _circles(graph: dict[str, set[str]]) -> Iterator[str]:
    done: set[str] = set()

    def walk(node: str, trail: list[str]) -> Iterator[str]:
        if node in trail:
            yield " -> ".join([*trail[trail.index(node) :], node])
        elif node not in done:
            for target in sorted(graph[node]):
                yield from walk(target, [*trail, node])
            done.add(node)

    for node in sorted(graph):
        yield from walk(node, [])


def loaded_after(code: str) -> set[str]:
    """Run code in a new Python and say which of the heavy modules it has pulled in."""
    script = f"{code}\nimport sys\nprint('LOADED', *[m for m in {HEAVY!r} if m in sys.modules])"
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=False, timeout=120
    )
    assert done.returncode == 0, done.stderr
    return set(done.stdout.splitlines()[-1].split()[1:])


@pytest.mark.parametrize(
    "violations", [order_violations, keras_3_violations, environment_violations, cycles]
)
def test_the_package_holds(violations):
    assert violations(PACKAGE) == []


def test_importing_the_package_is_light():
    assert loaded_after("import tfp_bvae; dir(tfp_bvae)") == set()


@pytest.mark.parametrize("name", ["metrics", "data"])
def test_what_stands_beside_needs_no_tensorflow(name):
    assert loaded_after(f"import tfp_bvae; tfp_bvae.{name}") == set()


def test_help_on_the_command_line_is_light():
    code = "from tfp_bvae.cli import main\ntry: main(['--help'])\nexcept SystemExit: pass"
    assert loaded_after(code) == set()


def test_everything_announced_is_there():
    for name in tfp_bvae.__all__:
        assert getattr(tfp_bvae, name)
        assert name in dir(tfp_bvae)


def test_an_unknown_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="'tfp_bvae' has no attribute 'leyers'"):
        _ = tfp_bvae.leyers


def test_every_subpackage_sorts_its_names():
    for name in tfp_bvae.__all__[1:]:
        public = getattr(tfp_bvae, name).__all__
        assert list(public) == sorted(public), name
        assert all(hasattr(getattr(tfp_bvae, name), item) for item in public), name


# The checkers themselves, on a small tree that breaks each rule.


@pytest.fixture
def tree(tmp_path):
    """A function that writes a package `house` of the files it is given."""

    def write(**files: str) -> Path:
        package = tmp_path / "house"
        for name, text in {"__init__": "", **files}.items():
            path = package.joinpath(*name.split("__", 1)) if name != "__init__" else package
            path = package / "__init__.py" if name == "__init__" else path.with_suffix(".py")
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        return package

    return write


@pytest.mark.parametrize(
    ("folder", "text", "complaint"),
    [
        ("layers", "from house.models import lfads", "layers imports models"),
        ("layers", "from house import models", "layers imports models"),
        ("layers", "from ..models import lfads", "layers imports models"),
        ("layers", "import house.training.fit", "layers imports training"),
        ("training", "from house.inference import posterior", "training imports inference"),
        ("data", "from house.metrics import rate_r2", "data imports metrics"),
        ("checks", "from house.data import Split", "checks imports data"),
        ("rnn", "def f():\n    from house import cli", "rnn imports cli"),
    ],
)
def test_an_upward_import_is_found(tree, folder, text, complaint):
    (line,) = order_violations(tree(**{f"{folder}__a": text}))
    assert line.endswith(complaint)


@pytest.mark.parametrize(
    ("folder", "text"),
    [
        ("models", "from house.layers import KLDivergence\nfrom house import checks, metrics"),
        ("models", "from .base import x\nfrom . import base\nimport numpy.models"),
        ("data", "from house import checks\nfrom .split import Split"),
        ("cli", "from house import __version__, models, data, plots"),
    ],
)
def test_a_downward_import_is_let_pass(tree, folder, text):
    assert order_violations(tree(**{f"{folder}__a": text})) == []


def test_a_folder_without_a_place_is_found(tree):
    with pytest.raises(LookupError, match="utils has no place"):
        order_violations(tree(utils__a="from house import checks"))


@pytest.mark.parametrize(
    "text",
    [
        "from tensorflow import keras",
        "from tensorflow.keras import layers",
        "import tensorflow.keras as keras",
        "import keras",
        "import tensorflow as tf\nx = tf.keras.layers.Dense",
    ],
)
def test_the_wrong_keras_is_found(tree, text):
    assert len(keras_3_violations(tree(layers__a=text))) == 1
    assert keras_3_violations(tree(layers__a="import tf_keras as keras\nkeras.layers")) == []


@pytest.mark.parametrize(
    "text",
    [
        "import os\nos.environ['A'] = '1'",
        "from os import environ\nenviron['A'] = '1'",
        "import os\nos.environ.setdefault('A', '1')",
        "import os\nos.putenv('A', '1')",
        "import os\ndel os.environ['A']",
    ],
)
def test_writing_to_the_environment_is_found(tree, text):
    assert len(environment_violations(tree(layers__a=text))) == 1
    reading = "import os\na = os.environ['A']\nb = os.environ.get('A')\nc = {}\nc['A'] = 1"
    assert environment_violations(tree(layers__a=reading)) == []


def test_a_circle_is_found(tree):
    package = tree(
        layers__a="from house.layers import b",
        layers__b="from .c import x",
        layers__c="from house.layers.a import y",
    )
    assert cycles(package) == ["layers.a -> layers.b -> layers.c -> layers.a"]
    assert cycles(tree(layers__b="", layers__c="from house.layers.b import z")) == []


def test_no_two_files_of_tests_have_one_name():
    """Pytest refuses to collect the second, but only where both are collected."""
    names = [path.name for path in Path(__file__).parent.rglob("test_*.py")]
    assert len(set(names)) == len(names) > 150
