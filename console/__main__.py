"""`python -m console`."""

import sys

from console.service import main

sys.exit(main())
