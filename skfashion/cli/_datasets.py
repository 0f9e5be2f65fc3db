"""``skfashion datasets``."""

import click

__all__ = ["datasets"]


@click.command()
def datasets():
    """Say which images are on this machine, and how to get the others.

    What is there is read and checked, all 70,000 images.
    """
    from skfashion.datasets._fashion_mnist import find_problem, find_sources

    click.echo("sample  7,000 images of Fashion-MNIST, bundled: --data sample")
    click.echo("full    all 70,000 images of Fashion-MNIST: --data full, from the first that works")
    found = False
    for name, directory in find_sources().items():
        problem = find_problem(directory) if directory.is_dir() else "no such folder"
        found = found or problem is None
        click.echo(f"  {name:8}  {directory}: {problem or 'complete'}")
    if not found:
        click.echo(
            "  --data full downloads 30 MB into the first. Or, on Debian and Ubuntu:\n"
            "  apt-get install dataset-fashion-mnist. Or give a folder with the four files "
            "*-ubyte.gz\n  as --data."
        )
    click.echo(
        "yours   a folder with a folder of pictures for each class, or a CSV file: --data PATH, "
        'see\n        "skfashion train --help"'
    )
