"""Sphinx configuration."""

import sys
from pathlib import Path

import skfashion

sys.path.insert(0, str(Path(__file__).parent / "_ext"))

project = "skfashion"
author = "The skfashion developers"
version = release = skfashion.__version__
extensions = [
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "sphinx.ext.viewcode",
    "numpydoc",
    "registry_tables",
    "sphinx_gallery.gen_gallery",
]
templates_path = ["_templates"]
exclude_patterns = ["_build"]
html_theme = "pydata_sphinx_theme"
html_title = "skfashion"
html_favicon = "favicon.png"  # an ankle boot of Fashion-MNIST
html_context = {"default_mode": "auto"}  # dark or light as the reader's system is
# They would be empty.
html_sidebars = {
    name: []
    for name in (
        "architecture",
        "compatibility",
        "getting_started",
        "index",
        "security",
        "whats_new",
    )
}
numpydoc_show_class_members = False  # the template lists them
toc_object_entries_show_parents = "hide"
sphinx_gallery_conf = {
    "examples_dirs": "../examples",
    "gallery_dirs": "auto_examples",
    "parallel": True,  # as many at a time as sphinx-build -j says
    "reset_modules": ("matplotlib",),
    "write_computation_times": False,  # its page loads scripts from elsewhere
}

nitpicky = True
# What other projects document is not linked, so that a build needs no network.
nitpick_ignore_regex = [
    (r"py:.*", r"(joblib|keras|matplotlib|optuna|skimage|sklearn)\..*"),
    # In docstrings that are inherited from scikit-learn.
    (r"std:(ref|term)", r"accuracy_score|classes_|df_output_transform|fit|metadata_routing"),
    (r"std:ref", r"sphx_glr_auto_examples_miscellaneous_plot_set_output\.py"),
]
