"""What can go wrong with a figure."""


class FigureError(ValueError):
    """A figure that was asked for wrongly: what, where, and the nearest right thing."""
