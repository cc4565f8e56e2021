"""The console in the reader's language.

English is what the code says, what is stored and what is signed; other languages are renderings at the last moment.

    marking     finds the sentences of a template when it is loaded, so that templates stay plain English
    catalogs    a sentence in another language: one that is known, or one that a known pattern made
    speaking    which language this reader wants, and the words and values a page prints in it
    harvest     every sentence the console can print, read from the sources: what catalogs must hold

Nothing below pages knows of languages: services, rules and agents speak English, with codes beside it. A sentence they made is
recognised by its pattern, so it can come from a row stored years ago or from an agent's report as well.
"""

from __future__ import annotations
