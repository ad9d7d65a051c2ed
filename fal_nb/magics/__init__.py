"""The ``%fal`` and ``%%fal`` magics: a thin skin over the Python functions."""
