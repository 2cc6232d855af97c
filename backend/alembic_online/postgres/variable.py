"""A URL that remembers the environment variable it came from."""


class Variable(str):
    """A value that remembers its environment variable, so that an error can name it."""

    name: str

    def __new__(cls, value: str, name: str) -> "Variable":
        variable = super().__new__(cls, value)
        variable.name = name
        return variable
