"""Classes with a `__sizeof__` of their own: only they know what it says, so a profiler can but count them and say so."""

import truth


class Liar:
    def __sizeof__(self):
        return 10**9


class LiarChild(Liar):
    pass


class LyingList(list):
    def __sizeof__(self):
        return 7


class Honest:
    pass


LIARS = [Liar() for _ in range(100)]
CHILDREN = [LiarChild() for _ in range(50)]
LISTS = [LyingList(range(10)) for _ in range(30)]
HONEST = [Honest() for _ in range(20)]

if __name__ == "__main__":
    truth.hold()
