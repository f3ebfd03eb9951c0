"""Nothing but the interpreter itself."""

import truth

truth.hold()
