"""Sphinx configuration."""

import skfashion

project = "skfashion"
author = "The skfashion developers"
version = release = skfashion.__version__
extensions = [
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "sphinx.ext.viewcode",
    "numpydoc",
    "sphinx_gallery.gen_gallery",
]
exclude_patterns = ["_build"]
html_theme = "pydata_sphinx_theme"
html_title = "skfashion"
html_sidebars = {"guide": [], "recipes": [], "tuning": []}  # they would be empty
numpydoc_show_class_members = False
sphinx_gallery_conf = {
    "examples_dirs": "../examples",
    "gallery_dirs": "auto_examples",
    "reset_modules": ("matplotlib",),
}
