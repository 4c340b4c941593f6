#!/bin/sh
# Gradescope runs this once, with root, when the image of the autograder is built.
set -e
apt-get update -q
apt-get install -qy --no-install-recommends python3 util-linux
# turnchat needs Python 3.11. Ubuntu 22.04 has an older one, and this one beside it.
python3 -c 'import sys; sys.exit(sys.version_info < (3, 11))' || apt-get install -qy python3.11
