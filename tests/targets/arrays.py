"""NumPy arrays of every ownership, beside the Python objects that hold them and that they hold."""

import truth

try:
    import numpy
except ImportError:
    truth.skip("numpy cannot be imported")


class Frame:
    def __init__(self, number):
        self.columns = {"a": numpy.arange(number), "b": numpy.zeros((number, 3))}


class Labelled(numpy.ndarray):
    pass


ARRAYS = [numpy.arange(length) for length in range(200)]
VIEWS = [array[1:] for array in ARRAYS[2:]]
OBJECTS = numpy.array([[1, 2], "text", {"a": 1}, None, 10**30], dtype=object)
OBJECT_TABLE = numpy.empty((50, 4), dtype=object)
for row in range(50):
    OBJECT_TABLE[row] = [[row], str(row), row * 1.5, None]
RECORDS = numpy.zeros(10, dtype=[("x", "i4"), ("y", "f8"), ("name", "U10")])
TEXT = numpy.array(["short", "a longer text"])
SCALARS = [numpy.float64(number) for number in range(500)] + [numpy.int32(1), numpy.bool_(True), numpy.str_("text")]
SCALARS += [record for record in RECORDS]
TYPES = [numpy.dtype("f4"), numpy.dtype([("a", "i8"), ("b", "S3")])]
LABELLED = [numpy.arange(3).view(Labelled) for _ in range(20)]
LABELLED[0].label = "has a dict"
FRAMES = [Frame(number) for number in range(50)]
SPECIAL = [numpy.ma.masked_array([1, 2], [0, 1]), numpy.nditer(numpy.arange(3)), numpy.random.RandomState(1)]
BUFFER = memoryview(ARRAYS[9])

if __name__ == "__main__":
    truth.hold()
