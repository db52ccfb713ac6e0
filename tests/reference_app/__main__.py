"""`python -m tests.reference_app DATABASE PORT`: the reference app in one uvicorn process."""

import sys

import uvicorn

from tests.reference_app.app import make

if __name__ == "__main__":
    uvicorn.run(make(sys.argv[1]), port=int(sys.argv[2]), access_log=False, log_level="warning")
