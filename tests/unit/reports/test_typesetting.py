"""A number stays with its unit on a page; what is typed, copied or run keeps its plain spaces."""

from __future__ import annotations

import pytest

from reports.typesetting import together

NB = "\u00a0"


@pytest.mark.parametrize(
    ("page", "made"),
    [
        ("<td>WD Red, 4 TB</td>", f"<td>WD Red, 4{NB}TB</td>"),
        ("<b>4,00 TB</b> at 213 MB/s", f"<b>4,00{NB}TB</b> at 213{NB}MB/s"),
        ("4 000 787 030 016 bytes", f"4{NB}000{NB}787{NB}030{NB}016 bytes"),
        ("2 mm, 70 %, 41 °C, 3 d 4 h", f"2{NB}mm, 70{NB}%, 41{NB}°C, 3{NB}d 4{NB}h"),
        ("4 TBA, 12 gone, 7 habits, O-2026-000001 2026", "4 TBA, 12 gone, 7 habits, O-2026-000001 2026"),
        ('<a title="4 TB">4 TB</a>', f'<a title="4 TB">4{NB}TB</a>'),
        ("<textarea>4 TB\n</textarea> 4 TB", f"<textarea>4 TB\n</textarea> 4{NB}TB"),
        ("<pre>dd bs=4 MB</pre><code>1 GB</code>", "<pre>dd bs=4 MB</pre><code>1 GB</code>"),
        ('<input value="4 TB"><script>"4 TB"</script>', '<input value="4 TB"><script>"4 TB"</script>'),
        ("nothing to keep", "nothing to keep"),
    ],
)
def test_numbers_and_units_stay_together(page: str, made: str) -> None:
    assert together(page) == made
    assert together(made) == made
