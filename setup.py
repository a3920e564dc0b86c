"""Compiles what is hot where there is a C compiler; without one it stays plain Python."""

from mypyc.build import mypycify
from setuptools import Extension, setup

COMPILED = ["schemas/layouts.py", "schemas/binary.py"]


def extensions() -> list[Extension]:
    """Optional ones: where they cannot be built, the installation goes on."""
    found: list[Extension] = mypycify(COMPILED, opt_level="3", group_name="schemas.compiled")
    for extension in found:
        extension.optional = True
    return found


if __name__ == "__main__":
    setup(ext_modules=extensions())
