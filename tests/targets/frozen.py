"""A heap that gc.freeze() has put into the permanent generation."""

import plain  # noqa: F401
import truth

if __name__ == "__main__":
    truth.hold(freeze=True)
