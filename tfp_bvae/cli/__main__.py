"""`python -m tfp_bvae.cli` is `tfp-bvae`."""

import sys

from tfp_bvae.cli import main

if __name__ == "__main__":
    sys.exit(main())
