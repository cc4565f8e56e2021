"""Lists: found, narrowed, counted, and taken away.

spec     what a list is made of          asked    what is asked of one, as a value
pages    pages, counts, files            devices, hosts, work, data     the lists themselves
"""

from .asked import Asked, asked_in, asked_of
from .pages import (
    LISTS,
    ChoiceCount,
    FacetView,
    ListPage,
    chosen,
    columns_of,
    empty,
    facets,
    listed,
    page,
    page_with_facets,
    take,
)
from .spec import CAP, Column, Listed

__all__ = [
    "CAP",
    "LISTS",
    "Asked",
    "ChoiceCount",
    "Column",
    "FacetView",
    "ListPage",
    "Listed",
    "asked_in",
    "asked_of",
    "chosen",
    "columns_of",
    "empty",
    "facets",
    "listed",
    "page",
    "page_with_facets",
    "take",
]
