"""What can go wrong in an experiment."""


class ExperimentError(ValueError):
    """An experiment that was asked for wrongly: what, where, and the nearest right thing."""


class ModelSaysNo(RuntimeError):
    """An experiment that was asked for rightly and has no answer: no rest, a solver that gave up."""
