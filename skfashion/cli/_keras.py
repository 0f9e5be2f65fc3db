"""Keras, without the notes that its backend prints."""

import os
import sys
import tempfile

__all__ = ["start_keras"]


def start_keras():
    """Import Keras, holding back the notes its backend prints unless the import fails.

    TensorFlow writes them to the file descriptor before its own log level applies.
    """
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    sys.stderr.flush()
    stderr = os.dup(2)
    with tempfile.TemporaryFile() as notes:
        os.dup2(notes.fileno(), 2)
        try:
            import keras  # noqa: F401
        except BaseException:
            notes.seek(0)
            os.write(stderr, notes.read())
            raise
        finally:
            os.dup2(stderr, 2)
            os.close(stderr)
