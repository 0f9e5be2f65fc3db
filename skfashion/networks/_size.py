"""Which images an architecture can take."""

__all__ = ["check_size"]


def check_size(architecture, image_shape, smallest):
    """Refuse images that would vanish on their way through the network.

    Parameters
    ----------
    architecture : str
    image_shape : tuple of 3 int
    smallest : int
        Least height and width, in pixels.

    Raises
    ------
    ValueError
        If they are smaller.
    """
    height, width, _ = image_shape
    if min(height, width) < smallest:
        advice = "Architecture 'fast' takes images of any size."
        if height == 1:
            advice = "Flattened images that are not square need image_shape=(height, width)."
        raise ValueError(
            f"Architecture {architecture!r} takes images of at least {smallest}x{smallest} pixels, "
            f"got {height}x{width}. {advice}"
        )
