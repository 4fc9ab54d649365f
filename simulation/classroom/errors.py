"""Errors of the classroom."""


class ClassroomError(ValueError):
    """An exercise or a notebook that is not there, or cannot be made."""
