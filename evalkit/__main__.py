"""`python -m evalkit`."""

import sys

from evalkit.run.cli import main

sys.exit(main())
