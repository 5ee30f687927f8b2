"""Settings of Sphinx. Tutorials live beside `docs/`, as scripts that also run by themselves."""

import dataclasses
import inspect
import math
import re
import shutil
import sys
from pathlib import Path

import tfp_bvae

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE))
from others import write_inventories  # noqa: E402

# Sphinx reads below its own folder only, so the tutorials are copied in before every build.
shutil.rmtree(HERE / "tutorials", ignore_errors=True)
(HERE / "tutorials").mkdir()
for script in sorted((HERE.parent / "tutorials").glob("[!_]*.py")):
    shutil.copy2(script, HERE / "tutorials")

project = "tfp_bvae"
author = "tfp_bvae developers"
copyright = f"2026, {author}"
version = release = tfp_bvae.__version__

extensions = [
    "myst_nb",
    "sphinx.ext.autodoc",
    "sphinx.ext.intersphinx",
    "sphinx.ext.mathjax",
    "sphinx.ext.napoleon",
    "sphinx.ext.viewcode",
    "sphinx_copybutton",
    "sphinx_design",
    "sphinx-mathjax-offline",  # equations show without a network
]
# A name that leads nowhere, to us or to others, is an error of the build.
nitpicky = True
nitpick_ignore_regex = [
    ("py:class", r".*\._\w+"),  # bases that are no public names
    (
        "py:class",
        r"tfp_bvae\.(distributions\.autoregressive\.Autoregressive|data\.observed\.Observed"
        r"|inference\.labels\.FittedRun|layers\.base\.LikelihoodLayer"
        r"|layers\.prior_base\.PriorLayer|rnn\.generator\.GeneratorLayer)",
    ),
    ("py:class", r".*\bT"),  # a type that stands for any
    ("py:class", r"FittedRun|Parts"),
]
intersphinx_mapping = write_inventories(HERE / "_build" / "inventories")
exclude_patterns = ["_build", "conf.py", "jupyter_execute", "others.py"]

# What stands in `single backticks` in a docstring is code.
default_role = "code"
autodoc_inherit_docstrings = False
autodoc_member_order = "bysource"
autodoc_typehints = "signature"
autodoc_preserve_defaults = True  # `show=print`, which cannot be read back from what it prints as
autodoc_default_options = {"members": True, "show-inheritance": True}
python_maximum_signature_line_length = 88
napoleon_numpy_docstring = False
napoleon_use_rtype = False
napoleon_custom_sections = [("Call arguments", "params_style"), ("Source", "Notes")]

myst_enable_extensions = ["amsmath", "colon_fence", "deflist", "dollarmath"]
myst_heading_anchors = 3
suppress_warnings = ["myst.header"]

nb_custom_formats = {".py": ["jupytext.reads", {"fmt": "py:percent"}]}
nb_execution_mode = "cache"
nb_execution_raise_on_error = True
nb_execution_timeout = 900
nb_output_stderr = "remove"
nb_merge_streams = True

html_theme = "furo"
html_title = f"tfp_bvae {version}"
html_static_path = ["_static"]
html_css_files = ["math.css", "pictures.css"]
copybutton_prompt_text = r">>> |\.\.\. |\$ "
copybutton_prompt_is_regexp = True


def skip_foreign(app, what, name, obj, skip, options):
    """Leave out what other packages and named tuples put into a class."""
    others = ("matplotlib", "tensorflow", "tf_keras")
    foreign = (getattr(obj, "__module__", None) or "").startswith(others)
    alias = (getattr(obj, "__doc__", None) or "").startswith("Alias for field number")
    return True if foreign or alias else None


def show_constructor(app, what, name, obj, options, signature, returns):
    """Show the arguments of `__init__`, which the `__new__` of Keras and TFP hide."""
    if what != "class" or not signature:
        return None
    if not signature.startswith("(*args"):  # a default that is not code cannot be read as such
        signature = signature.replace("<factory>", "...")
        return re.sub(r"<function (\w+)>", r"\1", signature), returns
    parameters = list(inspect.signature(obj.__init__).parameters.values())[1:]
    shown = [p for p in parameters if p.kind is not inspect.Parameter.VAR_KEYWORD]
    shown = [
        p.replace(annotation=Bare(p.annotation)) if isinstance(p.annotation, str) else p
        for p in shown
    ]
    return str(inspect.Signature(shown)), returns


class Bare(str):
    """An annotation that is a string, shown without quotes."""

    __repr__ = str.__str__


def list_settings(app, what, name, obj, options, lines):
    """List the fields of a set of settings: default, legal range, and name in LFADS packages."""
    fields = dataclasses.fields(obj) if what == "class" and dataclasses.is_dataclass(obj) else ()
    rows = [field for field in fields if "meaning" in field.metadata]
    if not rows:
        return
    lines += ["", ".. list-table::", "   :header-rows: 1", ""]
    for row in [("name", "default", "legal", "meaning", "elsewhere"), *map(setting_row, rows)]:
        lines += [f"   {'  -' if i else '* -'} {cell}" for i, cell in enumerate(row)]
    lines.append("")


def setting_row(field):
    rule = field.metadata
    default = f"{field.default:.3g}" if isinstance(field.default, float) else str(field.default)
    if rule["choices"] is not None:
        legal = ", ".join(map(str, rule["choices"]))
    elif field.type == "bool":
        legal = "True, False"
    else:
        above = f"at least {rule['low']:g}" if rule["low"] > -math.inf else ""
        legal = f"{above}, at most {rule['high']:g}" if rule["high"] < math.inf else above
    elsewhere = f"``{rule['lfads']}``" if rule["lfads"] else ""
    return f"``{field.name}``", f"``{default}``", legal, rule["meaning"], elsewhere


def setup(app):
    app.connect("autodoc-process-docstring", list_settings)
    app.connect("autodoc-skip-member", skip_foreign)
    app.connect("autodoc-process-signature", show_constructor)
