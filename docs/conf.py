"""Settings of Sphinx. Tutorials live beside `docs/`, as scripts that also run by themselves."""

import shutil
from pathlib import Path

import tfp_bvae

HERE = Path(__file__).parent

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
    "sphinx.ext.mathjax",
    "sphinx.ext.napoleon",
    "sphinx.ext.viewcode",
    "sphinx_copybutton",
    "sphinx_design",
]
exclude_patterns = ["_build", "conf.py", "jupyter_execute"]

# What stands in `single backticks` in a docstring is code.
default_role = "code"
autodoc_inherit_docstrings = False
autodoc_member_order = "bysource"
autodoc_typehints = "signature"
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
html_static_path: list[str] = []
copybutton_prompt_text = r">>> |\.\.\. |\$ "
copybutton_prompt_is_regexp = True


def skip_aliases(app, what, name, obj, skip, options):
    """Leave out the fields of named tuples; their signature names them."""
    doc = getattr(obj, "__doc__", None) or ""
    return True if doc.startswith("Alias for field number") else None


def setup(app):
    app.connect("autodoc-skip-member", skip_aliases)
