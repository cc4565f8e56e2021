"""The web console: what people see. Calls services, shows their answers, decides nothing.

    install(app)              joins the console to an application
    make_ready(app)           compiles its templates before anybody asks
    render_problem(problem)   how the console shows an error

A page is a function in `pages/`, registered with the permission it needs (`blueprint.py`); simple forms are values
(`sheets.py`) shown by one template; words, tones and icons of every state stand in `views/`. Pages work without
JavaScript except for signing, which happens in the browser because the service never holds an approver's key.
"""

from __future__ import annotations

from .install import STATIC_ENDPOINTS, install, make_ready
from .problems import render_problem

__all__ = ["STATIC_ENDPOINTS", "install", "make_ready", "render_problem"]
