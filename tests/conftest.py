"""Keeps TensorFlow quiet, off GPUs and small; read before its first import."""

import os

import pytest

os.environ.setdefault("CUDA_VISIBLE_DEVICES", "-1")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
os.environ.setdefault("TF_NUM_INTRAOP_THREADS", "2")
os.environ.setdefault("TF_NUM_INTEROP_THREADS", "2")


def _writable(text):
    return text.encode("utf-8", "backslashreplace").decode("utf-8")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport():
    """Lets what a test logs or fails with be sent from process to process.

    Half an emoji cannot be: pytest-xdist would end the whole run.
    """
    report = yield
    report.sections = [(name, _writable(x)) for name, x in report.sections]
    shown = str(report.longrepr)
    if isinstance(report.longrepr, tuple) or shown == _writable(shown):
        return report
    report.longrepr = _writable(shown)
    return report
