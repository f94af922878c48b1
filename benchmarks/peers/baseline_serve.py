"""Start nginx and gunicorn and end when either does, like `serve` in AWS's sample.

Source of the arrangement: github.com/aws/amazon-sagemaker-examples, scikit_bring_your_own (2 sync workers on 2 cores).
"""

import os
import signal
import subprocess
import sys
from pathlib import Path
from types import FrameType

HERE = Path(__file__).parent
GUNICORN = Path(sys.executable).with_name("gunicorn")


def main(nginx_conf: str, socket: str) -> None:
    options = ["--timeout", "60", "-k", "sync", "-b", f"unix:{socket}", "-w", "2", "--chdir", str(HERE)]
    gunicorn = subprocess.Popen([str(GUNICORN), *options, "baseline_app:app"])
    nginx = subprocess.Popen(["nginx", "-c", nginx_conf])  # last, for it outlives a parent that fails

    def stop(_signal: int = 0, _frame: FrameType | None = None) -> None:
        nginx.send_signal(signal.SIGQUIT)
        gunicorn.terminate()

    signal.signal(signal.SIGTERM, stop)
    os.wait()
    stop()


if __name__ == "__main__":
    main(*sys.argv[1:])
